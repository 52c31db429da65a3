//! The vocabulary of a plan: each operation is one call of the runtime, with its cause.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddrV4;

use crate::launch::Launch;

/// One call of the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    BuildImage,
    CreateNetwork,
    RemoveNetwork { id: String, name: String },
    CreateVolume { node: String, volume: String, socket: SocketAddrV4 },
    RemoveVolume { volume: String },
    CreateNode { launch: Launch },
    StartNode { launch: Launch },
    PauseNode { name: String, id: String },
    ResumeNode { name: String, id: String },
    KillNode { name: String, id: String },
    StopNode { name: String, id: String },
    RemoveNode { name: String, id: String },
    RemoveBarrier { node: String, id: String },
    RemoveImage { id: String, name: String },
}

impl Operation {
    /// The node it concerns.
    pub(crate) fn node(&self) -> Option<&str> {
        match self {
            Self::CreateNode { launch } | Self::StartNode { launch } => Some(&launch.name),
            Self::CreateVolume { node, .. } | Self::RemoveBarrier { node, .. } => Some(node),
            Self::PauseNode { name, .. }
            | Self::ResumeNode { name, .. }
            | Self::KillNode { name, .. }
            | Self::StopNode { name, .. }
            | Self::RemoveNode { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The event when it is done.
    pub(crate) fn event(&self) -> &'static str {
        match self {
            Self::BuildImage => "image.built",
            Self::CreateNetwork => "network.created",
            Self::RemoveNetwork { .. } => "network.removed",
            Self::CreateVolume { .. } => "volume.created",
            Self::RemoveVolume { .. } => "volume.removed",
            Self::CreateNode { .. } => "node.created",
            Self::StartNode { .. } => "node.started",
            Self::PauseNode { .. } => "node.paused",
            Self::ResumeNode { .. } => "node.resumed",
            Self::KillNode { .. } => "node.killed",
            Self::StopNode { .. } => "node.stopped",
            Self::RemoveNode { .. } => "node.removed",
            Self::RemoveBarrier { .. } => "barrier.removed",
            Self::RemoveImage { .. } => "image.removed",
        }
    }
}

impl Operation {
    /// What to say when it is done; a node's name stands before it.
    pub(crate) fn done(&self) -> String {
        match self {
            Self::BuildImage => "image built".to_owned(),
            Self::CreateNetwork => "network created".to_owned(),
            Self::RemoveNetwork { name, .. } => format!("network {name} removed"),
            Self::CreateVolume { volume, .. } => format!("volume {volume} created"),
            Self::RemoveVolume { volume } => format!("volume {volume} removed"),
            Self::CreateNode { .. } => "created".to_owned(),
            Self::StartNode { .. } => "started".to_owned(),
            Self::PauseNode { .. } => "paused".to_owned(),
            Self::ResumeNode { .. } => "resumed".to_owned(),
            Self::KillNode { .. } => "killed".to_owned(),
            Self::StopNode { .. } => "stopped".to_owned(),
            Self::RemoveNode { .. } => "removed".to_owned(),
            Self::RemoveBarrier { .. } => "barrier removed".to_owned(),
            Self::RemoveImage { name, .. } => format!("image {name} removed"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuildImage => write!(f, "build the image"),
            Self::CreateNetwork => write!(f, "create the network"),
            Self::RemoveNetwork { name, .. } => write!(f, "remove network {name}"),
            Self::CreateVolume { volume, .. } => write!(f, "create volume {volume}"),
            Self::RemoveVolume { volume } => write!(f, "remove volume {volume}"),
            Self::CreateNode { launch } => write!(f, "create {}", launch.name),
            Self::StartNode { launch } => write!(f, "start {}", launch.name),
            Self::PauseNode { name, .. } => write!(f, "pause {name}"),
            Self::ResumeNode { name, .. } => write!(f, "resume {name}"),
            Self::KillNode { name, .. } => write!(f, "kill {name}"),
            Self::StopNode { name, .. } => write!(f, "stop {name}"),
            Self::RemoveNode { name, .. } => write!(f, "remove {name}"),
            Self::RemoveBarrier { node, .. } => write!(f, "remove the barrier of {node}"),
            Self::RemoveImage { name, .. } => write!(f, "remove image {name}"),
        }
    }
}

/// An operation and why it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) operation: Operation,
    pub(crate) cause: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.cause)
    }
}

impl Step {
    pub(crate) fn new(operation: Operation, cause: &str) -> Self {
        Self { operation, cause: cause.to_owned() }
    }
}

/// All steps: `first` one after the other, then every node's beside each other, then `rolling` one node after the other,
/// then `last`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) first: Vec<Step>,
    pub(crate) nodes: BTreeMap<String, Vec<Step>>,
    /// Of nodes that serve now: before each the cluster is whole, so that its clients miss nothing.
    pub(crate) rolling: Vec<Vec<Step>>,
    pub(crate) last: Vec<Step>,
    /// What the person should know though nothing is done about it.
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// All steps in the order in which they are done, or one of the orders.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.first.iter().chain(self.nodes.values().flatten()).chain(self.rolling.iter().flatten()).chain(&self.last)
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.steps().map(|step| &step.operation)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps().next().is_none()
    }
}
