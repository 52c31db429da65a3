//! What `down`, `clean` and `prune` remove, in the order in which an engine allows it.

use super::{Operation, Plan, Step, volume_name};
use crate::failure::Conflict;
use crate::observed::{NodeState, Observed, ObservedNode, ObservedVolume, short};

/// What goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Removal<'a> {
    pub(crate) project: &'a str,
    /// Only these nodes; empty: all, and the network.
    pub(crate) nodes: &'a [String],
    pub(crate) volumes: bool,
    /// What the nodes have logged, which is kept otherwise.
    pub(crate) logs: bool,
    /// Nodes are killed instead of stopped: nobody will miss what they were about to say.
    pub(crate) force: bool,
    /// The image too, under this name.
    pub(crate) image: Option<&'a str>,
    pub(crate) cause: &'a str,
}

impl Removal<'_> {
    fn concerns(&self, node: &str) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|name| name == node)
    }

    /// The volumes of the project, or of its nodes that go.
    fn volumes<'o>(&self, observed: &'o Observed) -> Vec<&'o ObservedVolume> {
        let ours = observed.volumes.iter().filter(|volume| volume.project.as_deref() == Some(self.project));
        let of = |volume: &ObservedVolume| {
            self.nodes.is_empty() || self.nodes.iter().any(|node| volume_name(self.project, node) == volume.name)
        };
        ours.filter(|volume| of(volume)).collect()
    }

    /// Of these, those that stay.
    pub(crate) fn kept<'o>(&self, observed: &'o Observed) -> Vec<&'o ObservedVolume> {
        if self.volumes { Vec::new() } else { self.volumes(observed) }
    }
}

/// The operations that remove it.
///
/// # Errors
/// A stranger's container is connected to our network, so that the network cannot go.
pub(crate) fn plan_removal(removal: &Removal<'_>, observed: &Observed) -> Result<Plan, Vec<Conflict>> {
    let all = removal.nodes.is_empty();
    let ended = observed.ended.iter().map(|name| ObservedNode::gone(name));
    let mut plan = Plan::default();
    for node in observed.nodes.iter().cloned().chain(ended).filter(|node| removal.concerns(&node.name)) {
        plan.nodes.insert(node.name.clone(), node_steps(&node, removal));
    }
    let step = |operation| Step::new(operation, removal.cause);
    if all {
        // A node's own goes before it; that of a node which is there no more goes too.
        for barrier in &observed.barriers {
            let remove = Operation::RemoveBarrier { node: barrier.node.clone(), id: barrier.id.clone() };
            plan.nodes.entry(barrier.node.clone()).or_default().insert(0, step(remove));
        }
        let ours = |project: &Option<String>| project.as_deref() == Some(removal.project);
        let networks = observed.networks.iter().filter(|network| ours(&network.project));
        let mut conflicts = Vec::new();
        for network in networks {
            let strangers =
                network.members.iter().filter(|(name, _)| !observed.nodes.iter().any(|node| node.container == *name));
            conflicts.extend(strangers.map(|(name, _)| Conflict {
                what: format!("network {}", network.name),
                owner: format!("container {name}, which is connected to it and not ours"),
                free_with: format!("docker network disconnect -f {} {name}", short(&network.id)),
            }));
            plan.last.push(step(Operation::RemoveNetwork { id: network.id.clone(), name: network.name.clone() }));
        }
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
    }
    if removal.volumes {
        let chosen = removal.volumes(observed).into_iter();
        plan.last.extend(chosen.map(|volume| step(Operation::RemoveVolume { volume: volume.name.clone() })));
    }
    if let (Some(name), Some(image)) = (removal.image, &observed.image)
        && image.ours
    {
        plan.last.push(step(Operation::RemoveImage { id: image.id.clone(), name: name.to_owned() }));
    }
    Ok(plan)
}

fn node_steps(node: &ObservedNode, removal: &Removal<'_>) -> Vec<Step> {
    let (name, id) = (node.name.clone(), node.id.clone());
    let mut steps = Vec::new();
    // Removal kills what still runs; a paused process could not act on a signal.
    if node.state == NodeState::Running && !removal.force {
        steps.push(Step::new(Operation::StopNode { name: name.clone(), id: id.clone() }, removal.cause));
    }
    steps.push(Step::new(Operation::RemoveNode { name, id }, removal.cause));
    steps
}
