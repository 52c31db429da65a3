//! What a test asks of a cluster before it starts.

use conformance::Dialect;

/// What to start.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) dialect: Dialect,
    /// Nodes in `VIEW`.
    pub(crate) nodes: usize,
    /// `SHARD_COUNT`.
    pub(crate) shards: Option<u32>,
    /// Whether all nodes share one IP, and differ in the port only.
    pub(crate) one_ip: bool,
    /// Whether each node is behind a gate, so that it can be cut off.
    pub(crate) gates: bool,
    /// More variables for every node.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Shape {
    /// `nodes` nodes in `shards` shards that speak as in 2019.
    pub(crate) fn sharded(nodes: usize, shards: u32) -> Self {
        Self {
            dialect: Dialect::Seed2019,
            nodes,
            shards: Some(shards),
            one_ip: false,
            gates: false,
            variables: Vec::new(),
        }
    }

    /// Assignment 3: no `SHARD_COUNT` anywhere.
    pub(crate) fn replicated(nodes: usize) -> Self {
        Self { shards: None, ..Self::sharded(nodes, 1) }
    }

    pub(crate) fn speaking(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }
}
