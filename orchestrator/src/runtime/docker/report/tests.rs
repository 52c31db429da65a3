//! What is read from an engine's own words.

use serde_json::{Value, json};

use super::*;

const CONFIG: &str = r#"{"socket":"10.10.0.2:8080","host_port":8082,"memory_bytes":268435456,"pids":256}"#;

fn labels(config: Option<&str>) -> Value {
    let mut labels = json!({"orchestrator.project": "kv", "orchestrator.node": "node1"});
    if let Some(config) = config {
        labels["orchestrator.config"] = config.into();
    }
    labels
}

fn networks(address: &str) -> Value {
    json!({"mynet": {"IPAMConfig": {"IPv4Address": address}, "IPAddress": ""}})
}

/// As Docker 20.10 lists a container that does not run.
fn stopped(config: Option<&str>) -> Value {
    json!({
        "Id": "id", "Names": ["/node1"], "Image": "image", "ImageID": "sha256:1", "State": "exited", "Ports": [],
        "Labels": labels(config), "NetworkSettings": {"Networks": networks("10.10.0.2")},
    })
}

fn node(listed: Value) -> ObservedNode {
    super::listed(&serde_json::from_value(listed).expect("a listed container")).expect("a node")
}

/// As it inspects it.
fn container(config: Option<&str>) -> Value {
    json!({
        "Config": {"Env": ["A=b=c", "D="], "Labels": labels(config)},
        "HostConfig": {
            "Memory": 268_435_456, "PidsLimit": 256,
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8082"}]},
        },
        "Mounts": [
            {"Type": "volume", "Name": "kv-node1", "Source": "/var/lib/docker/volumes/1", "Destination": "/data"},
            {"Type": "volume", "Name": "7c46a7579c07d7873cfdec5dc1c0ceb2f651482067215d30fd40fcbc04d5e263", "Destination": "/x"},
            {"Type": "bind", "Source": "/home", "Destination": "/tmp"},
        ],
        "NetworkSettings": {"Networks": networks("10.10.0.2")},
    })
}

fn inspected(config: Option<&str>, container: Value) -> ObservedNode {
    super::inspected(node(stopped(config)), serde_json::from_value(container).expect("an inspected container"))
}

fn place(node: &ObservedNode) -> (Option<String>, Option<u16>) {
    (node.socket().map(|socket| socket.to_string()), node.host_port)
}

#[test]
fn a_container_is_known_whatever_its_label_says_of_it() {
    let here = (Some("10.10.0.2:8080".to_owned()), Some(8082));
    let older = r#"{"socket":"10.9.9.9:1","dialect":"2019","env":{"A":"b"}}"#;
    for config in [Some(CONFIG), Some(older), Some("no JSON"), None] {
        let node = inspected(config, container(config));
        assert_eq!(place(&node), here, "{config:?}");
        let made = node.made.expect("what it is made with");
        assert_eq!((made.memory_bytes, made.pids), (Some(268_435_456), Some(256)));
        assert_eq!(made.env, variables(Some(vec!["D=".to_owned(), "A=b=c".to_owned()])));
        let mounts = [("/data", "kv-node1"), ("/tmp", "/home")].map(|(path, from)| (path.to_owned(), from.to_owned()));
        assert_eq!(made.mounts, BTreeMap::from(mounts));

        let mut running = stopped(config);
        running["State"] = "running".into();
        running["Ports"] = json!([
            {"PrivatePort": 80, "Type": "tcp"},
            {"IP": "127.0.0.1", "PrivatePort": 8080, "PublicPort": 8082, "Type": "tcp"},
        ]);
        assert_eq!(place(&self::node(running)), here, "{config:?}");
    }
    // A listing tells no ports of what does not run.
    assert_eq!(place(&node(stopped(Some(CONFIG)))), here);
    assert_eq!(place(&node(stopped(None))), (None, None));
}

#[test]
fn a_limit_that_the_engine_dropped_is_as_it_was_asked_for() {
    for none in [json!(0), json!(-1), Value::Null] {
        let mut container = container(Some(CONFIG));
        container["HostConfig"]["Memory"] = none.clone();
        container["HostConfig"]["PidsLimit"] = none;
        let limits = |config, container: &Value| {
            let made = inspected(config, container.clone()).made.expect("what it is made with");
            (made.memory_bytes, made.pids)
        };
        assert_eq!(limits(Some(CONFIG), &container), (Some(268_435_456), Some(256)));
        container["Config"]["Labels"] = labels(None);
        assert_eq!(limits(None, &container), (None, None));
    }
}

#[test]
fn a_container_without_ports_or_network_has_none_whatever_was_asked_for() {
    let mut container = container(Some(CONFIG));
    container["HostConfig"]["PortBindings"] = json!({});
    container["NetworkSettings"]["Networks"] = json!({});
    let node = inspected(Some(CONFIG), container);
    assert_eq!((node.address, node.port, node.host_port), (None, None, None));
}

#[test]
fn an_address_that_was_given_and_not_requested_is_an_address() {
    let mut container = container(Some(CONFIG));
    container["NetworkSettings"]["Networks"] = json!({"mynet": {"IPAMConfig": null, "IPAddress": "10.10.128.1"}});
    assert_eq!(inspected(Some(CONFIG), container.clone()).address, "10.10.128.1".parse().ok());
    container["NetworkSettings"]["Networks"]["mynet"]["IPAddress"] = "".into();
    assert_eq!(inspected(Some(CONFIG), container).address, "10.10.0.2".parse().ok());
}
