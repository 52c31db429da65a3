//! The seam between the tests and whatever runs the nodes.

use std::time::SystemTime;

use async_trait::async_trait;

use serde_json::Value;

use crate::{Dialect, Failure, Scenario, Shape};

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name among people.
    pub name: String,
    /// `ip:port` among the nodes: what `VIEW` and the view operations call it.
    pub address: String,
    /// `http://…` for clients, without a slash at the end.
    pub url: String,
}

/// What a node has logged, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLog {
    /// The node's name.
    pub node: String,
    /// Its lines, oldest first.
    pub lines: Vec<String>,
    /// How it ended, if it has without being asked to.
    pub end: Option<String>,
    /// What its runtime tells of it, if anything.
    pub state: Option<Value>,
}

/// What a cluster leaves to be looked at when something has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Of each node.
    pub logs: Vec<NodeLog>,
    /// What its runtime has told of its nodes, network and volumes since it was made, in order, an object each.
    pub events: Vec<Value>,
}

/// Why there is no cluster, and what is left of the attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmade {
    /// In words.
    pub reason: String,
    /// From before what there was of it was removed.
    pub traces: Traces,
}

impl From<String> for Unmade {
    fn from(reason: String) -> Self {
        Self { reason, ..Self::default() }
    }
}

/// What a test may want done to a cluster, and what not every place where nodes run can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Cutting nodes off from each other while clients still reach all of them.
    Partition,
}

/// A cluster that can be asked and hurt. Nodes are counted from 0 in the order in which they were made.
///
/// Whatever is done to a node is done when the call returns; what the other nodes make of it is for the test to wait for.
#[async_trait(?Send)]
pub trait Cluster {
    /// The dialect in which its nodes answer.
    fn dialect(&self) -> Dialect;

    /// All nodes, down ones too.
    fn nodes(&self) -> &[Node];

    /// Starts a node that is down, with the disk that it has.
    async fn start(&mut self, node: usize) -> Result<(), Failure>;

    /// Ends a node without warning.
    async fn kill(&mut self, node: usize) -> Result<(), Failure>;

    /// Asks a node to end, and waits until it has; says what was remarkable about it, such as that it had to be killed.
    async fn stop(&mut self, node: usize) -> Result<Option<String>, Failure>;

    /// Freezes a node: it keeps its connections and answers nothing.
    async fn pause(&mut self, node: usize) -> Result<(), Failure>;

    /// Lets a frozen node go on.
    async fn resume(&mut self, node: usize) -> Result<(), Failure>;

    /// Starts a node that is down, at its address, with an empty disk.
    async fn restart_empty(&mut self, node: usize) -> Result<(), Failure>;

    /// Makes and starts one more node, which nobody's `VIEW` lists, without `SHARD_COUNT`; says which it is.
    async fn add(&mut self) -> Result<usize, Failure>;

    /// Has exactly these pairs cut, each from the first to the second only; none is healing. Needs
    /// [`Ability::Partition`].
    async fn cut(&mut self, pairs: &[(usize, usize)]) -> Result<(), Failure>;

    /// What there is to see of it, with what the nodes have logged since then.
    async fn traces(&mut self, since: SystemTime) -> Traces;

    /// Ends it and leaves nothing; one on which a case failed may be kept for a person to look at.
    async fn remove(self: Box<Self>, failed: bool) -> Result<(), Failure>;
}

/// Where clusters come from.
#[async_trait(?Send)]
pub trait Provider {
    /// Why its clusters are without this ability; `None` when they have it.
    fn cannot(&self, ability: Ability) -> Option<String>;

    /// Why this scenario cannot be tried on its clusters; `None` when it can.
    fn lacks(&self, scenario: &Scenario) -> Option<String> {
        scenario.needs.and_then(|ability| self.cannot(ability))
    }

    /// Makes a cluster and, unless the shape leaves that to the test, starts it and waits until every node answers; or says
    /// why there is none.
    async fn create(&self, shape: &Shape) -> Result<Box<dyn Cluster>, Unmade>;
}
