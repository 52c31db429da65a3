//! Many seeds, on all threads that are to be had; the result does not depend on who ran which.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use node_core::Bug;

use crate::{
    faults::Met,
    run::{Summary, explain, run},
};

/// A seed with which something went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which.
    pub seed: u64,
    /// What, in one sentence.
    pub what: String,
    bug: Option<Bug>,
}

impl Failure {
    /// What led to it: the last lines of its trace, and the command that runs it again.
    #[must_use]
    pub fn explain(&self, lines: usize) -> String {
        let planted = self.bug.map(|bug| format!(" --bug {bug:?}")).unwrap_or_default();
        format!(
            "{}\ncargo run --release -p node-core --example simulate -- --seeds 1 --seed {}{planted}",
            explain(self.seed, self.bug, lines),
            self.seed
        )
    }
}

/// What a number of seeds came to.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Seeds run.
    pub seeds: u64,
    /// Seeds with fewer than 300 operations or 6 faults: they do not count as tried.
    pub idle: Vec<u64>,
    /// Requests of clients for a key.
    pub operations: u64,
    /// Virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// Replies by kind.
    pub replies: BTreeMap<&'static str, u64>,
    /// What was met by what.
    pub met: Met,
    /// Messages that arrived.
    pub messages: u64,
    /// Messages that did not.
    pub lost_messages: u64,
    /// Batches that reached a disk in part.
    pub torn: u64,
    /// Times that nodes began to serve provisionally.
    pub provisional: u64,
    /// Times that nodes had handed over slots.
    pub drained: u64,
    /// Times that a read went on without writes that existed nowhere any more.
    pub given_up: u64,
    /// Seeds in which an operator had to reshard, after disks were destroyed.
    pub helped: u64,
    /// Changes when a byte of any message changes.
    pub hash: u64,
    /// What went wrong, by seed.
    pub failures: Vec<Failure>,
}

/// Operations and faults that each seed must have.
pub(crate) const OPERATIONS_MIN: u64 = 300;
const FAULTS_MIN: u64 = 6;

impl Totals {
    fn add(&mut self, seed: u64, summary: Summary) {
        let faults: u64 = summary.met.faults.values().sum();
        if summary.operations < OPERATIONS_MIN || faults < FAULTS_MIN {
            self.idle.push(seed);
        }
        self.hash = self.hash.rotate_left(1) ^ summary.hash;
        self.operations += summary.operations;
        self.virtual_ms += summary.virtual_ms;
        self.messages += summary.tally.messages;
        self.lost_messages += summary.tally.lost_messages;
        self.torn += summary.tally.torn;
        self.provisional += summary.tally.provisional;
        self.drained += summary.tally.drained;
        self.given_up += summary.tally.writes_lost;
        self.helped += u64::from(summary.helped);
        for (reply, count) in summary.replies {
            *self.replies.entry(reply).or_insert(0) += count;
        }
        self.met.add(summary.met);
    }
}

/// The last line of a sweep.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.met.faults.iter().map(|(fault, count)| format!("{fault:?} {count}")).collect();
        write!(
            f,
            "{} seeds, {} operations, {} faults ({}), {} violations",
            self.seeds,
            self.operations,
            self.met.faults.values().sum::<u64>(),
            faults.join(", "),
            self.failures.len()
        )
    }
}

/// Runs the seeds, and calls `done` with the number of those that are over.
pub fn sweep(seeds: Range<u64>, bug: Option<Bug>, done: impl Fn(u64) + Sync) -> Totals {
    let next = AtomicU64::new(seeds.start);
    let over = AtomicU64::new(0);
    let worker = || {
        let mut results = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return results;
            }
            results.push((seed, run(seed, bug)));
            done(over.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    let mut results: Vec<_> = on_all_threads(worker).into_iter().flatten().collect();
    results.sort_by_key(|(seed, _)| *seed);
    let mut totals = Totals { seeds: results.len() as u64, ..Totals::default() };
    for (seed, result) in results {
        match result {
            Ok(summary) => totals.add(seed, summary),
            Err(violation) => totals.failures.push(Failure { seed, what: violation.to_string(), bug }),
        }
    }
    totals
}

/// The first seed that finds the bug, and what it finds.
#[must_use]
pub fn first_catch(seeds: Range<u64>, bug: Bug) -> Option<Failure> {
    let next = AtomicU64::new(seeds.start);
    let caught = AtomicBool::new(false);
    let worker = || {
        while !caught.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            if let Err(violation) = run(seed, Some(bug)) {
                caught.store(true, Ordering::Relaxed);
                return Some(Failure { seed, what: violation.to_string(), bug: Some(bug) });
            }
        }
        None
    };
    // Seeds are begun in order, and each that was begun is ended: the lowest catch is the first one.
    on_all_threads(worker).into_iter().flatten().min_by_key(|failure| failure.seed)
}

pub(crate) fn on_all_threads<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    let count = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(&work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    })
}
