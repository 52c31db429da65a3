//! GitHub Actions: an annotation for each failure, and a summary on the run's page.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use conformance::{Outcome, Verdict, report};

use crate::failure::{Failure, unwritable};
use crate::output::Output;

/// The page shows no more of them for one step.
const ANNOTATIONS: usize = 10;

/// Tells the workflow, if there is one.
pub(super) fn tell(output: &Output, title: &str, outcomes: &[Outcome]) -> Result<(), Failure> {
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") {
        let unmet = outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Failed(_) | Verdict::NotStarted(_)));
        for outcome in unmet.take(ANNOTATIONS) {
            output.command(&annotation(&outcome.case.to_string(), &outcome.explanation()));
        }
    }
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let summary = report::markdown(title, outcomes);
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(summary.as_bytes()))
        .map_err(unwritable("GITHUB_STEP_SUMMARY", Path::new(&path)))
}

/// The workflow command, with everything escaped that has a meaning in it.
fn annotation(title: &str, message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!("::error title={}::{}", property(title), data(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(annotation("a: b, c", "100 %\nhttp://x"), "::error title=a%3A b%2C c::100 %25%0Ahttp://x");
    }
}
