//! The suite that breaks clusters, on nodes in this process: a run must do what its schedule says and undo all of it.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use conformance::{
    Dialect, Failure, ensure, eventually,
    faults::{Kind, Length, Observer, Progress, Trial},
    history::{Fault, History, Phase},
};
use libtest_mimic::{Failed, Trial as Test};

use crate::cluster::InProcess;

/// One with two shards, and one with three.
const SEEDS: [u64; 2] = [2, 3];
/// So that a run with every kind of fault takes a few hundred operations.
const UNIT: u64 = 8;
const PATIENCE: Duration = Duration::from_secs(60);

/// A test for each seed, and one of an interruption.
pub(crate) fn tests() -> Vec<Test> {
    let every = SEEDS.map(|seed| {
        let name = format!("faults: a run of seed {seed} must do and undo every kind of fault");
        Test::test(name, move || block_on(every_kind(seed)))
    });
    let interrupted = Test::test("faults: an interrupted run must undo what it has done", || block_on(interrupted()));
    every.into_iter().chain([interrupted]).collect()
}

fn block_on(test: impl Future<Output = Result<(), Failure>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(test).map_err(Failed::from)
}

async fn every_kind(seed: u64) -> Result<(), Failure> {
    let length = Length::Faults(Kind::ALL.len());
    let trial = Trial { unit: UNIT, pages: 24, notes: 1, ..Trial::new(seed, "nodes in a process", length) };
    let provider = InProcess(Dialect::Seed2019);
    let outcome = trial.run(&provider, &Watcher::default(), Box::new(io::sink()), std::future::pending()).await;
    let outcome = outcome.map_err(|unmade| Failure::new(unmade.reason))?;
    if let Some(finding) = outcome.findings.into_iter().next() {
        return Err(finding);
    }
    ensure(outcome.verdict.is_valid(), || format!("a valid history: {}", outcome.verdict))?;
    let skipped: BTreeSet<&str> = outcome.skipped.iter().map(|(kind, _)| kind.name()).collect();
    must_be_done_and_undone(&outcome.history, &skipped)?;
    must_end_with_a_look_at_everything(&outcome.history)
}

/// It is interrupted while something is on, with which most schedules begin.
async fn interrupted() -> Result<(), Failure> {
    let trial = Trial::new(SEEDS[0], "nodes in a process", Length::Faults(usize::MAX));
    let (provider, watcher) = (InProcess(Dialect::Seed2019), Watcher::default());
    let outcome = trial.run(&provider, &watcher, Box::new(io::sink()), watcher.has_seen(3)).await;
    let outcome = outcome.map_err(|unmade| Failure::new(unmade.reason))?;
    ensure(outcome.interrupted && !outcome.history.is_whole(), || "a history that was cut off")?;
    ensure(!outcome.is_invalid(), || format!("nothing wrong, got {:?} and {}", outcome.findings, outcome.verdict))?;
    all_must_be_undone(&outcome.history).map(drop)
}

fn must_be_done_and_undone(history: &History, skipped: &BTreeSet<&str>) -> Result<(), Failure> {
    let kinds = all_must_be_undone(history)?;
    let names = Kind::ALL.iter().map(|kind| kind.name());
    let missing: Vec<&str> = names.filter(|name| !kinds.contains(name) && !skipped.contains(name)).collect();
    ensure(missing.is_empty(), || format!("every kind of fault, but no {missing:?}"))
}

/// Gives the kinds that there were.
fn all_must_be_undone(history: &History) -> Result<BTreeSet<&str>, Failure> {
    let mut kinds = BTreeSet::new();
    let mut on: BTreeMap<u32, &Fault> = BTreeMap::new();
    for fault in history.faults() {
        kinds.insert(fault.kind.as_str());
        match fault.phase {
            Phase::Begins => drop(on.insert(fault.number, fault)),
            Phase::Ends => drop(on.remove(&fault.number)),
            Phase::Passes => {}
        }
    }
    ensure(on.is_empty(), || format!("every fault to end, but not {on:?}"))?;
    Ok(kinds)
}

fn must_end_with_a_look_at_everything(history: &History) -> Result<(), Failure> {
    ensure(history.is_whole(), || "a whole history")?;
    let nodes: BTreeSet<&str> = history.operations().map(|operation| operation.node.as_str()).collect();
    let keys: BTreeSet<&str> = history.operations().filter(|o| !o.last).map(|o| o.key.as_str()).collect();
    for key in keys {
        let last = history.operations().filter(|operation| operation.last && operation.key == key);
        let seen: BTreeSet<&str> =
            last.filter(|operation| operation.is_answered()).map(|operation| operation.node.as_str()).collect();
        ensure(seen == nodes, || format!("{key} to be read from {nodes:?} in the end, got {seen:?}"))?;
    }
    Ok(())
}

/// Counts the faults, for whoever wants to interrupt.
#[derive(Default)]
struct Watcher {
    happened: Cell<usize>,
}

impl Watcher {
    /// Ends when so much has happened, or when it takes so long that something else must be wrong.
    async fn has_seen(&self, count: usize) {
        let seen = eventually(PATIENCE, "faults", || async { ensure(self.happened.get() >= count, || "more of them") });
        drop(seen.await);
    }
}

impl Observer for Watcher {
    fn begins(&self, _: &str) {}

    fn happened(&self, _: &Fault) {
        self.happened.set(self.happened.get() + 1);
    }

    fn progress(&self, _: &Progress) {}

    fn remark(&self, _: &str) {}
}
