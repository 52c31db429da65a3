//! The folder that a failed run leaves: for each failure what was expected, everything that was asked and answered, the
//! nodes' logs and state; and what was run. Nothing is written when nothing failed.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use conformance::{Outcome, Verdict};
use serde_json::{Value, json};

use super::subject::Subject;
use crate::failure::Failure;

/// In the current folder, one folder for each run.
const PARENT: &str = "evidence";
/// Of the name of a case's folder.
const SLUG_CHARS: usize = 100;

/// Where evidence goes.
pub(super) struct Evidence {
    folder: PathBuf,
    about: Value,
    /// The folders of failed cases so far.
    kept: RefCell<Vec<String>>,
}

impl Evidence {
    pub(super) fn new(subject: &Subject) -> Self {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace(':', "-");
        Self {
            folder: Path::new(PARENT).join(format!("{now}-{}", subject.run())),
            about: subject.about(),
            kept: RefCell::default(),
        }
    }

    /// Writes down a failure.
    pub(super) fn keep(&self, outcome: &Outcome) -> io::Result<()> {
        let explanation = outcome.explanation();
        if explanation.is_empty() {
            return Ok(());
        }
        let name = format!("{:03}-{}", self.kept.borrow().len() + 1, slug(&outcome.case.to_string()));
        let folder = self.folder.join(&name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("failure.txt"), format!("{}\n{explanation}\n", outcome.case))?;
        if let Verdict::Failed(evidence) = &outcome.verdict {
            let lines: Vec<String> = evidence.transcript.iter().map(|entry| format!("{}\n", entry.to_json())).collect();
            fs::write(folder.join("transcript.jsonl"), lines.concat())?;
            for log in &evidence.logs {
                let lines: Vec<String> = log.lines.iter().map(|line| format!("{line}\n")).collect();
                fs::write(folder.join(format!("{}.log", log.node)), lines.concat())?;
                if let Some(state) = &log.state {
                    fs::write(folder.join(format!("{}.json", log.node)), format!("{state:#}\n"))?;
                }
            }
        }
        self.kept.borrow_mut().push(name);
        Ok(())
    }

    /// Writes down the run; answers where everything is, if anything failed.
    pub(super) fn finish(&self, outcomes: &[Outcome], seed: u64) -> Result<Option<PathBuf>, Failure> {
        let kept = self.kept.borrow();
        if kept.is_empty() {
            return Ok(None);
        }
        let cases: Vec<Value> = outcomes
            .iter()
            .map(|outcome| {
                json!({"name": outcome.case.to_string(), "verdict": outcome.verdict.name(), "ms": outcome.elapsed.as_millis() as u64})
            })
            .collect();
        let arguments: Vec<String> = std::env::args().collect();
        let run = json!({
            "command": arguments, "seed": seed, "about": self.about, "version": env!("CARGO_PKG_VERSION"),
            "failures": *kept, "cases": cases,
        });
        fs::write(self.folder.join("run.json"), format!("{run:#}\n"))
            .map_err(|error| Failure::Tests(format!("{} cannot be written: {error}", self.folder.display())))?;
        Ok(Some(self.folder.clone()))
    }
}

/// Letters, digits and hyphens.
fn slug(name: &str) -> String {
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase().chars().take(SLUG_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_folder() {
        let name = "assignment4 / key-value / a PUT of a new key must be 201 (fall 2021)";
        assert_eq!(slug(name), "assignment4-key-value-a-put-of-a-new-key-must-be-201-fall-2021");
    }
}
