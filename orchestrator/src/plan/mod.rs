//! From what is wanted and what is there to what must be done: pure functions, no engine, no clock.
//!
//! Invariant: a plan touches only objects of its own project, and whatever is in the way is a `Conflict` before
//! anything is created.

mod comparison;
mod conflicts;
mod fault;
mod operation;
mod removal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::failure::Conflict;
use crate::launch::{Addressing, Launch, SECRET};
use crate::observed::{NodeState, Observed, ObservedNode};
use crate::spec::{ClusterSpec, NodeSpec, Secret};

pub(crate) use fault::{Fault, Scene};
pub(crate) use operation::{Operation, Plan, Step};
pub(crate) use removal::{Removal, plan_removal};

/// What the person asked for.
#[derive(Debug, Clone)]
pub(crate) struct Desired<'a> {
    pub(crate) spec: &'a ClusterSpec,
    /// The nodes that must run, by name.
    pub(crate) nodes: Vec<&'a NodeSpec>,
    pub(crate) addressing: Addressing,
    /// The hash of the sources, when the image is built here.
    pub(crate) content: Option<&'a str>,
    /// Make the nodes anew even when they are as wanted.
    pub(crate) recreate: bool,
}

/// The operations that turn `observed` into `desired`.
///
/// # Errors
/// Everything that is in the way and not ours.
pub(crate) fn plan(desired: &Desired<'_>, observed: &Observed) -> Result<Plan, Vec<Conflict>> {
    let conflicts = conflicts::find(desired, observed);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut first = Vec::new();
    let rebuilt = plan_image(desired, observed, &mut first);
    if desired.addressing == Addressing::Network {
        plan_network(desired, observed, &mut first);
    }
    let (mut nodes, mut rolling) = (BTreeMap::new(), Vec::new());
    for node in &desired.nodes {
        let steps = plan_node(desired, observed, node, rebuilt.as_deref());
        let there = observed.nodes.iter().find(|other| other.name == node.name);
        if there.is_some_and(|there| !steps.is_empty() && serves_others(desired, observed, there)) {
            rolling.push(steps);
        } else if !steps.is_empty() {
            nodes.insert(node.name.clone(), steps);
        }
    }
    Ok(Plan { first, nodes, rolling, last: Vec::new(), notes: notes(desired.spec, observed) })
}

/// The network alone, for `subnet`.
///
/// # Errors
/// A foreign network is in the way.
pub(crate) fn plan_subnet(desired: &Desired<'_>, observed: &Observed) -> Result<Plan, Vec<Conflict>> {
    let conflicts = conflicts::of_network(desired, observed);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut first = Vec::new();
    plan_network(desired, observed, &mut first);
    Ok(Plan { first, ..Plan::default() })
}

/// The image alone, for `build`.
pub(crate) fn plan_build(desired: &Desired<'_>, observed: &Observed) -> Plan {
    let mut first = Vec::new();
    plan_image(desired, observed, &mut first);
    Plan { first, ..Plan::default() }
}

/// Why the image is built, if it is.
fn plan_image(desired: &Desired<'_>, observed: &Observed, steps: &mut Vec<Step>) -> Option<String> {
    let content = desired.content?;
    let cause = match &observed.image {
        None => "the image is missing",
        Some(image) if image.content.as_deref() == Some(content) => return None,
        Some(image) if image.content.is_none() => "the image was not built by this tool",
        Some(_) => "the sources changed",
    };
    steps.push(Step::new(Operation::BuildImage, cause));
    Some(cause.to_owned())
}

fn plan_network(desired: &Desired<'_>, observed: &Observed, steps: &mut Vec<Step>) {
    let wanted = &desired.spec.network;
    let ours = observed.networks.iter().find(|network| network.project.as_ref() == Some(&desired.spec.name));
    match ours {
        None => steps.push(Step::new(Operation::CreateNetwork, "the network is missing")),
        Some(network) if network.subnets != [wanted.subnet] || network.name != wanted.name => {
            let cause = if network.name == wanted.name { "the subnet differs" } else { "the name differs" };
            let remove = Operation::RemoveNetwork { id: network.id.clone(), name: network.name.clone() };
            steps.push(Step::new(remove, cause));
            steps.push(Step::new(Operation::CreateNetwork, cause));
        }
        Some(_) => {}
    }
}

