//! `test`: the suites on fresh clusters of their own, or the harmless part of them on the running cluster.

mod evidence;
mod faults;
mod list;
mod progress;
mod subject;
mod workflow;

use std::path::Path;
use std::time::{Duration, Instant};

use conformance::{Ability, Case, Level, Outcome, Provider, Runner, Selection, Suite, Totals, groups, report};
use serde_json::json;

use super::session::{Session, dialect};
use crate::cli::{SuiteChoice, TestArguments};
use crate::failure::{Failure, unwritable};
use evidence::Evidence;
use progress::Progress;
use subject::Subject;

pub(super) async fn run(session: &Session<'_>, arguments: &TestArguments) -> Result<(), Failure> {
    if arguments.suite.contains(&SuiteChoice::Faults) {
        return faults::run(session, arguments).await;
    }
    if arguments.list {
        return list::run(session, arguments);
    }
    could_be_done(session, arguments)?;
    let subject = Subject::prepare(session, arguments, session.interrupt.clone()).await?;
    let cases = cases(arguments, &subject.selection(arguments))?;
    if cases.iter().any(|case| case.scenario.needs == Some(Ability::Partition)) {
        subject.prepare_cuts().await?;
    }
    let evidence = Evidence::new(&subject);
    let progress = Progress::new(session.output, &evidence, cases.len());
    let start = Instant::now();
    let outcomes = tokio::select! {
        outcomes = try_all(arguments, subject.provider(), &progress, cases) => Some(outcomes),
        () = session.interrupt.asked() => None,
    };
    let elapsed = start.elapsed();
    let left = subject.remove_all().await;
    let ended = match outcomes {
        Some(outcomes) => tell(session, arguments, &subject, &evidence, outcomes, elapsed),
        None => {
            kept(&subject).iter().for_each(|line| session.output.note(line));
            Err(Failure::Interrupted("what this run created and did not keep is removed again".to_owned()))
        }
    };
    if left.is_empty() {
        return ended;
    }
    let left = format!("not all that the tests made could be removed:\n{}", left.join("\n"));
    match ended {
        Ok(()) => Err(Failure::Engine(left)),
        Err(failure) => {
            session.output.note(&left);
            Err(failure)
        }
    }
}

/// What is wrong with the arguments is told before minutes are spent on building.
fn could_be_done(session: &Session<'_>, arguments: &TestArguments) -> Result<(), Failure> {
    if arguments.seconds.is_some() || arguments.history.is_some() || !arguments.kinds.is_empty() {
        return Err(Failure::Usage("--seconds, --kinds and --history belong to --suite faults".to_owned()));
    }
    if session.global.image.is_some() && (arguments.build.is_some() || arguments.attach) {
        return Err(Failure::Usage("--image goes neither with --build nor with --attach".to_owned()));
    }
    if let Some(file) = &arguments.junit {
        write_junit(file, "")?;
    }
    let widest = Selection {
        suites: suites(arguments),
        level: Level::Strict,
        dialect: dialect(&session.spec, arguments.dialect),
        harmless_only: arguments.attach,
    };
    cases(arguments, &widest).map(drop)
}

fn write_junit(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(unwritable("--junit", file))
}

