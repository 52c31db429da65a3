//! The tests of the suite `faults`: a store with a bug in its core must be found out by what its clients see, within two
//! minutes and two seeds, with a story that the bug can have written; the same store without one must not.
//!
//! A run takes as long as a run takes, so that is asked for with `PLANTED=1`; it needs an engine.

#[path = "../stage/mod.rs"]
mod stage;

mod image;
mod run;
mod table;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use image::Image;
use run::Run;
use table::Planted;

/// Why the runs are ignored unless they are asked for.
const REASON: &str = "takes two to five minutes for each bug; PLANTED=1 runs it";
/// The second is for what the first does not happen to meet.
const SEEDS: [u64; 2] = [1, 2];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A cluster that is broken has the machine to itself.
    arguments.test_threads = Some(1);
    let asked_for = std::env::var("PLANTED").is_ok_and(|value| value == "1");
    let honest = trial("a_store_without_a_bug_must_be_valid".to_owned(), asked_for, must_be_valid);
    let found = table::ALL.iter().map(|planted| {
        trial(format!("a_store_with_{}_must_be_found_out", planted.bug), asked_for, || must_be_found_out(planted))
    });
    let trials = [honest].into_iter().chain(found).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: String, asked_for: bool, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    let trial = Trial::test(name, || run().map_err(Failed::from));
    if asked_for { trial } else { trial.with_kind(REASON).with_ignored_flag(true) }
}

fn must_be_valid() -> Result<(), String> {
    let image = Image::with(None)?;
    for seed in SEEDS {
        let run = Run::of(&image, seed)?;
        if !run.valid {
            return Err(format!("seed {seed}: not valid\n{}", run.told));
        }
        tell(&format!("without a bug, seed {seed}: valid after {} s", run.seconds));
    }
    Ok(())
}

fn must_be_found_out(planted: &Planted) -> Result<(), String> {
    let image = Image::with(Some(planted.bug))?;
    for seed in SEEDS {
        let run = Run::of(&image, seed)?;
        if let Some(story) = run.story_of(planted.shows) {
            tell(&format!(
                "{}, seed {seed}: {} after {} s of breaking, the run over after {} s\n{}",
                planted.bug, story.pattern, story.at_seconds, run.seconds, story.text
            ));
            return story.is_short();
        }
        if !run.valid {
            let shows = planted.shows;
            return Err(format!("{}, seed {seed}: none of {shows:?}\n{}", planted.bug, run.told));
        }
    }
    Err(format!("{} was not found with any seed of {SEEDS:?}", planted.bug))
}

#[expect(clippy::print_stdout, reason = "the story is for people, also when the test passes")]
fn tell(text: &str) {
    println!("{text}");
}
