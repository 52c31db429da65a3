//! Fields of replies, whatever the dialect: 2019 writes lists as one comma-separated string, later years as arrays; the
//! ids of shards are strings or numbers.

use serde_json::Value;

/// A list of addresses or ids.
pub(super) fn list(reply: &Value, names: &[&str]) -> Option<Vec<String>> {
    match field(reply, names)? {
        Value::String(text) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(items.map(str::to_owned).collect())
        }
        Value::Array(items) => items.iter().map(word).collect(),
        _ => None,
    }
}

/// A string, also when it is written as a number.
pub(super) fn text(reply: &Value, names: &[&str]) -> Option<String> {
    word(field(reply, names)?)
}

/// A number, also when it is written as a string.
pub(super) fn integer(reply: &Value, names: &[&str]) -> Option<u64> {
    let value = field(reply, names)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn field<'a>(reply: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| reply.get(name))
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_every_dialect() {
        let expected = Some(vec!["10.10.0.2:8080".to_owned(), "10.10.0.3:8080".to_owned()]);
        assert_eq!(list(&json!({"view": "10.10.0.2:8080,10.10.0.3:8080"}), &["view"]), expected);
        assert_eq!(list(&json!({"view": "10.10.0.2:8080, 10.10.0.3:8080"}), &["view"]), expected);
        assert_eq!(list(&json!({"view": ["10.10.0.2:8080", "10.10.0.3:8080"]}), &["view"]), expected);
        assert_eq!(list(&json!({"shard-ids": [1, 2]}), &["shard-ids"]), Some(vec!["1".into(), "2".into()]));
        assert_eq!(list(&json!({"view": ""}), &["view"]), Some(vec![]));
        assert_eq!(list(&json!({"view": 5}), &["view"]), None);
    }

    #[test]
    fn scalars_of_every_dialect() {
        assert_eq!(text(&json!({"shard-id": "1"}), &["shard-id"]), Some("1".to_owned()));
        assert_eq!(text(&json!({"node-shard-id": 1}), &["shard-id", "node-shard-id"]), Some("1".to_owned()));
        assert_eq!(text(&json!({"shard-id": null}), &["shard-id"]), None);
        assert_eq!(integer(&json!({"shard-key-count": 7}), &["shard-id-key-count", "shard-key-count"]), Some(7));
        assert_eq!(integer(&json!({"shard-id-key-count": "7"}), &["shard-id-key-count"]), Some(7));
    }
}