/// Everywhere where somebody looks for it.
fn tell(
    session: &Session<'_>,
    arguments: &TestArguments,
    subject: &Subject,
    evidence: &Evidence,
    mut outcomes: Vec<Outcome>,
    elapsed: Duration,
) -> Result<(), Failure> {
    // In the order in which people read them, not in that in which they ended.
    outcomes.sort_by_key(|outcome| (outcome.case.scenario.suite, outcome.case.to_string()));
    // What cannot be written is told, and keeps nobody from the verdict.
    let folder = evidence.finish(&outcomes, arguments.seed).unwrap_or_else(|failure| {
        session.output.note(&failure.to_string());
        None
    });
    let totals = Totals::of(&outcomes);
    let seconds = elapsed.as_secs_f32();
    let mut text: Vec<String> = outcomes.iter().map(block).filter(|block| !block.is_empty()).collect();
    text.extend(kept(subject));
    text.push(format!("{}: {totals} in {seconds:.1} s (seed {})", subject.title(), arguments.seed));
    session.output.result(
        &text.join("\n"),
        json!({
            "event": "test", "passed": totals.passed, "failed": totals.failed, "skipped": totals.skipped,
            "without_cluster": totals.not_started, "ms": elapsed.as_millis() as u64, "seed": arguments.seed,
            "evidence": folder.as_ref().map(|folder| folder.display().to_string()),
        }),
    );
    let written = arguments.junit.as_ref().map_or(Ok(()), |file| {
        let text = report::junit(&subject.title(), &outcomes, elapsed);
        let text = text.map_err(|error| Failure::Usage(format!("the JUnit file cannot be written: {error}")))?;
        write_junit(file, &text)
    });
    let told = written.and(workflow::tell(session.output, &subject.title(), &outcomes));
    let verdict = verdict(totals, outcomes.len(), folder.map(|folder| folder.display().to_string()));
    if let (Err(_), Err(untold)) = (&verdict, &told) {
        session.output.note(&untold.to_string());
    }
    verdict.and(told)
}

/// A line for each cluster that is left running.
fn kept(subject: &Subject) -> Vec<String> {
    let line = |project: String| {
        format!(
            "kept: {project}; `orchestrator status -p {project}` shows it, `orchestrator down -v -p {project}` removes it"
        )
    };
    subject.kept().into_iter().map(line).collect()
}

async fn try_all(
    arguments: &TestArguments,
    provider: &dyn Provider,
    progress: &Progress<'_>,
    cases: Vec<Case>,
) -> Vec<Outcome> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let clusters = arguments.jobs.map_or(processors * 2, usize::from);
    let tidy = arguments.attach;
    Runner { provider, observer: progress, clusters, seed: arguments.seed, tidy }.run(groups(cases)).await
}

/// The cases that are asked for.
fn cases(arguments: &TestArguments, selection: &Selection) -> Result<Vec<Case>, Failure> {
    let cases = selection.cases(|name| arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str())));
    match &arguments.filter {
        Some(filter) if cases.is_empty() => {
            Err(Failure::Usage(format!("no test has `{filter}` in its name; `orchestrator test --list` shows all")))
        }
        _ => Ok(cases),
    }
}

fn suites(arguments: &TestArguments) -> Vec<Suite> {
    let chosen = |suite: &Suite| {
        arguments.suite.is_empty()
            || arguments.suite.iter().any(|choice| match choice {
                SuiteChoice::Assignment3 => *suite == Suite::Assignment3,
                SuiteChoice::Assignment4 => *suite == Suite::Assignment4,
                SuiteChoice::Faults => false,
            })
    };
    Suite::ALL.into_iter().filter(chosen).collect()
}

/// What a person reads of a case that did not pass.
fn block(outcome: &Outcome) -> String {
    let explanation = outcome.explanation();
    if explanation.is_empty() {
        return String::new();
    }
    let indented: Vec<String> = explanation.lines().map(|line| format!("    {line}")).collect();
    format!("FAILED {}\n{}\n", outcome.case, indented.join("\n"))
}

fn verdict(totals: Totals, all: usize, folder: Option<String>) -> Result<(), Failure> {
    let evidence = folder.map(|folder| format!("; evidence: {folder}")).unwrap_or_default();
    match totals {
        Totals { failed: 0, not_started: 0, .. } => Ok(()),
        Totals { failed: 0, passed: 0, .. } => {
            Err(Failure::NotReady(format!("no cluster got ready to be tested, for the reason told above{evidence}")))
        }
        Totals { failed, not_started, .. } => {
            let unmet = failed + not_started;
            Err(Failure::Tests(format!("{unmet} of {all} tests failed{evidence}")))
        }
    }
}

/// What a store is held to when nothing else is said.
fn level(is_ours: bool, arguments: &TestArguments) -> Level {
    if is_ours || arguments.strict { Level::Strict } else { Level::Assignment }
}
