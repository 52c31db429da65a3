//! What a load saw, and whether the cluster holds afterwards what the load left in it.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::{Shared, session::Session};
use crate::{
    Failure, Layout,
    check::check,
    ensure,
    history::{End, Event, History},
    journal::Journal,
};

/// Violations kept with their evidence; more are only counted.
const VIOLATIONS_KEPT: usize = 50;

/// Counts of a load under way.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) reads: u64,
    pub(super) puts: u64,
    pub(super) deletes: u64,
    violations: Vec<Failure>,
    violation_count: u64,
    /// By name, the keys whose state is certain: their value or its absence.
    pub(super) final_values: BTreeMap<String, Option<String>>,
}

impl Tally {
    pub(super) fn violation(&mut self, violation: Failure) {
        self.violation_count += 1;
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(violation);
        }
    }
}

/// The result of a load.
pub struct Report {
    /// Reads answered.
    pub reads: u64,
    /// Puts answered.
    pub puts: u64,
    /// Deletes answered.
    pub deletes: u64,
    /// How long it ran.
    pub elapsed: Duration,
    /// The first violations, with request and reply.
    pub violations: Vec<Failure>,
    /// All violations.
    pub violation_count: u64,
    /// By name, the keys whose last write was acknowledged: their value, or `None` where it deleted them.
    pub final_values: BTreeMap<String, Option<String>>,
    /// What the clients asked and were answered.
    history: History,
    /// Per writer, its session with its last token, and its keys.
    writers: Vec<(Session, Vec<String>)>,
    journal: Arc<Journal>,
}

impl Report {
    pub(super) fn new(shared: &Shared, elapsed: Duration, sessions: Vec<Session>) -> Self {
        let tally = std::mem::take(&mut *shared.tally());
        let workload = &shared.workload;
        let names = |writer| (0..workload.keys_per_client).map(|own| workload.key_name(writer, own)).collect();
        Self {
            reads: tally.reads,
            puts: tally.puts,
            deletes: tally.deletes,
            elapsed,
            violations: tally.violations,
            violation_count: tally.violation_count,
            final_values: tally.final_values,
            history: shared.journal.take().0,
            writers: sessions.into_iter().enumerate().map(|(writer, session)| (session, names(writer))).collect(),
            journal: Arc::clone(&shared.journal),
        }
    }

    /// Operations answered per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        (self.reads + self.puts + self.deletes) as f64 / self.elapsed.as_secs_f64()
    }

    /// Fails when anything was violated, or the clients saw what no lawful store shows.
    ///
    /// # Errors
    /// [`Failure`] with the violations, or with the stories of what was seen.
    pub fn verdict(&self) -> Result<(), Failure> {
        let verdict = check(&self.history);
        let lawful = self.violation_count == 0 && !verdict.is_invalid();
        ensure(lawful, || "clients that see nothing wrong").map_err(|failure| failure.with(self).with(verdict))
    }

    /// Every node must serve every key as its last write left it, to a client with its writer's token, so that the history
    /// is lawful to its end; and every node must count exactly the keys that are left, besides `other_keys` that the load did
    /// not write.
    ///
    /// # Errors
    /// [`Failure`] with the first exchange that says otherwise.
    pub async fn check_final_state(&self, urls: &[String], other_keys: u64) -> Result<(), Failure> {
        for (session, keys) in &self.writers {
            for url in urls {
                for key in keys {
                    self.check_key(session, url, key).await?;
                }
            }
        }
        let verdict = check(&self.history_to_the_end());
        ensure(verdict.is_valid(), || "a lawful history to its end").map_err(|failure| failure.with(verdict))?;
        let left = self.final_values.values().flatten().count() as u64 + other_keys;
        let client = self.writers[0].0.client();
        for url in urls {
            let counts = Layout::key_counts(client, url).await?;
            let counted: u64 = counts.values().sum();
            ensure(counted == left, || format!("{left} keys, but {url} counts {counts:?}"))?;
        }
        Ok(())
    }

    /// With what was read since the load ended.
    fn history_to_the_end(&self) -> History {
        let mut history = self.history.clone();
        history.events.pop();
        history.events.extend(self.journal.take().0.events);
        history.events.push(Event::End(End { end_us: self.journal.now_us() }));
        history
    }

    async fn check_key(&self, session: &Session, url: &str, key: &str) -> Result<(), Failure> {
        let Some(value) = self.final_values.get(key) else {
            return Ok(());
        };
        let reply = session.clone().get(url, key, true).await?;
        match value {
            Some(value) => reply.must_be(200)?.must_have("value", value.as_str())?,
            None => reply.must_be(404)?,
        };
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} reads, {} puts, {} deletes in {:.1?} ({:.0} operations/s), {} violations",
            self.reads,
            self.puts,
            self.deletes,
            self.elapsed,
            self.throughput(),
            self.violation_count
        )?;
        for violation in &self.violations {
            write!(f, "\n{violation}")?;
        }
        Ok(())
    }
}
