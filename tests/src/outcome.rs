//! What came of one case.

use std::time::Duration;

use crate::{Failure, NodeLog, case::Case, record::Entry};

/// A case and its verdict.
pub struct Outcome {
    /// What was tried.
    pub case: Case,
    /// What came of it.
    pub verdict: Verdict,
    /// How long that took, without the making of the cluster.
    pub elapsed: Duration,
    /// What was remarkable, though not against the contract.
    pub notes: Vec<String>,
}

/// What came of a case.
pub enum Verdict {
    /// It is so.
    Passed,
    /// It is not so.
    Failed(Box<Evidence>),
    /// It was not tried: why this place cannot.
    Skipped(String),
    /// It was not tried: there was no cluster to try it on.
    NotStarted(String),
}

/// All that is known of a failure.
pub struct Evidence {
    /// What was expected, and the exchange that says otherwise.
    pub failure: Failure,
    /// Everything that was asked, answered and done before.
    pub transcript: Vec<Entry>,
    /// What the nodes logged meanwhile.
    pub logs: Vec<NodeLog>,
}
