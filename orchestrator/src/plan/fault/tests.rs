//! What becomes of a node in each of its states.

use std::path::Path;

use super::*;
use crate::observed::{Made, ObservedVolume};
use crate::spec::locate;

fn spec() -> ClusterSpec {
    locate(None, Path::new("/")).expect("built-in").spec
}

fn node(spec: &ClusterSpec, name: &str, state: NodeState) -> ObservedNode {
    let Launch { config, env, .. } = Launch::of(spec, spec.node(name).expect("in the file"), Addressing::Network);
    ObservedNode {
        id: format!("id-{name}"),
        state,
        image_name: "image".to_owned(),
        address: Some(*config.socket.ip()),
        port: Some(config.socket.port()),
        host_port: Some(config.host_port),
        made: Some(Made { memory_bytes: Some(1), pids: Some(2), env, ..Made::default() }),
        ..ObservedNode::gone(name)
    }
}

fn volume(name: &str) -> ObservedVolume {
    ObservedVolume { name: name.to_owned(), project: Some("kv".to_owned()), socket: None }
}

/// What `fault` does to node1 in `state`: one word per operation, or the refusal.
fn done(fault: Fault, state: NodeState) -> Result<Vec<String>, String> {
    let spec = spec();
    let volumes = vec![volume("kv-node1")];
    let observed = Observed { nodes: vec![node(&spec, "node1", state)], volumes, ..Observed::default() };
    let scene = Scene { spec: &spec, addressing: Addressing::Network, observed: &observed };
    let plan = scene.plan(fault, &["node1".to_owned()]).map_err(|failure| failure.to_string())?;
    Ok(plan.operations().map(ToString::to_string).collect())
}

#[test]
fn what_is_so_already_needs_nothing() {
    for (fault, state) in [
        (Fault::Kill, NodeState::Stopped),
        (Fault::Stop, NodeState::Stopped),
        (Fault::Start, NodeState::Running),
        (Fault::Resume, NodeState::Running),
        (Fault::Pause, NodeState::Paused),
    ] {
        assert_eq!(done(fault, state), Ok(Vec::new()), "{fault:?} {state:?}");
    }
}

#[test]
fn a_paused_node_is_resumed_so_that_it_can_stop() {
    assert_eq!(done(Fault::Stop, NodeState::Running), Ok(vec!["stop node1".to_owned()]));
    assert_eq!(done(Fault::Stop, NodeState::Paused), Ok(vec!["resume node1".to_owned(), "stop node1".to_owned()]));
    assert_eq!(done(Fault::Kill, NodeState::Paused), Ok(vec!["kill node1".to_owned()]));
}

#[test]
fn what_cannot_be_done_is_refused_with_what_would_help() {
    for (fault, state, remedy) in [
        (Fault::Pause, NodeState::Stopped, "fault start node1"),
        (Fault::Resume, NodeState::Stopped, "fault start node1"),
        (Fault::Start, NodeState::Paused, "fault resume node1"),
    ] {
        let refusal = done(fault, state).expect_err("a refusal");
        assert!(refusal.contains(remedy), "{refusal}");
    }
}

#[test]
fn a_wiped_container_is_made_anew_and_left_stopped() {
    let expected = ["remove node1", "remove volume kv-node1", "create volume kv-node1", "create node1"];
    assert_eq!(done(Fault::Wipe, NodeState::Running).expect("a plan"), expected);
    // Of somebody else's image there is no volume.
    let spec = spec();
    let observed = Observed { nodes: vec![node(&spec, "node1", NodeState::Running)], ..Observed::default() };
    let scene = Scene { spec: &spec, addressing: Addressing::Network, observed: &observed };
    let plan = scene.plan(Fault::Wipe, &["node1".to_owned()]).expect("a plan");
    assert_eq!(plan.operations().map(ToString::to_string).collect::<Vec<_>>(), ["remove node1", "create node1"]);
}

#[test]
fn a_node_starts_as_it_was_started_before_whatever_the_file_says() {
    let spec = spec();
    let mut added = node(&spec, "node1", NodeState::Stopped);
    "node8".clone_into(&mut added.name);
    added.address = "10.10.0.9".parse().ok();
    let (socket, env) = (added.socket().expect("a socket"), added.made.clone().expect("its environment").env);
    let expected = NodeConfig { socket, host_port: 8082, memory_bytes: 1, pids: 2 };
    let observed = Observed { nodes: vec![added], ..Observed::default() };
    let scene = Scene { spec: &spec, addressing: Addressing::Network, observed: &observed };
    let plan = scene.plan(Fault::Start, &["node8".to_owned()]).expect("a plan");
    let Some(Operation::StartNode { launch }) = plan.operations().next() else { panic!("{plan:?}") };
    assert_eq!((&launch.config, &launch.env, launch.image.as_deref()), (&expected, &env, Some("image")));
}

#[test]
fn a_process_that_ended_can_be_mended_and_one_that_only_left_data_cannot() {
    let spec = spec();
    let volumes = vec![volume("kv-node1"), volume("kv-node2")];
    let observed = Observed { volumes, ended: vec!["node2".to_owned()], ..Observed::default() };
    let scene = Scene { spec: &spec, addressing: Addressing::Loopback, observed: &observed };
    assert_eq!(scene.mending(), [(Fault::Start, "node2".to_owned())]);
    let plan = scene.plan(Fault::Wipe, &["node2".to_owned()]).expect("a plan");
    let expected = ["remove volume kv-node2", "create volume kv-node2"];
    assert_eq!(plan.operations().map(ToString::to_string).collect::<Vec<_>>(), expected);
    let failure = scene.plan(Fault::Start, &["node1".to_owned()]).expect_err("no node1").to_string();
    assert!(failure.contains("orchestrator up node1"), "{failure}");
}
