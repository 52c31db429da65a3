use super::Fields;
use crate::http::error::ApiError;

fn value(body: &str) -> Option<String> {
    let fields = Fields::parse(body.as_bytes()).unwrap();
    fields.value.map(|raw| raw.get().to_owned())
}

fn reason<T>(result: Result<T, ApiError>) -> String {
    match result {
        Err(ApiError::Malformed(reason)) => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("accepted"),
    }
}

fn fields(body: &str) -> Fields<'_> {
    Fields::parse(body.as_bytes()).unwrap()
}

#[test]
fn a_value_is_any_json_and_keeps_its_text() {
    for text in ["null", "\"\"", "0", "1.50", "1e400", "[1, {\"a\":null}]", "{\"b\":1,\"a\":2}", "\"\\u00e9\"", "false"]
    {
        assert_eq!(value(&format!("{{\"value\": {text} }}")).as_deref(), Some(text));
    }
}

#[test]
fn null_is_a_value_and_absence_is_none() {
    assert_eq!(value("{\"value\":null}").as_deref(), Some("null"));
    assert_eq!(value("{}"), None);
    assert_eq!(value(""), None);
    assert_eq!(value(" \r\n"), None);
}

#[test]
fn unknown_fields_are_ignored() {
    assert_eq!(value("{\"x\":[1],\"value\":1,\"y\":{}}").as_deref(), Some("1"));
}

#[test]
fn what_is_not_json_is_located() {
    let text = reason(Fields::parse(b"{\"value\": nope}").map(|_| ()));
    assert!(text.contains("not JSON") && text.contains("line 1 column"), "{text}");
    let text = reason(Fields::parse(b"value=1").map(|_| ()));
    assert!(text.contains("not JSON"), "{text}");
    let text = reason(Fields::parse(b"{\"value\":\"\xff\"}").map(|_| ()));
    assert!(text.contains("not JSON"), "{text}");
    let text = reason(Fields::parse(b"{\"value\":1,\"value\":2}").map(|_| ()));
    assert!(text.contains("duplicate field"), "{text}");
}

#[test]
fn json_that_is_no_object_is_told_apart() {
    for body in ["[1]", "\"x\"", "null", "7"] {
        let text = reason(Fields::parse(body.as_bytes()).map(|_| ()));
        assert_eq!(text, "The request body is not a JSON object");
    }
}

#[test]
fn nesting_as_deep_as_the_limit_is_taken() {
    let depth = 500_000;
    let body = format!("{{\"value\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(value(&body).unwrap().len(), 2 * depth);
    let unknown = format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(value(&unknown), None);
}

#[test]
fn an_address_is_ip_and_port() {
    let good = fields("{\"socket-address\":\"10.10.0.8:8080\"}").socket_address().unwrap();
    assert_eq!(good.to_string(), "10.10.0.8:8080");
    assert_eq!(reason(fields("{}").socket_address()), "socket-address is missing");
    for bad in ["\"node7:8080\"", "\"10.10.0.8\"", "\"10.10.0.8:0\"", "7", "null", "\"\""] {
        let body = format!("{{\"socket-address\":{bad}}}");
        let text = reason(fields(&body).socket_address());
        assert!(text.starts_with("socket-address is not an \"ip:port\": "), "{text}");
    }
}

#[test]
fn a_shard_count_is_a_positive_integer() {
    let count = |text: &str| fields(&format!("{{\"shard-count\":{text}}}")).shard_count();
    assert_eq!(count("3").unwrap(), 3);
    assert_eq!(count("99999999999999999999999").unwrap(), u32::MAX);
    assert_eq!(reason(fields("{}").shard_count()), "shard-count is missing");
    for bad in ["0", "-1", "2.0", "1.5", "\"2\"", "null", "[]", "true"] {
        assert!(reason(count(bad)).starts_with("shard-count is not a positive integer"), "{bad}");
    }
}
