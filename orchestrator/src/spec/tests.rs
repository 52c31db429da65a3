//! Every wrong input with its exact message.

use std::fs;
use std::path::Path;

use super::{ClusterSpec, locate};

/// The start of a file that is right, lines 1 and 2; what follows is on trial.
fn problems(text: &str) -> String {
    match ClusterSpec::parse(text, "cluster.yaml", None) {
        Ok(spec) => panic!("accepted: {spec:?}"),
        Err(error) => error.to_string(),
    }
}

fn with_nodes(lines: &str) -> String {
    format!("shards: 1\nnodes:\n{lines}")
}

const NODE1: &str = "  - { name: node1, address: 10.10.0.2, host_port: 8082 }\n";

#[test]
fn the_built_in_file_is_the_cluster_of_the_course() {
    let located = locate(None, Path::new("/")).expect("built-in");
    assert_eq!(located.origin, "built-in cluster.yaml");
    let spec = located.spec;
    assert_eq!((spec.name.as_str(), spec.shards, spec.port, spec.dialect.as_str()), ("kv", Some(2), 8080, "2019"));
    assert_eq!((spec.image.name.as_str(), spec.image.build), ("assignment4-img", None));
    assert_eq!((spec.network.name.as_str(), spec.network.subnet.to_string().as_str()), ("mynet", "10.10.0.0/16"));
    assert_eq!((spec.limits.memory_bytes, spec.limits.pids), (256 << 20, 256));
    let nodes: Vec<_> =
        spec.nodes.iter().map(|n| (n.name.as_str(), n.address.to_string(), n.host_port, n.ungrouped)).collect();
    assert_eq!(nodes.len(), 7);
    assert_eq!(nodes[0], ("node1", "10.10.0.2".to_owned(), 8082, false));
    assert_eq!(nodes[6], ("node7", "10.10.0.8".to_owned(), 8088, true));
}

#[test]
fn everything_but_the_nodes_has_a_default() {
    let built_in = locate(None, Path::new("/")).expect("built-in").spec;
    let lines: String = built_in
        .nodes
        .iter()
        .map(|n| {
            format!(
                "  - {{ name: {}, address: {}, host_port: {}, ungrouped: {} }}\n",
                n.name, n.address, n.host_port, n.ungrouped
            )
        })
        .collect();
    assert_eq!(ClusterSpec::parse(&format!("nodes:\n{lines}"), "f", None), Ok(built_in));
}

#[test]
fn a_nodes_env_is_stronger_than_the_files() {
    let text =
        "shards: 1\nenv: { A: 1, B: 2 }\nnodes:\n  - { name: n, address: 10.10.0.2, host_port: 8082, env: { B: 3 } }\n";
    let spec = ClusterSpec::parse(text, "f", None).expect("valid");
    let env: Vec<_> = spec.nodes[0].env.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(env, ["A=1", "B=3"]);
}

#[test]
fn unknown_keys_come_with_a_suggestion() {
    let text = with_nodes("  - { name: node1, address: 10.10.0.2, port: 8082, host_port: 8082 }\n");
    assert_eq!(problems(&text), "cluster.yaml:3:40 nodes[0].port: unknown key; did you mean `host_port`?");
    let text = format!("shard: 2\n{}", with_nodes(NODE1));
    assert_eq!(problems(&text), "cluster.yaml:1:1 shard: unknown key; did you mean `shards`?");
    let text = format!("colour: red\n{}", with_nodes(NODE1));
    let known = "name, image, network, shards, dialect, port, secret, env, limits, nodes";
    assert_eq!(problems(&text), format!("cluster.yaml:1:1 colour: unknown key; known keys: {known}"));
    let text = format!("network: {{ subnett: 10.10.0.0/16 }}\n{}", with_nodes(NODE1));
    assert_eq!(problems(&text), "cluster.yaml:1:12 network.subnett: unknown key; did you mean `subnet`?");
}

