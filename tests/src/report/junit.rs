//! JUnit XML, as CI servers show it: a suite for each of ours, a case for each case.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{Outcome, Suite, Verdict};

/// The file's text.
///
/// # Errors
/// What the writer says; it writes to memory, so that is not expected.
pub fn junit(name: &str, outcomes: &[Outcome], elapsed: Duration) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new(name);
    report.set_time(elapsed);
    for suite in Suite::ALL {
        let cases = outcomes.iter().filter(|outcome| outcome.case.scenario.suite == suite);
        let mut written = TestSuite::new(suite.name());
        let mut total = Duration::ZERO;
        for outcome in cases {
            total += outcome.elapsed;
            written.add_test_case(test_case(outcome));
        }
        if !written.test_cases.is_empty() {
            written.set_time(total);
            report.add_test_suite(written);
        }
    }
    // Jenkins' schema has this count for each suite, and none for all.
    let skipped = format!(" skipped=\"{}\"", report.test_suites.iter().map(|suite| suite.skipped).sum::<usize>());
    Ok(report.to_string()?.replacen(&skipped, "", 1))
}

fn test_case(outcome: &Outcome) -> TestCase {
    let scenario = &outcome.case.scenario;
    let mut name = scenario.name.to_owned();
    if scenario.on_all_paths {
        name.push_str(&format!(" ({})", outcome.case.dialect.name()));
    }
    let mut case = TestCase::new(name, status(outcome));
    case.set_classname(format!("{}.{}", scenario.suite.name(), scenario.topic));
    case.set_time(outcome.elapsed);
    if !outcome.notes.is_empty() {
        case.set_system_out(outcome.notes.join("\n"));
    }
    case
}

fn status(outcome: &Outcome) -> TestCaseStatus {
    let (kind, message) = match &outcome.verdict {
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            return status;
        }
        Verdict::Failed(evidence) => (NonSuccessKind::Failure, evidence.failure.expected().to_owned()),
        Verdict::NotStarted(_) => (NonSuccessKind::Error, "no cluster to try it on".to_owned()),
        Verdict::NotTried => (NonSuccessKind::Error, "not tried: no cluster had started before".to_owned()),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_description(outcome.explanation());
    status
}
