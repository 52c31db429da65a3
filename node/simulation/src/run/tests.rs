//! The histories of runs.

use std::collections::BTreeSet;

use history::{Event, Kind, Phase};

use super::*;

/// Seeds of which all kinds of lines come up.
const SEEDS: std::ops::Range<u64> = 0..12;

#[test]
fn writing_a_history_must_change_nothing() {
    let watch = Watch { journal: Journal::recording(), ..Watch::default() };
    let hash = |watch: &Watch| attempt(7, None, watch).expect("a clean seed").hash;
    assert_eq!(hash(&watch), hash(&Watch::default()));
    assert!(watch.journal.take().is_whole());
}

#[test]
fn a_history_must_have_every_request_of_a_client_and_where_its_token_is_from() {
    for seed in SEEDS {
        let history = record(seed, None, true).history;
        let summary = run(seed, None).expect("a clean seed");
        assert!(history.is_whole() && history.run().is_some_and(|run| run.seed == seed));
        assert_eq!(history.operations().filter(|operation| !operation.last).count() as u64, summary.operations);
        let mut tokens = BTreeSet::new();
        for operation in history.operations() {
            assert!(operation.token_in.is_none_or(|token| tokens.contains(&token)), "seed {seed}: {operation:?}");
            assert!(operation.token_out.is_none_or(|token| tokens.insert(token)), "seed {seed}: {operation:?}");
            let written = operation.is_answered() && operation.kind == Kind::Put;
            assert!(!written || operation.durable.is_some_and(|disks| disks > 0), "seed {seed}: {operation:?}");
        }
    }
}

#[test]
fn a_history_must_tell_when_a_fault_is_over_and_what_it_destroyed() {
    let (mut destroying, mut giving_up) = (BTreeSet::new(), BTreeSet::new());
    let mut kinds = BTreeSet::new();
    for seed in SEEDS {
        let history = record(seed, None, true).history;
        for (begin, end) in history.spans() {
            assert!(begin.phase != Phase::Ends, "seed {seed}: {begin:?} has not begun");
            assert!(end.is_some(), "seed {seed}: {begin:?} does not end");
            kinds.insert(begin.kind.clone());
            destroying.extend(begin.destroys.iter().map(|_| begin.kind.clone()));
            giving_up.extend(begin.gives_up.iter().map(|_| begin.kind.clone()));
        }
    }
    assert!(kinds.len() > 12, "{kinds:?}");
    assert_eq!((destroying, giving_up), (["wipe".into()].into(), ["remove".into()].into()));
}

#[test]
fn a_run_that_is_stopped_must_have_told_what_was_wrong() {
    let Recording { history, violation } = record(0, Some(Bug::TokenFromNodeState), true);
    let violation = violation.expect("the bug is found");
    assert!(!history.is_whole());
    let Some(Event::Operation(last)) = history.events.last() else { panic!("{:?} is no reply", history.events.last()) };
    let token = last.token_out.expect("a reply with a token");
    assert!(violation.ends_with(&format!("(operation {token})")), "{violation} is not about {last:?}");
}
