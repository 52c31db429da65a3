//! The seam between the tests and whatever runs the nodes.

use crate::{Dialect, Failure};

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

/// A running cluster that can be asked and hurt. Nodes are counted from 0 in the order in which they were added.
pub trait Cluster {
    /// The dialect in which its nodes answer.
    fn dialect(&self) -> Dialect;

    /// All nodes, down ones too.
    fn nodes(&self) -> &[Node];

    /// Ends a node without warning.
    fn kill(&mut self, node: usize) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Asks a node to end, and waits until it has.
    fn stop(&mut self, node: usize) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Starts a node that is down, at its address, with an empty disk.
    fn restart_empty(&mut self, node: usize) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Starts one more node, which nobody's `VIEW` lists, without `SHARD_COUNT`; says which it is.
    fn add(&mut self) -> impl Future<Output = Result<usize, Failure>> + Send;
}
