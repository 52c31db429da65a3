//! Random runs with every test run: a fixed set of seeds.

use std::{fmt::Write, ops::Range};

use crate::{run::run, sweep::sweep};

/// What a plain test run tries.
const FIXED: Range<u64> = 0..60;
/// Trace lines shown with a failure.
const LINES_SHOWN: usize = 60;

#[test]
fn every_fixed_seed_must_be_clean() {
    let totals = sweep(FIXED, None, |_| ());
    if let Some(first) = totals.failures.first() {
        let mut report = String::new();
        for failure in &totals.failures {
            let _ = writeln!(report, "seed {}: {}", failure.seed, failure.what);
        }
        panic!("{report}\n{}", first.explain(LINES_SHOWN));
    }
    assert_eq!(totals.seeds, 60);
    assert!(totals.idle.is_empty(), "too little was done with the seeds {:?}", totals.idle);
}

#[test]
fn the_same_seed_must_give_the_same_bytes() {
    for seed in [1, 2, 3] {
        let hash = || run(seed, None).map(|summary| summary.hash).map_err(|violation| violation.what);
        assert_eq!(hash(), hash());
    }
}
