//! What must be done to break a node's life, or to mend it. Pure.

use super::{Operation, Plan, Step, volume_name};
use crate::failure::Failure;
use crate::launch::{Addressing, Launch, NodeConfig};
use crate::observed::{NodeState, Observed, ObservedNode};
use crate::spec::ClusterSpec;

/// What is done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Ends at once.
    Kill,
    /// Ends as it is used to.
    Stop,
    /// Runs again, with the disk that it had.
    Start,
    /// Does nothing any more, and keeps what it has.
    Pause,
    /// Goes on.
    Resume,
    /// Ends at once, and has an empty disk when it is started.
    Wipe,
}

/// Where the faults happen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) spec: &'a ClusterSpec,
    pub(crate) addressing: Addressing,
    pub(crate) observed: &'a Observed,
}

impl Scene<'_> {
    /// All nodes that can be broken or mended, by name. Nobody knows how one that has ended was started unless it is in
    /// the file.
    pub(crate) fn nodes(&self) -> Vec<ObservedNode> {
        let mut nodes = self.observed.nodes.clone();
        let ended = self.observed.ended.iter().filter(|name| self.spec.node(name).is_some());
        nodes.extend(ended.map(|name| ObservedNode::gone(name)));
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// The operations that do `fault` to the nodes of these names; none for a node that is so already.
    ///
    /// # Errors
    /// A node is not there, or in a state in which this cannot be done.
    pub(crate) fn plan(&self, fault: Fault, names: &[String]) -> Result<Plan, Failure> {
        let nodes = self.nodes();
        let mut plan = Plan::default();
        for name in names {
            let node = nodes.iter().find(|node| node.name == *name);
            let node = node.ok_or_else(|| Failure::not_running(name))?;
            let operations = self.operations(fault, node)?;
            if !operations.is_empty() {
                let steps = operations.into_iter().map(|operation| Step::new(operation, "asked for"));
                plan.nodes.insert(name.clone(), steps.collect());
            }
        }
        Ok(plan)
    }

    /// Which of these end the faults of nodes: what is paused is resumed, what ended is started.
    pub(crate) fn mending(&self) -> Vec<(Fault, String)> {
        let mends = |node: &ObservedNode| match node.state {
            NodeState::Running => None,
            NodeState::Paused => Some(Fault::Resume),
            NodeState::Stopped => Some(Fault::Start),
        };
        self.nodes().iter().filter_map(|node| Some((mends(node)?, node.name.clone()))).collect()
    }

    fn operations(&self, fault: Fault, node: &ObservedNode) -> Result<Vec<Operation>, Failure> {
        let (name, id) = (node.name.clone(), node.id.clone());
        let refusal = |remedy: &str| {
            let (name, state) = (&node.name, node.state.as_str());
            Failure::Unhealthy(format!("{name} is {state}; `orchestrator fault {remedy} {name}` first"))
        };
        Ok(match (fault, node.state) {
            (Fault::Kill | Fault::Stop, NodeState::Stopped)
            | (Fault::Start | Fault::Resume, NodeState::Running)
            | (Fault::Pause, NodeState::Paused) => Vec::new(),
            (Fault::Kill, _) => vec![Operation::KillNode { name, id }],
            (Fault::Stop, NodeState::Running) => vec![Operation::StopNode { name, id }],
            // What is paused cannot act on a signal.
            (Fault::Stop, NodeState::Paused) => {
                vec![Operation::ResumeNode { name: name.clone(), id: id.clone() }, Operation::StopNode { name, id }]
            }
            (Fault::Start, NodeState::Stopped) => vec![Operation::StartNode { launch: self.launch(node)? }],
            (Fault::Start, NodeState::Paused) => return Err(refusal("resume")),
            (Fault::Pause, NodeState::Running) => vec![Operation::PauseNode { name, id }],
            (Fault::Resume, NodeState::Paused) => vec![Operation::ResumeNode { name, id }],
            (Fault::Pause | Fault::Resume, NodeState::Stopped) => return Err(refusal("start")),
            (Fault::Wipe, state) => self.wiping(node, state)?,
        })
    }

    fn wiping(&self, node: &ObservedNode, state: NodeState) -> Result<Vec<Operation>, Failure> {
        let (name, id) = (node.name.clone(), node.id.clone());
        let volume = volume_name(&self.spec.name, &name);
        let mut operations = Vec::new();
        match self.addressing {
            Addressing::Network => operations.push(Operation::RemoveNode { name: name.clone(), id }),
            Addressing::Loopback if state == NodeState::Stopped => {}
            Addressing::Loopback => operations.push(Operation::KillNode { name: name.clone(), id }),
        }
        let launch = self.launch(node)?;
        // Of somebody else's image there is none.
        if self.observed.volumes.iter().any(|other| other.name == volume) {
            operations.push(Operation::RemoveVolume { volume: volume.clone() });
            operations.push(Operation::CreateVolume { node: name, volume, socket: launch.config.socket });
        }
        if self.addressing == Addressing::Network {
            operations.push(Operation::CreateNode { launch });
        }
        Ok(operations)
    }

    /// As it was made before, whatever the file says by now. An added node is not in the file at all.
    fn launch(&self, node: &ObservedNode) -> Result<Launch, Failure> {
        let name = node.name.clone();
        let (Some(socket), Some(host_port), Some(made)) = (node.socket(), node.host_port, &node.made) else {
            let known = self.spec.node(&name).ok_or_else(|| {
                Failure::Unhealthy(format!(
                    "nobody knows how {name} was started; `orchestrator add {name}` starts it anew"
                ))
            })?;
            return Ok(Launch::of(self.spec, known, self.addressing));
        };
        let (memory_bytes, pids) = (made.memory_bytes.unwrap_or_default(), made.pids.unwrap_or_default());
        Ok(Launch {
            name,
            container: node.container.clone(),
            config: NodeConfig { socket, host_port, memory_bytes, pids },
            env: made.env.clone(),
            image: Some(node.image_name.clone()),
        })
    }
}

#[cfg(test)]
mod tests;