#[test]
fn wrong_types_say_what_is_expected_and_what_was_found() {
    for (line, message) in [
        ("port: eighty", "cluster.yaml:1:7 port: expected a port from 1 to 65535, found `eighty`"),
        ("port: 70000", "cluster.yaml:1:7 port: expected a port from 1 to 65535, found `70000`"),
        ("port: [8080]", "cluster.yaml:1:7 port: expected a port from 1 to 65535, found a list"),
        ("dialect: \"2020\"", "cluster.yaml:1:10 dialect: expected \"2019\" or \"2021\", found `2020`"),
        ("network: mynet", "cluster.yaml:1:10 network: expected a mapping, found `mynet`"),
        (
            "network: { subnet: 10.10 }",
            "cluster.yaml:1:20 network.subnet: expected a subnet such as 10.10.0.0/16, found `10.10`",
        ),
        (
            "network: { subnet: 10.10.0.0/30 }",
            "cluster.yaml:1:20 network.subnet: 10.10.0.0/30 is too small; /28 at least",
        ),
        (
            "limits: { memory: lots }",
            "cluster.yaml:1:19 limits.memory: expected a size from 6MiB such as 256MiB, found `lots`",
        ),
        ("limits: { pids: 0 }", "cluster.yaml:1:17 limits.pids: expected a number from 1, found `0`"),
        ("env: { A: { B: C } }", "cluster.yaml:1:11 env.A: expected a string, found a mapping"),
        ("secret: ''", "cluster.yaml:1:9 secret: expected a text that is not empty"),
        ("secret: [hush]", "cluster.yaml:1:9 secret: expected a text that is not empty"),
        ("secret: 0x1F", "cluster.yaml:1:9 secret: expected a text that is not empty"),
        (
            "env: { CLUSTER_SECRET: hush }",
            "cluster.yaml:1:24 env.CLUSTER_SECRET: belongs into `secret`, which nothing prints",
        ),
        (
            "name: my project",
            "cluster.yaml:1:7 name: `my project` is no name: up to 63 letters, digits, `-`, `_`, `.`, the first a letter or digit",
        ),
    ] {
        assert_eq!(problems(&format!("{line}\n{}", with_nodes(NODE1))), message, "{line}");
    }
    assert_eq!(
        problems("shards: 0\nnodes: []\n").lines().next(),
        Some("cluster.yaml:1:9 shards: expected a number from 1, found `0`")
    );
    assert_eq!(
        problems("shards: 1\nnodes: node1\n").lines().last(),
        Some("cluster.yaml:2:8 nodes: expected a list, found `node1`")
    );
}

#[test]
fn missing_fields_are_named() {
    let text = with_nodes("  - { name: node1, host_port: 8082 }\n");
    let expected = "cluster.yaml:3:5 nodes[0].address: is missing; expected an address such as 10.10.0.2";
    assert!(problems(&text).lines().any(|line| line == expected), "{}", problems(&text));
    assert!(
        problems("name: kv\n")
            .lines()
            .any(|line| line == "cluster.yaml:1:1 nodes: is missing; expected a list of nodes")
    );
    assert_eq!(problems(""), "cluster.yaml:1:1 nodes: is missing; expected a list of nodes");
}

#[test]
fn duplicates_name_the_other_one() {
    let second = |line: &str| problems(&with_nodes(&format!("{NODE1}{line}\n")));
    assert_eq!(
        second("  - { name: node1, address: 10.10.0.3, host_port: 8083 }"),
        "cluster.yaml:4:13 nodes[1].name: duplicate name `node1`, also that of nodes[0]"
    );
    assert_eq!(
        second("  - { name: node2, address: 10.10.0.2, host_port: 8083 }"),
        "cluster.yaml:4:29 nodes[1].address: duplicate address `10.10.0.2`, also that of nodes[0]"
    );
    assert_eq!(
        second("  - { name: node2, address: 10.10.0.3, host_port: 8082 }"),
        "cluster.yaml:4:51 nodes[1].host_port: duplicate host_port `8082`, also that of nodes[0]"
    );
    let text = format!("port: 1\nport: 2\n{}", with_nodes(NODE1));
    assert_eq!(problems(&text), "cluster.yaml:2:1 port: duplicate key, also in line 1");
}

#[test]
fn addresses_lie_in_the_static_half_of_the_subnet() {
    let at =
        |address: &str| problems(&with_nodes(&format!("  - {{ name: n, address: {address}, host_port: 8082 }}\n")));
    assert_eq!(at("10.11.0.2"), "cluster.yaml:3:25 nodes[0].address: 10.11.0.2 is not in the subnet 10.10.0.0/16");
    assert_eq!(
        at("10.10.0.1"),
        "cluster.yaml:3:25 nodes[0].address: 10.10.0.1 is taken by the network itself; the first free address is 10.10.0.2"
    );
    assert_eq!(
        at("10.10.128.2"),
        "cluster.yaml:3:25 nodes[0].address: 10.10.128.2 is in 10.10.128.0/17, the half kept for dynamic addresses"
    );
}

