//! The judge of histories, judged: against the axioms of causal convergence spelled out over matrices, and on tiny histories
//! against their definition, by trying every order of the operations.
//!
//! No crate does this for histories of single keys with deletes, tokens and writes that may be lost, so both are written here,
//! as straight as can be, and share nothing with the judge.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod axioms;
mod orders;
mod plan;
mod seen;
mod store;
mod tiny;

use std::{cell::RefCell, collections::BTreeMap};

use conformance::{
    check::{Verdict, check},
    history::{Event, History},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};

use plan::Flaw;

/// What the same seed repeats.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(11), ..Config::default() };
    TestRunner::new(config)
}

fn is_invalid(history: &History) -> bool {
    match check(history) {
        Verdict::Invalid(_) => true,
        Verdict::Valid => false,
        Verdict::Unknown(reasons) => {
            assert!(reasons.iter().all(|reason| reason.starts_with("no ")), "{reasons:?}");
            false
        }
    }
}

/// How often which flaw was there, found, and missed by the judge alone.
#[derive(Debug, Default)]
struct Tally {
    histories: u32,
    invalid: u32,
    missed: u32,
}

#[test]
fn the_judge_and_the_axioms_agree_on_what_a_store_did() {
    let tallies: RefCell<BTreeMap<Flaw, Tally>> = RefCell::default();
    let judged = runner(2_000).run(&plan::plan(), |plan| {
        let history = store::run(&plan);
        let ours = is_invalid(&history);
        let Some(lawful) = axioms::allow(&history) else { return Ok(()) };
        let mut tallies = tallies.borrow_mut();
        let tally = tallies.entry(plan.flaw).or_default();
        tally.histories += 1;
        tally.invalid += u32::from(!lawful);
        tally.missed += u32::from(!lawful && !ours);
        prop_assert!(!(ours && lawful), "a lawful history is called invalid: {}", check(&history));
        prop_assert!(plan.flaw != Flaw::None || lawful, "the store itself is wrong");
        prop_assert!(lawful || ours || seen::is_ambiguous(&history), "what the axioms forbid is not found");
        Ok(())
    });
    let tallies = tallies.into_inner();
    judged.unwrap_or_else(|failure| panic!("{failure}\n{tallies:?}"));
    for (flaw, tally) in &tallies {
        assert!(*flaw == Flaw::None || tally.invalid > 0, "{flaw:?} does no harm: {tallies:?}");
        assert!(tally.missed * 10 <= tally.invalid, "{flaw:?} is often missed: {tallies:?}");
    }
}

#[test]
fn the_judge_the_axioms_and_the_definition_agree_on_tiny_histories() {
    let tally: RefCell<Tally> = RefCell::default();
    let judged = runner(4_000).run(&tiny::history(), |history| {
        let lawful = axioms::allow(&history).expect("few choices");
        let ours = is_invalid(&history);
        let mut tally = tally.borrow_mut();
        tally.histories += 1;
        tally.invalid += u32::from(!lawful);
        tally.missed += u32::from(!lawful && !ours);
        prop_assert_eq!(orders::allow(&history), lawful, "the definition and the axioms differ");
        prop_assert!(!(ours && lawful), "a lawful history is called invalid: {}", check(&history));
        prop_assert!(lawful || ours || seen::is_ambiguous(&history), "what the axioms forbid is not found");
        Ok(())
    });
    let tally = tally.into_inner();
    judged.unwrap_or_else(|failure| panic!("{failure}\n{tally:?}"));
    assert!(tally.missed * 100 <= tally.invalid, "{tally:?}");
}

#[test]
fn whatever_a_history_says_it_is_judged() {
    let judged = runner(1_000).run(&tiny::nonsense(), |history| {
        prop_assert!(!check(&history).to_string().is_empty());
        Ok(())
    });
    judged.unwrap();
}

/// The end comes last; whatever came before a point is a history that was cut off there.
#[test]
fn what_is_lawful_is_so_at_every_moment() {
    let judged = runner(200).run(&plan::plan(), |plan| {
        let whole = store::run(&plan);
        prop_assume!(!is_invalid(&whole));
        for length in 0..whole.events.len() {
            let verdict = check(&History { events: whole.events[..length].to_vec() });
            prop_assert!(matches!(verdict, Verdict::Unknown(_)), "the first {} lines: {}", length, verdict);
        }
        Ok(())
    });
    judged.unwrap();
}

#[test]
fn names_do_not_matter() {
    let judged = runner(500).run(&plan::plan(), |plan| {
        let history = store::run(&plan);
        let mut renamed = history.clone();
        for event in &mut renamed.events {
            if let Event::Operation(operation) = event {
                operation.client = 100 - operation.client;
                operation.key =
                    format!("{}{}", 9 - operation.key.len(), operation.key.chars().rev().collect::<String>());
                operation.value =
                    operation.value.take().map(|value| value.parse::<i64>().map_or(format!("-{value}"), |_| value));
                operation.token_in = operation.token_in.map(|token| 1_000_000 - token);
                operation.token_out = operation.token_out.map(|token| 1_000_000 - token);
            }
        }
        let patterns = |history: &History| match check(history) {
            Verdict::Invalid(findings) => {
                let mut patterns: Vec<_> = findings.iter().map(|finding| finding.pattern).collect();
                patterns.sort_unstable();
                Some(patterns)
            }
            _ => None,
        };
        prop_assert_eq!(patterns(&history), patterns(&renamed));
        Ok(())
    });
    judged.unwrap();
}
