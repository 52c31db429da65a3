//! The judge of histories against the simulation, which knows far more: what the simulation finds right must be valid, and
//! what a planted bug does to clients must be found, from nothing but what clients saw.

use std::ops::Range;

use conformance::check::check;
use node_core::Bug;
use simulation::record;

/// Clean runs in every test run.
const CLEAN: Range<u64> = 0..60;
/// Runs within which each of these bugs must be found.
const PLANTED: Range<u64> = 0..10;
/// Bugs that clients are sure to meet.
const VISIBLE: [Bug; 5] =
    [Bug::SkipFrontierCheck, Bug::OrderByWallClock, Bug::TokenFromNodeState, Bug::PruneEarly, Bug::IgnoreIdentity];

#[test]
fn what_the_simulation_finds_right_must_be_valid() {
    for seed in CLEAN {
        let recording = record(seed, None, true);
        assert_eq!(recording.violation, None, "seed {seed}");
        let verdict = check(&recording.history);
        assert!(verdict.is_valid(), "seed {seed}: {verdict}\n{}", repeat(seed, None));
    }
}

#[test]
fn without_its_own_checks_the_simulation_must_live_through_the_same() {
    let judged = record(CLEAN.start, None, true);
    assert_eq!(record(CLEAN.start, None, false).history, judged.history);
}

#[test]
fn what_a_planted_bug_does_to_clients_must_be_found() {
    for bug in VISIBLE {
        let found = PLANTED.into_iter().any(|seed| check(&record(seed, Some(bug), false).history).is_invalid());
        assert!(found, "{bug:?} is not found by what clients saw in {PLANTED:?}\n{}", repeat(PLANTED.start, Some(bug)));
    }
}

#[test]
fn a_run_that_was_stopped_must_not_be_valid() {
    for bug in VISIBLE {
        let recording = record(PLANTED.start, Some(bug), true);
        assert!(recording.violation.is_some(), "{bug:?} is not found with seed {}", PLANTED.start);
        assert!(!check(&recording.history).is_valid(), "{bug:?}");
    }
}

/// How to see it again.
fn repeat(seed: u64, bug: Option<Bug>) -> String {
    let planted = bug.map(|bug| format!(" --blind --bug {bug:?}")).unwrap_or_default();
    format!(
        "cargo run --release -p node-core --example simulate -- --seeds 1 --seed {seed}{planted} --history FILE\n\
         cargo run --release -p orchestrator -- check FILE"
    )
}
