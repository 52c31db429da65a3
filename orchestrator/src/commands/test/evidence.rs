//! The folder that a failed run leaves: for each failure what was expected, everything that was asked and answered, the
//! nodes' logs and state, what happened to their cluster since it was made; and what was run. Nothing is written when
//! nothing failed.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::PathBuf;

use conformance::{Outcome, Unmade, Verdict, faults};
use serde_json::{Value, json};

use super::subject::Subject;
use crate::evidence::{PARENT, folder, write_run, write_traces, write_transcript};
use crate::failure::Failure;

/// In the folder of a run of the suite `faults`.
const HISTORY: &str = "history.jsonl";
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
        Self { folder: folder(subject.run()), about: subject.about(), kept: RefCell::default() }
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
        match &outcome.verdict {
            Verdict::Failed(evidence) => {
                write_transcript(&folder, &evidence.transcript)?;
                write_traces(&folder, &evidence.traces)?;
            }
            Verdict::NotStarted(unmade) => write_traces(&folder, &unmade.traces)?,
            Verdict::Passed | Verdict::Skipped(_) | Verdict::NotTried => {}
        }
        self.kept.borrow_mut().push(name);
        Ok(())
    }

    /// Where the history of a run of the suite `faults` grows, until it is known whether it is evidence.
    pub(super) fn history(&self) -> PathBuf {
        self.folder.join(HISTORY)
    }

    /// Makes the folder of a run of the suite `faults`.
    pub(super) fn open(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)
    }

    /// Writes down what a run of the suite `faults` found, or that nobody can say; answers where everything is. Of one that
    /// was interrupted and found nothing, nothing is kept but a history that was cut off.
    pub(super) fn keep_run(&self, outcome: &faults::Outcome, seed: u64) -> io::Result<Option<PathBuf>> {
        let is_cut_off = outcome.interrupted && fs::metadata(self.history()).is_ok_and(|history| history.len() > 0);
        let is_unknown = !outcome.interrupted && !outcome.is_valid();
        if !outcome.is_invalid() && !is_cut_off && !is_unknown {
            return self.discard().map(|()| None);
        }
        let findings = outcome.findings.iter().map(ToString::to_string);
        let findings: Vec<String> = findings.chain([outcome.verdict.to_string()]).collect();
        fs::write(self.folder.join("findings.txt"), findings.join("\n\n") + "\n")?;
        write_traces(&self.folder, &outcome.traces)?;
        self.write_run(json!({"seed": seed, "interrupted": outcome.interrupted}))?;
        Ok(Some(self.folder.clone()))
    }

    /// Writes down why a run of the suite `faults` had no cluster to break; answers where everything is.
    pub(super) fn keep_unmade(&self, unmade: &Unmade, seed: u64) -> io::Result<PathBuf> {
        // Nothing has happened that it could tell.
        let _ = fs::remove_file(self.history());
        fs::write(self.folder.join("failure.txt"), format!("{}\n", unmade.reason))?;
        write_traces(&self.folder, &unmade.traces)?;
        self.write_run(json!({"seed": seed}))?;
        Ok(self.folder.clone())
    }

    /// Removes the folder of a run of the suite `faults`, which is no evidence of anything.
    pub(super) fn discard(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)?;
        // Others may be in there.
        let _ = fs::remove_dir(PARENT);
        Ok(())
    }

    fn write_run(&self, more: Value) -> io::Result<()> {
        write_run(&self.folder, [json!({"about": self.about}), more])
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
        self.write_run(json!({"seed": seed, "failures": *kept, "cases": cases}))
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
