//! Judges a [`History`]: whether what its clients saw was causally convergent, and whether what was acknowledged is there.
//!
//! It asks nobody and knows no store. What it calls invalid no lawful store can have answered; where a history leaves open
//! what a read saw (nothing, after several deletes) it gives the store the benefit of the doubt. What it cannot judge is
//! unknown, and never valid.
//!
//! The order that counts is causal: tokens that went from a reply into a request, and values that went from a write to a
//! read. The patterns looked for are in [`Pattern`]; without deletes they are all that there are, by the theorem of that
//! paper.

mod account;
mod bits;
mod causality;
mod circle;
mod columns;
mod conflicts;
mod evidence;
mod finding;
mod graph;
mod loss;
mod overwritten;
mod rest;
mod story;
mod sweep;
#[cfg(test)]
mod tests;
mod thin_air;
mod verdict;
mod words;

pub use finding::{Arrow, Because, Finding, Line, Pattern};
pub use verdict::Verdict;

use std::collections::{BTreeMap, HashSet};

use account::Account;
use causality::Causality;
use evidence::Evidence;

use crate::history::History;

/// How many findings are told.
const FINDINGS_MAX: usize = 20;

/// Judges it.
#[must_use]
pub fn check(history: &History) -> Verdict {
    let account = Account::of(history);
    if !account.reasons.is_empty() {
        return Verdict::Unknown(account.reasons);
    }
    let findings = findings(&account);
    let reasons = unknown(history, &account);
    match (findings.is_empty(), reasons.is_empty()) {
        (false, _) => Verdict::Invalid(findings),
        (true, false) => Verdict::Unknown(reasons),
        (true, true) => Verdict::Valid,
    }
}

/// What is wrong, the shortest stories first.
fn findings(account: &Account) -> Vec<Finding> {
    let mut causality = Causality::of(account);
    let mut evidence = thin_air::find(account);
    evidence.extend(causality.circles.drain(..).map(evidence::of_causal_circle));
    evidence.extend(overwritten::explain(account, &causality.graph, &causality.outcome));
    // What a read that is wrong in itself says of the order of writes is worth nothing.
    let mut wrong: HashSet<_> = causality.outcome.overwritten.iter().map(|(read, _)| *read).collect();
    for (divergence, reads) in rest::divergences(account, &causality.seen) {
        evidence.push(divergence);
        wrong.extend(reads);
    }
    evidence.extend(conflicts::find(account, &causality.graph, &causality.outcome.conflicts, &wrong));
    evidence.extend(rest::wrong_counts(account));
    let mut findings = independent(account, &evidence);
    findings
        .sort_by_key(|finding| (finding.lines.len(), finding.pattern, finding.lines.first().map(|line| line.at_us)));
    findings.truncate(FINDINGS_MAX);
    findings
}

/// Of those that miss the same write, the one with the shortest story.
fn independent(account: &Account, evidence: &[Evidence]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut of_missed = BTreeMap::new();
    for evidence in evidence {
        let finding = story::tell(account, evidence);
        let Some(missed) = evidence.missed else {
            findings.push(finding);
            continue;
        };
        let kept = of_missed.entry(missed).or_insert_with(|| finding.clone());
        if finding.lines.len() < kept.lines.len() {
            *kept = finding;
        }
    }
    findings.extend(of_missed.into_values());
    findings
}

/// Why finding nothing wrong says nothing.
fn unknown(history: &History, account: &Account) -> Vec<String> {
    let mut reasons = Vec::new();
    if !history.is_whole() {
        reasons.push("the history was cut off".to_owned());
    }
    if let Some(unrest) = history.unrest() {
        reasons.push(format!("the cluster did not come to rest: {}", unrest.what));
    }
    if !account.operations.iter().any(|operation| operation.is_answered()) {
        reasons.push("no operation was answered".to_owned());
    }
    let unread: Vec<&str> = account.unread().collect();
    if !unread.is_empty() {
        reasons.push(format!("no last read was answered of {}", unread.join(", ")));
    }
    reasons
}
