//! A summary for the page that a CI server shows of a run.

use std::fmt::Write;

use crate::{Outcome, Suite, Totals, Verdict};

/// Failures shown in full; the page is limited, and the first ones tell the most.
const FAILURES_SHOWN: usize = 20;
/// Of each explanation.
const EXPLANATION_CHARS: usize = 4000;

/// A table of the suites, and what failed.
#[must_use]
pub fn markdown(title: &str, outcomes: &[Outcome]) -> String {
    let mut text =
        format!("### {title}\n\n| suite | passed | failed | skipped | without a cluster |\n|---|--:|--:|--:|--:|\n");
    for suite in Suite::ALL {
        let mut totals = Totals::default();
        for outcome in outcomes.iter().filter(|outcome| outcome.case.scenario.suite == suite) {
            totals.count(&outcome.verdict);
        }
        if totals != Totals::default() {
            let Totals { passed, failed, skipped, not_started } = totals;
            let _ = writeln!(text, "| {} | {passed} | {failed} | {skipped} | {not_started} |", suite.name());
        }
    }
    let unmet = |outcome: &&Outcome| matches!(outcome.verdict, Verdict::Failed(_) | Verdict::NotStarted(_));
    for outcome in outcomes.iter().filter(unmet).take(FAILURES_SHOWN) {
        let explanation: String = outcome.explanation().chars().take(EXPLANATION_CHARS).collect();
        // A fence longer than any in a reply.
        let _ = write!(
            text,
            "\n<details><summary>{}</summary>\n\n~~~~~~~~text\n{explanation}\n~~~~~~~~\n</details>\n",
            outcome.case
        );
    }
    let hidden = outcomes.iter().filter(unmet).count().saturating_sub(FAILURES_SHOWN);
    if hidden > 0 {
        let _ = write!(text, "\n… and {hidden} more.\n");
    }
    text
}
