//! What proves that something is wrong, before it is told: operations, and the ways between them.

use super::{Pattern, account::Id, graph::Edge};

/// A proof.
pub(super) struct Evidence {
    pub(super) pattern: Pattern,
    /// The write that was not seen as it must be: what else misses the same write is the same finding.
    pub(super) missed: Option<Id>,
    /// Those that no way leads to.
    pub(super) operations: Vec<Id>,
    /// Each a row of edges.
    pub(super) ways: Vec<Vec<Edge>>,
    /// What follows, in words.
    pub(super) so: String,
}

impl Evidence {
    pub(super) fn new(pattern: Pattern, operations: Vec<Id>, so: impl Into<String>) -> Self {
        Self { pattern, missed: None, operations, ways: Vec::new(), so: so.into() }
    }
}

/// A circle of the causal order.
pub(super) fn of_causal_circle(circle: Vec<Edge>) -> Evidence {
    let so = "each of them came before all the others";
    Evidence { ways: vec![circle], ..Evidence::new(Pattern::CausalCircle, Vec::new(), so) }
}
