//! What `orchestrator test` says of each case, and whether that is what a mutant must come to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::mutant::Mutant;
use crate::stage;

/// Exit codes of a run in which every case was tried: all passed, or some failed.
const TRIED: [i32; 2] = [0, 1];

/// What came of one case.
struct Outcome {
    verdict: String,
    clauses: Vec<String>,
    reason: String,
}

/// What came of each case that this machine can try, by name.
pub(crate) struct Verdicts(BTreeMap<String, Outcome>);

impl Verdicts {
    /// Runs the suites on processes, with the node of the sources in `workspace`; its files and the evidence of failures are
    /// in `folder` afterwards.
    pub(crate) fn of_run(folder: &Path, workspace: &Path, target: &Path) -> Result<Self, String> {
        let unusable = |error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(unusable)?;
        }
        fs::create_dir_all(folder).map_err(unusable)?;
        let mut command = stage::orchestrator(folder);
        command
            .env("CARGO_TARGET_DIR", target)
            // Of the node little changes from one mutant to the next, and how fast it is does not matter.
            .envs([("CARGO_INCREMENTAL", "1"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")])
            .arg("-f")
            .arg(workspace.join("cluster.yaml"))
            .args(["--runtime", "process", "--output", "json", "test"]);
        let done = stage::run(&mut command);
        let verdicts = Self::read(&done.stderr);
        if !TRIED.contains(&done.code) || verdicts.0.is_empty() {
            return Err(format!("exit code {}\n{}", done.code, done.stderr));
        }
        Ok(verdicts)
    }

    /// Reads the events of the command.
    fn read(events: &str) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let events = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ended = events.filter(|event| event["event"] == "test.finished" && event["verdict"] != "skipped");
        let outcomes = ended.map(|event| {
            let clauses = event["clauses"].as_array().into_iter().flatten().map(text).collect();
            let outcome = Outcome { verdict: text(&event["verdict"]), clauses, reason: text(&event["reason"]) };
            (text(&event["name"]), outcome)
        });
        Self(outcomes.collect())
    }

    /// Nothing may have failed.
    pub(crate) fn all_passed(&self) -> Result<(), String> {
        self.differ(|_, _| false)
    }

    /// What failed must be what the mutant must fail, which is something.
    pub(crate) fn are_those_of(&self, mutant: &Mutant) -> Result<(), String> {
        if !self.0.iter().any(|(name, outcome)| outcome.must_fail(name, mutant)) {
            return Err(format!("no case that can be tried here names `{}`", mutant.clause));
        }
        self.differ(|name, outcome| outcome.must_fail(name, mutant))
    }

    fn differ(&self, must_fail: impl Fn(&str, &Outcome) -> bool) -> Result<(), String> {
        let wrong = self.0.iter().filter_map(|(name, outcome)| {
            let wanted = if must_fail(name, outcome) { "failed" } else { "passed" };
            let Outcome { verdict, reason, .. } = outcome;
            (verdict != wanted).then(|| format!("{name}: must have {wanted}, but {verdict} {reason}"))
        });
        let wrong: Vec<String> = wrong.collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}

impl Outcome {
    fn must_fail(&self, name: &str, mutant: &Mutant) -> bool {
        let clauses: Vec<&str> = self.clauses.iter().map(String::as_str).collect();
        mutant.fails(name, &clauses)
    }
}
