//! The suite `faults` on foreign stores: each must get the verdict that it deserves, and no other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Scenario;
use crate::foreign::Store;

pub(crate) const ALL: &[Scenario] = &[
    ("an_honest_store_in_memory_is_valid_under_what_it_can_bear", honest),
    ("an_honest_store_in_memory_loses_what_all_nodes_had_when_all_are_killed", all_killed),
    ("a_store_that_forgets_is_invalid_whatever_is_broken", forgets),
    ("a_store_that_ignores_tokens_is_invalid_whatever_is_broken", stale),
];

/// What a run of the suite says.
struct Verdict {
    valid: bool,
    /// What its stories are of.
    patterns: BTreeSet<String>,
    told: String,
}

/// Breaks a cluster of this store in these ways, for so long.
fn judge(flaw: &'static str, kinds: &str, seconds: &str) -> Verdict {
    let store = Store::with(flaw);
    let done = store.test(&["--suite", "faults", "--seed", "1", "--seconds", seconds, "--kinds", kinds]);
    assert!(matches!(done.code, 0 | 1), "exit code {}: {}", done.code, done.stderr);
    let result: Value = serde_json::from_str(done.stdout.trim()).expect("the result");
    let stories = result["stories"].as_array().expect("stories");
    let patterns = stories.iter().map(|story| story["pattern"].as_str().expect("a pattern").to_owned()).collect();
    // What was lost also keeps a cluster from coming to rest, which is a finding, and no story.
    let quiet = result["findings"].as_array().is_some_and(Vec::is_empty);
    assert_eq!(result["valid"] == true && quiet, done.code == 0, "{}", done.stdout);
    Verdict { valid: done.code == 0, patterns, told: done.stdout }
}

fn patterns<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// It answers 503 to what it cannot do, and has every write on the other nodes of a shard. What it rearranges during a partition
/// it may lose, as it says itself, so that there is none here.
fn honest() {
    let verdict = judge("honest", "add,reshard-up,reshard-down,pause,kill", "30");
    assert!(verdict.valid, "{}", verdict.told);
}

/// It has no disk, and says nothing of one.
fn all_killed() {
    let verdict = judge("honest", "kill-all", "10");
    assert_eq!(verdict.patterns, patterns(["LostWrite"]), "{}", verdict.told);
}

fn forgets() {
    let verdict = judge("forgets", "add", "10");
    assert!(!verdict.valid && verdict.patterns.contains("LostWrite"), "{}", verdict.told);
    assert!(verdict.patterns.is_subset(&patterns(["LostWrite", "MissedWrite"])), "{}", verdict.told);
}

fn stale() {
    let verdict = judge("stale", "reshard-up,reshard-down", "20");
    let late = patterns(["OverwrittenRead", "MissedWrite", "ConflictCircle"]);
    assert!(!verdict.valid && !verdict.patterns.is_disjoint(&late), "{}", verdict.told);
}
