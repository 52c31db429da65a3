//! What a test asks of a cluster before it starts.

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Nodes in `VIEW`.
    pub nodes: usize,
    /// `SHARD_COUNT`; `None` is assignment 3, where no node has it.
    pub shards: Option<u32>,
    /// Whether the nodes are started, or left to the test to start.
    pub started: bool,
}

impl Shape {
    /// `nodes` nodes in `shards` shards.
    #[must_use]
    pub const fn sharded(nodes: usize, shards: u32) -> Self {
        Self { nodes, shards: Some(shards), started: true }
    }

    /// Assignment 3: no `SHARD_COUNT` anywhere.
    #[must_use]
    pub const fn replicated(nodes: usize) -> Self {
        Self { nodes, shards: None, started: true }
    }

    /// The same, with no node started.
    #[must_use]
    pub const fn unstarted(self) -> Self {
        Self { started: false, ..self }
    }
}
