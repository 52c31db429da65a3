use super::{Config, ConfigError, Dialect, LogFormat};

fn read(extra: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let base =
        [("SOCKET_ADDRESS", "10.10.0.2:8080"), ("VIEW", "10.10.0.2:8080,10.10.0.3:8080,10.10.0.4:8080,10.10.0.5:8080")];
    let pairs = base.iter().chain(extra);
    Config::from_env(pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn complaint(extra: &[(&str, &str)]) -> String {
    let line = read(extra).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn the_class_environment_is_enough() {
    let config = read(&[("SHARD_COUNT", "2")]).unwrap();
    assert_eq!(config.shard_count, Some(2));
    assert_eq!(config.view.len(), 4);
    assert_eq!(config.dialect_in_force(), Dialect::Y2019);
    assert_eq!(config.body_limit_bytes, 1_048_576);
    let listen: Vec<_> = config.listen_addresses().map(|address| address.to_string()).collect();
    assert_eq!(listen, ["0.0.0.0:8080"]);
}

#[test]
fn the_port_tells_the_generation_unless_it_is_named() {
    for (address, generation) in
        [("10.10.0.2:8080", Dialect::Y2019), ("10.10.0.2:8085", Dialect::Y2021), ("10.10.0.2:8090", Dialect::Y2021)]
    {
        let variables = [("SOCKET_ADDRESS", address), ("VIEW", address)];
        assert_eq!(read(&variables).unwrap().dialect_in_force(), generation);
    }
    let named = read(&[("API_DIALECT", "2021")]).unwrap();
    assert_eq!(named.dialect_in_force(), Dialect::Y2021);
}

#[test]
fn a_view_may_have_blanks_duplicates_and_a_last_comma() {
    let view = " 10.10.0.3:8080 , 10.10.0.2:8080,10.10.0.3:8080, ";
    let config = read(&[("VIEW", view)]).unwrap();
    let view: Vec<_> = config.view.iter().map(ToString::to_string).collect();
    assert_eq!(view, ["10.10.0.2:8080", "10.10.0.3:8080"]);
}

#[test]
fn an_empty_variable_is_absent() {
    let config = read(&[("SHARD_COUNT", ""), ("CLUSTER_SECRET", " "), ("EXTRA_PORTS", "")]).unwrap();
    assert_eq!(config.shard_count, None);
    assert_eq!(config.cluster_secret, None);
    assert!(config.extra_ports.is_empty());
}

#[test]
fn an_extra_port_equal_to_the_main_one_is_dropped() {
    let config = read(&[("EXTRA_PORTS", "8082, 8080,8082"), ("BIND_ADDRESS", "127.0.0.1")]).unwrap();
    let listen: Vec<_> = config.listen_addresses().map(|address| address.to_string()).collect();
    assert_eq!(listen, ["127.0.0.1:8080", "127.0.0.1:8082"]);
}

#[test]
fn logs_can_be_chosen() {
    let config = read(&[("LOG_FORMAT", "json"), ("LOG_LEVEL", "info,node=debug")]).unwrap();
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.log_level, "info,node=debug");
}

#[test]
fn a_complaint_names_variable_value_and_expectation() {
    let cases = [
        ("SOCKET_ADDRESS", "node1:8080", "ip:port"),
        ("SOCKET_ADDRESS", "10.10.0.2", "ip:port"),
        ("SOCKET_ADDRESS", "10.10.0.2:0", "ip:port"),
        ("VIEW", "10.10.0.2:8080,node2:8080", "comma-separated list of ip:port"),
        ("VIEW", "10.10.0.3:8080", "contains SOCKET_ADDRESS (10.10.0.2:8080)"),
        ("SHARD_COUNT", "0", "a positive integer"),
        ("SHARD_COUNT", "-1", "a positive integer"),
        ("SHARD_COUNT", "two", "a positive integer"),
        ("SHARD_COUNT", "3", "at most 2 for the 4 nodes in VIEW"),
        ("API_DIALECT", "2020", "2019, 2021 or auto"),
        ("BIND_ADDRESS", "localhost", "an IP address"),
        ("EXTRA_PORTS", "8082,x", "a comma-separated list of ports"),
        ("EXTRA_PORTS", "70000", "a comma-separated list of ports"),
        ("BODY_LIMIT_BYTES", "1MB", "a positive integer"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("LOG_LEVEL", "node=loud", "tracing directives"),
    ];
    for (name, value, expected) in cases {
        let line = complaint(&[(name, value)]);
        assert!(line.starts_with(&format!("{name}={value:?}: expected ")), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn address_and_view_are_required() {
    assert_eq!(complaint(&[("SOCKET_ADDRESS", "")]), "SOCKET_ADDRESS is not set: expected ip:port");
    assert!(complaint(&[("VIEW", "")]).starts_with("VIEW is not set: expected "));
}

#[test]
fn one_shard_may_begin_with_one_node() {
    let config = read(&[("VIEW", "10.10.0.2:8080"), ("SHARD_COUNT", "1")]).unwrap();
    assert_eq!(config.shard_count, Some(1));
}

#[cfg(feature = "planted")]
#[test]
fn a_bug_is_planted_by_its_name_and_an_unknown_one_is_refused() {
    let config = read(&[("PLANTED_BUG", "CollectByAge")]).unwrap();
    assert_eq!(config.planted_bug, Some(node_core::Bug::CollectByAge));
    assert_eq!(read(&[]).unwrap().planted_bug, None);
    let line = complaint(&[("PLANTED_BUG", "Collect")]);
    assert!(line.contains("PLANTED_BUG=\"Collect\": expected one of AcknowledgeBeforeSync, "), "{line}");
}

#[cfg(not(feature = "planted"))]
#[test]
fn nothing_can_be_planted() {
    assert_eq!(read(&[("PLANTED_BUG", "CollectByAge")]), read(&[]));
    assert_eq!(read(&[("PLANTED_BUG", "unheard of")]), read(&[]));
}
