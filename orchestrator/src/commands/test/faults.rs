//! `test --suite faults`: one cluster, clients on it, and faults by the seed for so many seconds.

mod watcher;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use conformance::check::{Finding, Verdict};
use conformance::faults::{Availability, Length, Outcome, Trial};
use serde_json::{Value, json};

use super::super::session::Session;
use super::evidence::Evidence;
use super::subject::Subject;
use crate::cli::TestArguments;
use crate::failure::{Failure, unwritable};
use crate::interrupt::Interrupt;
use watcher::Watcher;

/// How long a cluster is broken unless something else is said.
const TIME: Duration = Duration::from_secs(120);

pub(super) async fn run(session: &Session<'_>, arguments: &TestArguments) -> Result<(), Failure> {
    could_be_done(arguments)?;
    // Who interrupts a run wants it mended first, which is work on the cluster too.
    let subject = Subject::prepare(session, arguments, Interrupt::never()).await?;
    subject.prepare_cuts().await?;
    let evidence = Evidence::new(&subject);
    let file = arguments.history.clone().unwrap_or_else(|| evidence.history());
    let history = create(&evidence, &file)?;
    let time = arguments.seconds.map_or(TIME, Duration::from_secs);
    let mut trial = Trial::new(arguments.seed, subject.title(), Length::Time(time));
    if !arguments.kinds.is_empty() {
        trial.kinds.clone_from(&arguments.kinds);
    }
    let watcher = Watcher::new(session.output);
    let ended = trial.run(subject.provider(), &watcher, Box::new(history), session.interrupt.asked()).await;
    let left = subject.remove_all().await;
    left.iter().for_each(|left| session.output.note(&format!("could not be removed: {left}")));
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(unmade) => {
            let kept = evidence.keep_unmade(&unmade, arguments.seed).map(Some);
            let failure = Failure::NotReady(unmade.reason);
            return Err(match written(session, kept) {
                Some(folder) => failure.and_line(&format!("evidence: {}", folder.display())),
                None => failure,
            });
        }
    };
    let folder = written(session, evidence.keep_run(&outcome, arguments.seed));
    tell(session, arguments, &subject, &outcome, folder.as_deref());
    verdict(&outcome, folder)?;
    if left.is_empty() { Ok(()) } else { Err(Failure::Engine("not all that the run made could be removed".to_owned())) }
}

/// What cannot be written is told, and keeps nobody from the verdict.
fn written(session: &Session<'_>, kept: io::Result<Option<PathBuf>>) -> Option<PathBuf> {
    kept.unwrap_or_else(|error| {
        session.output.note(&format!("the evidence cannot be written: {error}"));
        None
    })
}

fn could_be_done(arguments: &TestArguments) -> Result<(), Failure> {
    let unfit = [
        (arguments.suite.len() > 1, "another suite"),
        (arguments.filter.is_some(), "a filter"),
        (arguments.attach, "--attach"),
        (arguments.list, "--list"),
        (arguments.junit.is_some(), "--junit"),
        (arguments.jobs.is_some(), "--jobs"),
    ];
    if let Some((_, what)) = unfit.into_iter().find(|(given, _)| *given) {
        return Err(Failure::Usage(format!("the suite `faults` is one run, which does not go with {what}")));
    }
    match &arguments.history {
        Some(file) => File::create(file).map(drop).map_err(unwritable("--history", file)),
        None => Ok(()),
    }
}

fn create(evidence: &Evidence, file: &Path) -> Result<File, Failure> {
    let created = evidence.open().and_then(|()| File::create(file));
    created.map_err(unwritable("--history", file))
}

