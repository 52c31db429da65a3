//! One run of the suite `faults`, as a user runs it, and what it says.

use std::time::Instant;

use conformance::check::Pattern;
use serde_json::Value;

use crate::image::Image;
use crate::stage::{orchestrator, run};

/// How long the cluster is broken.
const SECONDS: &str = "120";
/// Exit codes of a run that came to a verdict: nothing found, or something.
const JUDGED: [i32; 2] = [0, 1];
/// Lines of a story with what follows from it.
const STORY_LINES_MAX: usize = 8;

/// What came of a run.
pub(crate) struct Run {
    pub(crate) valid: bool,
    /// The shortest first.
    stories: Vec<Story>,
    /// From beginning to end, with the making of the cluster and the judging.
    pub(crate) seconds: u64,
    /// All that it said.
    pub(crate) told: String,
}

/// What is wrong, and how that is seen.
pub(crate) struct Story {
    pub(crate) pattern: String,
    /// When all of it had happened.
    pub(crate) at_seconds: u64,
    pub(crate) text: String,
}

impl Run {
    /// Breaks a cluster of this image by the seed.
    pub(crate) fn of(image: &Image, seed: u64) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
        let mut command = orchestrator(folder.path());
        command.args(["--runtime", "docker", "--output", "json", "-p", &format!("planted{}", std::process::id())]);
        command.args(["test", "--suite", "faults", "--image", image.name()]);
        let began = Instant::now();
        let done = run(command.args(["--seconds", SECONDS, "--seed", &seed.to_string()]));
        let result = serde_json::from_str::<Value>(done.stdout.trim()).ok();
        let Some(result) = result.filter(|_| JUDGED.contains(&done.code)) else {
            return Err(format!("exit code {}\n{}", done.code, done.stderr));
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let stories = result["stories"].as_array().into_iter().flatten().map(|story| Story {
            pattern: text(&story["pattern"]),
            at_seconds: story["at_ms"].as_u64().unwrap_or_default() / 1000,
            text: text(&story["text"]),
        });
        let seconds = began.elapsed().as_secs();
        Ok(Self { valid: result["valid"] == true, stories: stories.collect(), seconds, told: done.stdout })
    }

    /// The shortest story of one of these patterns.
    pub(crate) fn story_of(&self, patterns: &[Pattern]) -> Option<&Story> {
        let is_one = |story: &&Story| patterns.iter().any(|pattern| format!("{pattern:?}") == story.pattern);
        self.stories.iter().find(is_one)
    }
}

impl Story {
    /// Nobody reads a long one.
    pub(crate) fn is_short(&self) -> Result<(), String> {
        let lines = self.text.lines().count();
        if lines <= STORY_LINES_MAX { Ok(()) } else { Err(format!("a story of {lines} lines:\n{}", self.text)) }
    }
}
