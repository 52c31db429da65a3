//! What is planned, without an engine.

mod conflicts;
mod removal;
mod up;

use std::path::Path;

use super::{Desired, Operation, Plan, Removal, Step, plan, plan_build, plan_removal, plan_subnet};
use crate::failure::Conflict;
use crate::launch::{Addressing, Launch};
use crate::observed::{
    NodeState, Observed, ObservedBarrier, ObservedImage, ObservedNetwork, ObservedNode, ObservedVolume, OtherContainer,
    Route, TakenPort,
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

fn node(spec: &ClusterSpec, name: &str) -> ObservedNode {
    let wanted = spec.node(name).expect("in the file");
    ObservedNode {
        name: name.to_owned(),
        id: format!("id-{name}"),
        container: spec.container_name(name),
        state: NodeState::Running,
        image: "image1".to_owned(),
        config: Some(Launch::of(spec, wanted, Addressing::Network).config),
    }
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
        image: Some(ObservedImage { id: "image1".to_owned(), content: Some("hash".to_owned()), ours: true }),
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
