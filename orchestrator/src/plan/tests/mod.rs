//! What is planned, without an engine.

mod comparison;
mod conflicts;
mod removal;
mod up;

use std::collections::BTreeMap;
use std::path::Path;

use super::{Desired, Operation, Plan, Removal, Step, plan, plan_build, plan_removal, plan_subnet, volume_name};
use crate::failure::Conflict;
use crate::launch::{Addressing, Launch};
use crate::observed::{
    Made, NodeState, Observed, ObservedBarrier, ObservedImage, ObservedNetwork, ObservedNode, ObservedVolume,
    OtherContainer, Route, TakenPort,
};
use crate::spec::{ClusterSpec, locate};

fn spec() -> ClusterSpec {
    locate(None, Path::new("/")).expect("built-in").spec
}

fn desired(spec: &ClusterSpec) -> Desired<'_> {
    let nodes = spec.nodes.iter().collect();
    Desired { spec, nodes, addressing: Addressing::Network, content: Some("hash"), recreate: false }
}

fn network(spec: &ClusterSpec) -> ObservedNetwork {
    ObservedNetwork {
        id: "0123456789abcdef".to_owned(),
        name: spec.network.name.clone(),
        subnets: vec![spec.network.subnet],
        project: Some(spec.name.clone()),
        members: Vec::new(),
    }
}

/// As `up` leaves it.
fn node(spec: &ClusterSpec, name: &str) -> ObservedNode {
    let Launch { config, mut env, container, .. } =
        Launch::of(spec, spec.node(name).expect("in the file"), Addressing::Network);
    env.extend(image().env);
    ObservedNode {
        id: format!("id-{name}"),
        container,
        state: NodeState::Running,
        image: image().id,
        address: Some(*config.socket.ip()),
        port: Some(config.socket.port()),
        host_port: Some(config.host_port),
        made: Some(Made {
            memory_bytes: Some(config.memory_bytes),
            pids: Some(config.pids),
            env,
            mounts: BTreeMap::from([("/data".to_owned(), volume_name(&spec.name, name))]),
        }),
        ..ObservedNode::gone(name)
    }
}

fn image() -> ObservedImage {
    let env = BTreeMap::from([("DATA_DIR".to_owned(), "/data".to_owned())]);
    ObservedImage { id: "image1".to_owned(), content: Some("hash".to_owned()), ours: true, env }
}

fn volume(name: &str, project: Option<&str>, socket: Option<&str>) -> ObservedVolume {
    let socket = socket.map(|socket| socket.parse().expect("a socket"));
    ObservedVolume { name: name.to_owned(), project: project.map(str::to_owned), socket }
}

fn socket(spec: &ClusterSpec, name: &str) -> String {
    spec.container_socket(spec.node(name).expect("in the file")).to_string()
}

/// Everything as `up` leaves it.
fn complete(spec: &ClusterSpec) -> Observed {
    let names = spec.nodes.iter().map(|node| node.name.as_str());
    Observed {
        image: Some(image()),
        networks: vec![network(spec)],
        nodes: names.clone().map(|name| node(spec, name)).collect(),
        volumes: names.map(|name| volume(&format!("kv-{name}"), Some("kv"), Some(&socket(spec, name)))).collect(),
        ..Observed::default()
    }
}

/// One line per step: `create node1: the node is missing`.
fn lines(plan: &Plan) -> Vec<String> {
    plan.steps().map(ToString::to_string).collect()
}

fn planned(desired: &Desired<'_>, observed: &Observed) -> Vec<String> {
    lines(&plan(desired, observed).expect("no conflict"))
}

fn conflicts(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    plan(desired, observed).expect_err("a conflict")
}

fn removal(nodes: &[String]) -> Removal<'_> {
    Removal { project: "kv", nodes, cause: "asked for", ..Removal::default() }
}