fn tell(session: &Session<'_>, arguments: &TestArguments, subject: &Subject, outcome: &Outcome, folder: Option<&Path>) {
    let availability = Availability::of(&outcome.history);
    let mut text: Vec<String> = outcome.findings.iter().map(|finding| format!("FOUND {finding}\n")).collect();
    if !outcome.interrupted || outcome.verdict.is_invalid() {
        text.push(format!("{}\n", outcome.verdict));
    }
    text.push(format!("{availability}\n"));
    text.extend(skipped(outcome));
    outcome.remarks.iter().for_each(|remark| session.output.note(remark));
    let word = if outcome.is_invalid() { "something found" } else { "nothing found" };
    let operations = outcome.history.operations().count();
    text.push(format!("{}: {word} in {operations} operations (seed {})", subject.title(), arguments.seed));
    let rows: Vec<Value> = availability
        .rows
        .iter()
        .map(|row| {
            json!({
                "while": row.name, "faults": row.faults, "operations": row.operations, "answered": row.answered,
                "unavailable": row.unavailable, "without_reply": row.without_reply, "other": row.other,
                "elsewhere": {"operations": row.elsewhere.0, "answered": row.elsewhere.1},
                "longest_gap_ms": row.longest_gap.as_millis() as u64,
            })
        })
        .collect();
    session.output.result(
        &text.join("\n"),
        json!({
            "event": "test.faults", "valid": outcome.is_valid(), "seed": arguments.seed, "operations": operations,
            "stories": stories(&outcome.verdict),
            "findings": outcome.findings.iter().map(ToString::to_string).collect::<Vec<_>>(), "availability": rows,
            "skipped": outcome.skipped.iter().map(|(kind, _)| kind.name()).collect::<Vec<_>>(),
            "evidence": folder.map(|folder| folder.display().to_string()),
        }),
    );
}

/// What is wrong with the history, the shortest first.
fn stories(verdict: &Verdict) -> Vec<Value> {
    let Verdict::Invalid(findings) = verdict else { return Vec::new() };
    let story = |finding: &Finding| {
        let at_us = finding.lines.iter().filter_map(|line| line.at_us).max();
        json!({
            "pattern": format!("{:?}", finding.pattern), "at_ms": at_us.map(|us| us / 1000), "text": finding.to_string(),
        })
    };
    findings.iter().map(story).collect()
}

/// A line for each reason.
fn skipped(outcome: &Outcome) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, reason) in &outcome.skipped {
        by_reason.entry(reason).or_default().push(kind.name());
    }
    by_reason.iter().map(|(reason, kinds)| format!("skipped: {}: {reason}", kinds.join(", "))).collect()
}

fn verdict(outcome: &Outcome, folder: Option<PathBuf>) -> Result<(), Failure> {
    let evidence = folder.map(|folder| format!("; evidence: {}", folder.display())).unwrap_or_default();
    if outcome.is_invalid() {
        return Err(Failure::Tests(format!("the store does not keep what it promises{evidence}")));
    }
    if outcome.interrupted {
        return Err(Failure::Interrupted(format!("what was broken is mended, and the cluster is removed{evidence}")));
    }
    match &outcome.verdict {
        Verdict::Unknown(_) => {
            Err(Failure::Unknown(format!("whether the store keeps what it promises is {}{evidence}", outcome.verdict)))
        }
        Verdict::Valid | Verdict::Invalid(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use conformance::check::{Line, Pattern};

    use super::*;

    #[test]
    fn a_story_is_told_with_its_pattern_and_the_time_by_which_it_had_happened() {
        let line = |at_us, text: &str| Line { event: None, at_us, text: text.to_owned() };
        let lines = vec![line(Some(1_500_000), "one"), line(Some(2_250_000), "other"), line(None, "so many more")];
        let finding = Finding { pattern: Pattern::MissedWrite, lines, so: "it is gone".to_owned(), arrows: Vec::new() };
        let told = stories(&Verdict::Invalid(vec![finding]));
        assert_eq!((&told[0]["pattern"], &told[0]["at_ms"]), (&json!("MissedWrite"), &json!(2250)));
        assert!(told[0]["text"].as_str().is_some_and(|text| text.ends_with("so: it is gone")), "{told:?}");
        assert!(stories(&Verdict::Valid).is_empty());
    }
}
