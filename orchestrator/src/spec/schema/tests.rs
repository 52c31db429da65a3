//! The schema says what the reader does: the same keys, the same defaults, and of files yes and no alike.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::SCHEMA;
use crate::spec::ClusterSpec;
use crate::spec::located::BUILT_IN;
use crate::spec::source::{IMAGE, LIMITS, NETWORK, NODE, TOP};

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("JSON")
}

fn read(text: &str) -> Option<ClusterSpec> {
    ClusterSpec::parse(text, "cluster.yaml", Some(Path::new("/clone"))).ok()
}

fn valid(text: &str) -> bool {
    jsonschema::is_valid(&schema(), &serde_yaml::from_str(text).expect("YAML"))
}

fn nodes() -> Vec<Value> {
    let node = |n| json!({"name": format!("node{n}"), "address": format!("10.10.0.{n}"), "host_port": 8000 + n});
    (2..6).map(node).collect()
}

/// A file with these lines, and as many nodes as it needs.
fn with(lines: &str) -> String {
    format!("{lines}\n{}", serde_yaml::to_string(&json!({"nodes": nodes()})).expect("YAML"))
}

/// Every mapping of the file whose keys are known, and what the reader knows.
const MAPPINGS: [(&str, &[&str]); 5] = [
    ("", TOP),
    ("/properties/image", IMAGE),
    ("/properties/network", NETWORK),
    ("/properties/limits", LIMITS),
    ("/properties/nodes/items", NODE),
];

#[test]
fn the_schema_has_the_readers_keys_and_no_others() {
    let schema = schema();
    for (place, known) in MAPPINGS {
        let mapping = schema.pointer(place).expect(place);
        let keys: Vec<&String> = mapping["properties"].as_object().expect(place).keys().collect();
        assert_eq!(keys, known, "{place}");
        assert_eq!(mapping["additionalProperties"], false, "{place}");
        assert_eq!(mapping["type"], "object", "{place}");
    }
}

#[test]
fn every_field_is_described() {
    fn describes(place: &str, schema: &Value) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            if *field == Value::Bool(false) {
                continue;
            }
            let words = field["description"].as_str().unwrap_or_default();
            assert!(words.ends_with('.'), "{place}.{name}: {words}");
            describes(&format!("{place}.{name}"), field);
            describes(&format!("{place}.{name}[]"), &field["items"]);
        }
    }
    describes("", &schema());
}

#[test]
fn the_defaults_are_the_readers() {
    let schema = schema();
    let nodes = nodes();
    let file = |fields: &Map<String, Value>, nodes: &[Value]| {
        let mut file = fields.clone();
        file.insert("nodes".to_owned(), nodes.into());
        read(&serde_yaml::to_string(&file).expect("YAML")).expect("valid")
    };
    let bare = file(&Map::new(), &nodes);

    let fields = |place: &str| schema.pointer(place).and_then(Value::as_object).expect("properties").clone();
    let default = |(name, field): (String, Value)| Some((name, field.get("default")?.clone()));
    let defaults: Map<String, Value> = fields("/properties").into_iter().filter_map(default).collect();
    assert_eq!(file(&defaults, &nodes), bare);
    let without: Vec<&str> = TOP.iter().copied().filter(|key| !defaults.contains_key(*key)).collect();
    assert_eq!(without, ["secret", "nodes"]);

    let of_node: Map<String, Value> =
        fields("/properties/nodes/items/properties").into_iter().filter_map(default).collect();
    assert_eq!(of_node.keys().collect::<Vec<_>>(), ["ungrouped", "env"]);
    let written = nodes.iter().map(|node| {
        let mut node = node.as_object().expect("a node").clone();
        node.extend(of_node.clone());
        Value::from(node)
    });
    assert_eq!(file(&Map::new(), &written.collect::<Vec<_>>()), bare);

    // A mapping that is there in part has the rest of its defaults; only an image that is named need not be built.
    for (name, whole) in defaults.iter().filter(|(name, _)| ["image", "network", "limits"].contains(&name.as_str())) {
        for (key, field) in fields(&format!("/properties/{name}/properties")) {
            assert_eq!(field.get("default"), whole.get(&key).filter(|_| key != "build"), "{name}.{key}");
        }
        let parts = Map::from_iter([(name.clone(), json!({}))]);
        let mut expected = bare.clone();
        if name == "image" {
            expected.image.build = None;
        }
        assert_eq!(file(&parts, &nodes), expected, "{name}");
    }
}

#[test]
fn the_committed_file_fits_and_names_its_schema() {
    assert!(valid(BUILT_IN));
    let path = BUILT_IN.lines().find_map(|line| line.strip_prefix("# yaml-language-server: $schema=")).expect("a path");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    assert_eq!(std::fs::read_to_string(root.join(path)).expect(path), SCHEMA);
}

#[test]
fn what_the_reader_takes_fits() {
    for lines in [
        "",
        "name: 7\ndialect: 2021",
        "dialect: '2021'\nimage: { build: .. }\nnetwork: { subnet: 10.10.0.0/28 }\nport: 65535",
        "limits: { memory: 268435456, pids: 1 }",
        "limits: { memory: 1 GB }",
        "limits: { memory: 512m }",
        "env: { A: 1.5, B: true, C: yes, D: '' }\nsecret: 7",
    ] {
        let text = with(lines);
        assert!(read(&text).is_some() && valid(&text), "{text}");
    }
}

#[test]
fn what_the_reader_refuses_for_its_shape_does_not_fit() {
    for line in [
        "colour: red",
        "image: { from: here }",
        "image: here",
        "network: mynet",
        "network: { subnett: 10.10.0.0/16 }",
        "network: { subnet: 10.10 }",
        "network: { subnet: 10.10.0.0/30 }",
        "name: my project",
        "name: [kv]",
        "shards: 0",
        "shards: two",
        "dialect: '2020'",
        "port: eighty",
        "port: 70000",
        "port: '8080'",
        "secret: ''",
        "secret: [hush]",
        "env: { A: { B: C } }",
        "env: { A: ~ }",
        "env: { CLUSTER_SECRET: hush }",
        "limits: { memory: lots }",
        "limits: { memory: 1024 }",
        "limits: { memory: 1.5g }",
        "limits: { pids: 0 }",
        "limits: { cpus: 2 }",
    ] {
        let text = with(line);
        assert!(read(&text).is_none() && !valid(&text), "{text}");
    }
    for nodes in [
        "node1",
        "[]",
        "[node1]",
        "[{ name: node1, address: 10.10.0.2 }]",
        "[{ name: node1, host_port: 8082 }]",
        "[{ address: 10.10.0.2, host_port: 8082 }]",
        "[{ name: node1, address: 10.10.0, host_port: 8082 }]",
        "[{ name: node1, address: 10.10.0.2, host_port: 0 }]",
        "[{ name: node1, address: 10.10.0.2, host_port: 8082, ungrouped: maybe }]",
        "[{ name: node1, address: 10.10.0.2, host_port: 8082, port: 1 }]",
    ] {
        let text = format!("shards: 1\nnodes: {nodes}\n");
        assert!(read(&text).is_none() && !valid(&text), "{text}");
    }
    assert!(read("shards: 1\n").is_none() && !valid("shards: 1\n"));
}
