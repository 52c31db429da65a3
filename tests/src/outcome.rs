//! What came of one case.

use std::{fmt, time::Duration};

use crate::{CLAUSES, Failure, NodeLog, case::Case, record::Entry};

/// So much of what came before a failure is shown to people.
const ENTRIES_SHOWN: usize = 20;
/// So many of a node's last lines are.
const LOG_LINES_SHOWN: usize = 15;

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

/// For people: the clauses at stake when it is not so, and what is known of that.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Passed => write!(f, "so it is")?,
            Verdict::Skipped(reason) => write!(f, "skipped: {reason}")?,
            Verdict::NotStarted(reason) => write!(f, "no cluster to try it on: {reason}")?,
            Verdict::Failed(evidence) => {
                for clause in CLAUSES.iter().filter(|clause| self.case.scenario.clauses.contains(&clause.id)) {
                    writeln!(f, "clause {}: {}", clause.id, clause.text)?;
                }
                write!(f, "{evidence}")?;
            }
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        Ok(())
    }
}

/// For people: the failure, the end of what led to it, and the end of every log that says something.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.failure)?;
        let hidden = self.transcript.len().saturating_sub(ENTRIES_SHOWN);
        write!(f, "\nwhat was asked, answered and done")?;
        if hidden > 0 {
            write!(f, " (after {hidden} entries more)")?;
        }
        for entry in &self.transcript[hidden..] {
            write!(f, "\n{entry}")?;
        }
        for NodeLog { node, lines } in self.logs.iter().filter(|log| !log.lines.is_empty()) {
            write!(f, "\nthe log of {node}")?;
            for line in &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..] {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}