#[test]
fn every_shard_needs_two_nodes() {
    let text = format!("shards: 2\nnodes:\n{NODE1}");
    let expected = "cluster.yaml:1:9 shards: 2 shards need at least 4 grouped nodes (two each), but the file has 1";
    assert_eq!(problems(&text), expected);
}

#[test]
fn text_that_is_no_yaml_has_a_place_too() {
    let message = problems("nodes: [\n");
    assert!(message.starts_with("cluster.yaml:2:"), "{message}");
    assert!(message.contains("not valid YAML"), "{message}");
}

#[test]
fn what_is_more_yaml_than_a_cluster_file_needs_is_told() {
    for (line, message) in [
        ("env: &shared { A: B }", "cluster.yaml:1:14: anchors are not supported"),
        ("name: !!str kv", "cluster.yaml:1:13: tags are not supported"),
        ("? [name]\n: kv", "cluster.yaml:1:3: a key must be a plain word"),
    ] {
        assert_eq!(problems(&format!("{line}\n{}", with_nodes(NODE1))), message, "{line}");
    }
    let two = problems(&format!("{}---\n{}", with_nodes(NODE1), with_nodes(NODE1)));
    assert!(two.contains("more than one document"), "{two}");
}

#[test]
fn a_text_is_as_it_is_spelled() {
    let text = "shards: 1\nname: 7\ndialect: 2021\nlimits: { memory: 268435456 }\n\
                env: { A: 1.5, B: true, C: 007, D: yes, E: '1.10', F: \"\" }\nnodes:\n";
    let spec = ClusterSpec::parse(&format!("{text}{NODE1}"), "f", None).expect("valid");
    assert_eq!((spec.name.as_str(), spec.dialect.as_str(), spec.limits.memory_bytes), ("7", "2021", 256 << 20));
    let env: Vec<&str> = spec.env.values().map(String::as_str).collect();
    assert_eq!(env, ["1.5", "true", "007", "yes", "1.10", ""]);
    for (value, found) in [("1.10", "`1.10`"), ("0x1F", "`0x1F`"), ("True", "`True`")] {
        let message = format!("cluster.yaml:1:11 env.A: expected a string in quotes, found {found}");
        assert_eq!(problems(&format!("env: {{ A: {value} }}\n{}", with_nodes(NODE1))), message);
    }
    for (line, message) in [
        ("env: { A: ~ }", "cluster.yaml:1:11 env.A: expected a string, found nothing"),
        ("port: \"8080\"", "cluster.yaml:1:7 port: expected a port from 1 to 65535, found `8080`"),
    ] {
        assert_eq!(problems(&format!("{line}\n{}", with_nodes(NODE1))), message);
    }
}

#[test]
fn all_problems_are_told_in_the_order_of_the_file() {
    let text = "nodes:\n  - { name: n, address: x, host_port: 0 }\nshards: none\n";
    let places: Vec<String> =
        problems(text).lines().map(|l| l.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(places, ["cluster.yaml:2:25", "cluster.yaml:2:39", "cluster.yaml:3:9"]);
}

#[test]
fn the_nearest_file_upward_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).expect("folders");
    fs::write(folder.path().join("cluster.yaml"), format!("name: found\n{}", with_nodes(NODE1))).expect("a file");
    let located = locate(None, &deep).expect("valid");
    assert_eq!(located.spec.name, "found");
    assert_eq!(located.spec.image.build, Some(folder.path().join(".")));
}

#[test]
fn a_missing_file_is_named() {
    let error = locate(Some(Path::new("other.yaml")), Path::new("/nowhere")).expect_err("missing").to_string();
    assert!(error.starts_with("other.yaml: no such file"), "{error}");
}

#[test]
fn another_subnet_keeps_every_nodes_place() {
    let spec = locate(None, Path::new("/")).expect("built-in").spec;
    let moved = spec.clone().moved_to("10.77.3.0/24".parse().expect("a subnet")).expect("fits");
    let addresses: Vec<String> = moved.nodes.iter().map(|node| node.address.to_string()).collect();
    assert_eq!(addresses.first().map(String::as_str), Some("10.77.3.2"));
    assert_eq!(addresses.last().map(String::as_str), Some("10.77.3.8"));
    assert_eq!(moved.network.dynamic_range().to_string(), "10.77.3.128/25");
    let error = spec.moved_to("10.77.3.0/29".parse().expect("a subnet")).expect_err("too small");
    assert!(error.starts_with("10.77.3.0/29 is too small: node3"), "{error}");
}