fn plan_node(desired: &Desired<'_>, observed: &Observed, node: &NodeSpec, rebuilt: Option<&str>) -> Vec<Step> {
    let launch = Launch::of(desired.spec, node, desired.addressing);
    let there = observed.nodes.iter().find(|other| other.name == node.name);
    let Some(there) = there else {
        return creation(desired, observed, launch, "the node is missing");
    };
    if let Some(cause) = recreation(desired, observed, there, &launch, rebuilt) {
        let mut steps = Vec::new();
        if there.state != NodeState::Stopped {
            steps.push(Step::new(Operation::StopNode { name: node.name.clone(), id: there.id.clone() }, &cause));
        }
        steps.push(Step::new(Operation::RemoveNode { name: node.name.clone(), id: there.id.clone() }, &cause));
        steps.extend(creation(desired, observed, launch, &cause));
        return steps;
    }
    let (name, id) = (node.name.clone(), there.id.clone());
    match there.state {
        NodeState::Running => Vec::new(),
        NodeState::Paused => vec![Step::new(Operation::ResumeNode { name, id }, "the node is paused")],
        NodeState::Stopped => vec![Step::new(Operation::StartNode { launch }, "the node is not running")],
    }
}

/// Whether the node is one of several that run, and would find its way back among the others: with another secret it would
/// not, so that all change it at once. Who names a node wants it made anew now.
fn serves_others(desired: &Desired<'_>, observed: &Observed, node: &ObservedNode) -> bool {
    let secret = node.made.as_ref().and_then(|made| made.env.get(SECRET)).map(String::as_str);
    let knows = secret == desired.spec.secret.as_ref().map(Secret::reveal);
    !desired.recreate
        && node.is_running()
        && knows
        && observed.nodes.iter().filter(|other| other.is_running()).count() > 1
}

/// Why a node that is there must be made anew, if it must.
fn recreation(
    desired: &Desired<'_>,
    observed: &Observed,
    there: &ObservedNode,
    launch: &Launch,
    rebuilt: Option<&str>,
) -> Option<String> {
    if desired.recreate {
        return Some("asked for".to_owned());
    }
    let mut causes = comparison::differences(desired, observed, there, launch);
    match rebuilt {
        Some(cause) => causes.push(cause.to_owned()),
        None if !comparison::is_same_image(observed, there) => causes.push("the image differs".to_owned()),
        None => {}
    }
    (!causes.is_empty()).then(|| causes.join(", "))
}

fn creation(desired: &Desired<'_>, observed: &Observed, launch: Launch, cause: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let volume = volume_name(&desired.spec.name, &launch.name);
    if keeps_data(desired, observed) && !observed.volumes.iter().any(|other| other.name == volume) {
        let (node, socket) = (launch.name.clone(), launch.config.socket);
        steps.push(Step::new(Operation::CreateVolume { node, volume, socket }, "the volume is missing"));
    }
    // A process has no state between not being there and running.
    if desired.addressing == Addressing::Network {
        steps.push(Step::new(Operation::CreateNode { launch: launch.clone() }, cause));
    }
    steps.push(Step::new(Operation::StartNode { launch }, cause));
    steps
}

/// Whether the nodes are ours: nobody knows where another image would keep its data.
fn keeps_data(desired: &Desired<'_>, observed: &Observed) -> bool {
    desired.addressing == Addressing::Loopback
        || desired.content.is_some()
        || observed.image.as_ref().is_some_and(|image| image.ours)
}

/// Where our image keeps its data.
pub(crate) const DATA: &str = "/data";

/// The volume (or data folder) of a node.
pub(crate) fn volume_name(project: &str, node: &str) -> String {
    format!("{project}-{node}")
}

/// What the file does not say about nodes that run, and the command that would.
fn notes(spec: &ClusterSpec, observed: &Observed) -> Vec<String> {
    let unknown = observed.nodes.iter().filter(|node| spec.node(&node.name).is_none());
    unknown
        .map(|node| {
            let name = &node.name;
            // What does not run has nothing that could be moved.
            let command = if node.is_running() { "remove" } else { "down" };
            format!("{name} is {} but not in the file; `orchestrator {command} {name}` removes it", node.state.as_str())
        })
        .collect()
}
