//! What came of one case.

use std::{fmt, time::Duration};

use crate::{CLAUSES, Case, Entry, Failure, Node, NodeLog, Traces, Unmade};

/// How many entries of the transcript, and how many lines of each log, a person is shown; the evidence has all.
const SHOWN: usize = 12;

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
    /// It could not be tried: why there was no cluster to try it on.
    NotStarted(Box<Unmade>),
    /// It was not tried, since no cluster had started before.
    NotTried,
}

/// All that is known of a failure.
pub struct Evidence {
    /// What was expected, and the exchange that says otherwise.
    pub failure: Failure,
    /// Everything that was asked, answered and done before.
    pub transcript: Vec<Entry>,
    /// Where the nodes are.
    pub nodes: Vec<Node>,
    /// What they logged meanwhile, and what happened to them.
    pub traces: Traces,
    /// Entries that came before those of the transcript and are not kept any more.
    pub(crate) forgotten: usize,
}

impl Verdict {
    /// In a word or three, for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::NotStarted(_) => "without a cluster",
            Self::NotTried => "not tried",
        }
    }
}

impl Outcome {
    /// The clauses that the case checks, as the contract has them.
    pub fn clauses(&self) -> impl Iterator<Item = String> {
        let named = |id: &&str| CLAUSES.iter().find(|clause| clause.id == *id);
        self.case.scenario.clauses.iter().filter_map(named).map(|clause| format!("{}: {}", clause.id, clause.text))
    }

    /// For a person: what failed and everything that helps to see why. Empty when nothing did.
    #[must_use]
    pub fn explanation(&self) -> String {
        match &self.verdict {
            Verdict::Passed | Verdict::Skipped(_) | Verdict::NotTried => String::new(),
            Verdict::NotStarted(unmade) => unmade.reason.clone(),
            Verdict::Failed(evidence) => {
                let clauses: Vec<String> = self.clauses().map(|clause| format!("clause:  {clause}\n")).collect();
                format!("{}{evidence}", clauses.concat())
            }
        }
    }
}

impl Evidence {
    /// Forgets all that a person is not shown: a run of many failures could not keep it.
    pub(crate) fn shorten(&mut self) {
        let skipped = self.transcript.len().saturating_sub(SHOWN);
        self.transcript.drain(..skipped);
        self.forgotten += skipped;
        self.traces.events.clear();
        for log in &mut self.traces.logs {
            log.lines.drain(..log.lines.len().saturating_sub(SHOWN));
            log.state = None;
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.failure)?;
        let skipped = self.transcript.len().saturating_sub(SHOWN);
        let hidden = self.forgotten + skipped;
        write!(
            f,
            "\nuntil then{}:",
            if hidden > 0 { format!(" (the last {SHOWN} of {})", hidden + SHOWN) } else { String::new() }
        )?;
        for entry in &self.transcript[skipped..] {
            write!(f, "\n  {entry}")?;
        }
        for Node { name, address, url } in &self.nodes {
            write!(f, "\n{name} is {address}, for clients {url}")?;
        }
        for NodeLog { node, end, .. } in &self.traces.logs {
            if let Some(end) = end {
                write!(f, "\n{node} {end}")?;
            }
        }
        for NodeLog { node, lines, .. } in self.traces.logs.iter().filter(|log| !log.lines.is_empty()) {
            write!(f, "\n{node} logged meanwhile:")?;
            for line in &lines[lines.len().saturating_sub(SHOWN)..] {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// It is so.
    pub passed: usize,
    /// It is not so.
    pub failed: usize,
    /// This place cannot.
    pub skipped: usize,
    /// There was no cluster.
    pub not_started: usize,
}

impl Totals {
    /// Counts one more.
    pub fn count(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Skipped(_) => &mut self.skipped,
            Verdict::NotStarted(_) | Verdict::NotTried => &mut self.not_started,
        } += 1;
    }

    /// Counts all.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut totals = Self::default();
        for outcome in outcomes {
            totals.count(&outcome.verdict);
        }
        totals
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        for (count, what) in [(self.skipped, "skipped"), (self.not_started, "without a cluster")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}
