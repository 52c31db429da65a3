//! What a load saw, and whether the cluster holds afterwards what the load left in it.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::Shared;
use crate::{Client, Failure, Layout, ensure};

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
    /// Per key whose state is certain, its value or its absence.
    pub(super) final_values: BTreeMap<usize, Option<String>>,
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
    /// Per writer, its client with its last token, and its keys.
    writers: Vec<(Client, Vec<String>)>,
}

impl Report {
    pub(super) fn new(shared: &Shared, elapsed: Duration, clients: Vec<Client>) -> Self {
        let tally = std::mem::take(&mut *shared.tally());
        let workload = &shared.workload;
        let per_client = workload.keys_per_client;
        let names = |writer: usize| {
            let keys = writer * per_client..(writer + 1) * per_client;
            keys.map(|key| workload.key_name(key)).collect()
        };
        Self {
            reads: tally.reads,
            puts: tally.puts,
            deletes: tally.deletes,
            elapsed,
            violations: tally.violations,
            violation_count: tally.violation_count,
            final_values: tally.final_values.into_iter().map(|(key, value)| (workload.key_name(key), value)).collect(),
            writers: clients.into_iter().enumerate().map(|(writer, client)| (client, names(writer))).collect(),
        }
    }

    /// Operations answered per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        (self.reads + self.puts + self.deletes) as f64 / self.elapsed.as_secs_f64()
    }

    /// Fails when anything was violated.
    ///
    /// # Errors
    /// [`Failure`] with the violations.
    pub fn verdict(&self) -> Result<(), Failure> {
        ensure(self.violation_count == 0, || "no violation").map_err(|failure| failure.with(self))
    }

    /// Every node must serve every key as its last write left it, to a client with its writer's token; and every node must
    /// count exactly the keys that are left, besides `other_keys` that the load did not write.
    ///
    /// # Errors
    /// [`Failure`] with the first exchange that says otherwise.
    pub async fn check_final_state(&self, urls: &[String], other_keys: u64) -> Result<(), Failure> {
        for (client, keys) in &self.writers {
            for url in urls {
                for key in keys {
                    self.check_key(client, url, key).await?;
                }
            }
        }
        let left = self.final_values.values().flatten().count() as u64 + other_keys;
        let (client, _) = &self.writers[0];
        for url in urls {
            let counts = Layout::key_counts(client, url).await?;
            let counted: u64 = counts.values().sum();
            ensure(counted == left, || format!("{left} keys, but {url} counts {counts:?}"))?;
        }
        Ok(())
    }

    async fn check_key(&self, client: &Client, url: &str, key: &str) -> Result<(), Failure> {
        let Some(value) = self.final_values.get(key) else {
            return Ok(());
        };
        let reply = client.clone().get(url, key).await?;
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
