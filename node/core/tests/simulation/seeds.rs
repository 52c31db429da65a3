//! Random runs: a fixed set of seeds with every test run, others on demand.

use std::{collections::BTreeMap, env, fmt::Write, io, ops::Range};

use crate::run::{Summary, run};

/// What a plain test run tries.
const FIXED: Range<u64> = 0..60;

/// Runs all of them, and fails with the first failures at the end.
fn sweep(seeds: impl IntoIterator<Item = u64>) -> Vec<Summary> {
    let (clean, failed): (Vec<_>, Vec<_>) = seeds.into_iter().map(run).partition(Result::is_ok);
    let failures: Vec<String> = failed.into_iter().filter_map(Result::err).collect();
    let clean: Vec<Summary> = clean.into_iter().filter_map(Result::ok).collect();
    if failures.is_empty() {
        return clean;
    }
    let mut report = format!("{} of {} seeds failed\n", failures.len(), failures.len() + clean.len());
    for failure in &failures {
        let _ = writeln!(report, "{}", failure.lines().next().unwrap_or_default());
    }
    panic!("{report}\n{}", failures[0]);
}

fn tell(summaries: &[Summary]) -> io::Result<()> {
    let mut replies: BTreeMap<&str, u64> = BTreeMap::new();
    let mut faults = BTreeMap::new();
    for summary in summaries {
        for (name, count) in &summary.replies {
            *replies.entry(name).or_insert(0) += count;
        }
        for (fault, count) in &summary.faults {
            *faults.entry(*fault).or_insert(0) += count;
        }
    }
    let sum = |of: fn(&Summary) -> u64| -> u64 { summaries.iter().map(of).sum() };
    io::Write::write_all(
        &mut io::stderr(),
        format!(
            "{} seeds, {} virtual s, {} nodes, {} operations {replies:?}, faults {faults:?}, {} messages, {} lost, {} provisional, {} slots drained, {} writes given up, {} helped\n",
            summaries.len(),
            sum(|summary| summary.virtual_ms) / 1000,
            sum(|summary| summary.nodes as u64),
            sum(|summary| summary.operations),
            sum(|summary| summary.tally.messages),
            sum(|summary| summary.tally.lost_messages),
            sum(|summary| summary.tally.provisional),
            sum(|summary| summary.tally.drained),
            sum(|summary| summary.tally.writes_lost),
            sum(|summary| u64::from(summary.helped)),
        )
        .as_bytes(),
    )
}

#[test]
fn every_fixed_seed_must_be_clean() {
    let summaries = sweep(FIXED);
    let operations: u64 = summaries.iter().map(|summary| summary.operations).sum();
    assert!(operations > 300 * summaries.len() as u64, "too little was done: {operations} operations");
}

/// The seed of `SIMULATION_SEED`, or 0.
#[test]
fn one_seed() {
    let seed = env::var("SIMULATION_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    tell(&sweep([seed])).expect("stderr is open");
}

/// The seeds of `SIMULATION_SEEDS`, as `from..to`; none without it.
#[test]
fn many_seeds() {
    let Ok(range) = env::var("SIMULATION_SEEDS") else {
        return;
    };
    let (from, to) = range.split_once("..").expect("SIMULATION_SEEDS is from..to");
    let (from, to): (u64, u64) = (from.parse().expect("a number"), to.parse().expect("a number"));
    tell(&sweep(from..to)).expect("stderr is open");
}

#[test]
fn the_same_seed_must_give_the_same_bytes() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(first.map(|summary| summary.hash), second.map(|summary| summary.hash));
    }
}
