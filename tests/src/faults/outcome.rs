//! What came of a run.

use crate::{Failure, Traces, check::Verdict, faults::Kind, history::History};

/// What came of a run.
#[derive(Default)]
pub struct Outcome {
    /// Everything, unless the run was interrupted.
    pub history: History,
    /// What the history says.
    pub verdict: Verdict,
    /// What was found besides what the history says: a node that did not start again, a cluster that did not come to rest.
    pub findings: Vec<Failure>,
    /// Kinds of faults that this cluster cannot suffer, and why.
    pub skipped: Vec<(Kind, String)>,
    /// What was remarkable about the nodes.
    pub remarks: Vec<String>,
    /// What the nodes logged, and what happened to them; only of a run that failed.
    pub traces: Traces,
    /// Whether somebody asked the run to end before its time.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether the store has kept all that it promises.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.findings.is_empty() && self.verdict.is_valid()
    }

    /// Whether the store has broken a promise.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        !self.findings.is_empty() || self.verdict.is_invalid()
    }
}
