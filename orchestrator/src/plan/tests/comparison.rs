//! By what a node that is there counts as another than the wanted one.

use super::*;

/// Why node1 is made anew, once `change` is done to it; `None` when it is left alone.
fn cause(change: impl FnOnce(&mut ObservedNode, &mut Made)) -> Option<String> {
    cause_among(&spec(), &complete(&spec()), change)
}

fn cause_among(
    spec: &ClusterSpec,
    observed: &Observed,
    change: impl FnOnce(&mut ObservedNode, &mut Made),
) -> Option<String> {
    let mut observed = observed.clone();
    let node = &mut observed.nodes[0];
    let mut made = node.made.take().expect("what it is made with");
    change(node, &mut made);
    node.made = Some(made);
    let steps = planned(&desired(spec), &observed);
    let mut causes = steps.iter().map(|step| step.split_once("node1: ").expect("a step of node1").1);
    let cause = causes.next()?;
    assert!(steps.len() == 4 && causes.all(|other| other == cause), "{steps:?}");
    Some(cause.to_owned())
}

fn set(map: &mut BTreeMap<String, String>, name: &str, value: &str) {
    map.insert(name.to_owned(), value.to_owned());
}

#[test]
fn each_field_that_differs_is_told() {
    let is = |cause: Option<String>, expected: &str| assert_eq!(cause.as_deref(), Some(expected));
    is(cause(|node, _| node.address = "10.10.0.9".parse().ok()), "address 10.10.0.9 → 10.10.0.2");
    is(cause(|node, _| node.address = None), "address none → 10.10.0.2");
    is(cause(|node, _| node.port = Some(80)), "port 80 → 8080");
    is(cause(|node, _| node.host_port = Some(80)), "host port 80 → 8082");
    is(cause(|_, made| made.memory_bytes = Some(1)), "memory limit 1 → 268435456");
    is(cause(|_, made| made.pids = None), "pids limit none → 256");
    is(cause(|_, made| made.mounts.clear()), "mount /data none → kv-node1");
    is(cause(|_, made| set(&mut made.mounts, "/tmp", "/home")), "mount /tmp /home → none");
    is(cause(|_, made| set(&mut made.env, "MINE", "hush")), "env MINE differs");
    is(cause(|_, made| set(&mut made.env, "DATA_DIR", "/elsewhere")), "env DATA_DIR differs");
    is(cause(|_, made| drop(made.env.remove("API_DIALECT"))), "env API_DIALECT differs");
    is(cause(|_, made| set(&mut made.env, "EXTRA_PORTS", "1")), "env EXTRA_PORTS differs");
    is(cause(|_, made| set(&mut made.env, "CLUSTER_SECRET", "hush")), "secret differs");
    is(cause(|node, _| node.image = "image0".to_owned()), "the image differs");
    let two = cause(|node, made| {
        node.host_port = Some(80);
        set(&mut made.env, "EXTRA_PORTS", "80");
        made.pids = Some(1);
    });
    is(two, "host port 80 → 8082, pids limit 1 → 256");
}

#[test]
fn what_a_node_needs_at_its_first_start_or_has_of_its_engine_is_no_difference() {
    for name in ["VIEW", "SHARD_COUNT", "PATH", "container"] {
        assert_eq!(cause(|_, made| set(&mut made.env, name, "another")), None, "{name}");
    }
}

#[test]
fn what_another_image_gives_is_no_difference_of_the_node() {
    let (spec, mut observed) = (spec(), complete(&spec()));
    observed.nodes.truncate(1);
    observed.image = Some(ObservedImage { id: "image2".to_owned(), env: BTreeMap::new(), ..image() });
    let mut steps = planned(&Desired { nodes: vec![&spec.nodes[0]], ..desired(&spec) }, &observed);
    assert_eq!(steps.pop().as_deref(), Some("start node1: the image differs"));
}

#[test]
fn a_foreign_image_has_no_volume() {
    let (spec, mut observed) = (spec(), complete(&spec()));
    observed.image = Some(ObservedImage { content: None, ours: false, ..image() });
    let desired = Desired { content: None, nodes: vec![&spec.nodes[0]], ..desired(&spec) };
    assert!(planned(&desired, &observed)[0].ends_with(": mount /data kv-node1 → none"));
    observed.nodes[0].made.as_mut().expect("what it is made with").mounts.clear();
    assert!(planned(&desired, &observed).is_empty());
}

#[test]
fn a_process_has_no_limits_and_no_mounts() {
    let spec = spec();
    let Launch { config, env, .. } = Launch::of(&spec, &spec.nodes[0], Addressing::Loopback);
    let process = ObservedNode {
        address: Some(*config.socket.ip()),
        port: Some(config.socket.port()),
        host_port: Some(config.host_port),
        made: Some(Made { env, ..Made::default() }),
        ..node(&spec, "node1")
    };
    let image = Some(ObservedImage { env: BTreeMap::new(), ..image() });
    let observed = Observed { nodes: vec![process], image, ..complete(&spec) };
    let desired = Desired { addressing: Addressing::Loopback, nodes: vec![&spec.nodes[0]], ..desired(&spec) };
    let moved = [volume("kv-node1", Some("kv"), None)];
    assert!(planned(&desired, &Observed { volumes: moved.to_vec(), ..observed }).is_empty());
}
