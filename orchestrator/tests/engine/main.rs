//! A cluster on a real engine. Where there is none the tests are reported as ignored, with the reason as their kind; with
//! `REQUIRE_ENGINE=1` they fail instead.

#[path = "../stage/mod.rs"]
mod stage;

mod clients;
mod cluster;
mod comparison;
mod conflicts;
mod doctor;
mod faults;
mod foreign;
mod image;
mod isolation;
mod killed;
mod load;
mod outage;
mod proxy;
mod refusals;
mod removal;
mod rolling;
mod suites;
mod verdicts;

use std::process::{Command, ExitCode};
use std::sync::{PoisonError, RwLock};

use libtest_mimic::{Arguments, Failed, Trial};

/// A scenario: what must be so, as a name, and the code that tries it.
type Scenario = (&'static str, fn());

/// Held alone by the scenarios that measure times: they would measure the compilers of the others.
static MACHINE: RwLock<()> = RwLock::new(());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = missing_engine();
    let required = std::env::var("REQUIRE_ENGINE").is_ok_and(|value| value == "1");
    let shared = [
        cluster::ALL,
        comparison::ALL,
        conflicts::ALL,
        doctor::ALL,
        faults::ALL,
        image::ALL,
        isolation::ALL,
        killed::ALL,
        refusals::ALL,
        removal::ALL,
    ]
    .concat();
    let alone = [
        faults::TIMED,
        foreign::ALL,
        isolation::CROWDED,
        load::ALL,
        outage::ALL,
        rolling::ALL,
        suites::ALL,
        verdicts::ALL,
    ]
    .concat();
    let shared = shared.into_iter().map(|(name, scenario)| (name, beside as fn(fn()), scenario));
    let alone = alone.into_iter().map(|(name, scenario)| (name, by_itself as fn(fn()), scenario));
    let trials =
        shared.chain(alone).map(|(name, how, run)| trial(name, move || how(run), missing.as_deref(), required));
    let trials = trials.collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if missing.is_none() && !arguments.list {
        // The image that the scenarios share; when none of them ran there is nothing to remove.
        let _ = Command::new("docker").args(["rmi", &stage::image()]).output();
    }
    conclusion.exit_code()
}

/// Runs beside others.
fn beside(scenario: fn()) {
    let _machine = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    scenario();
}

/// Runs while no other does.
fn by_itself(scenario: fn()) {
    let _machine = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    scenario();
}

fn trial(name: &'static str, scenario: impl FnOnce() + Send + 'static, missing: Option<&str>, required: bool) -> Trial {
    match missing {
        Some(reason) if required => {
            let reason = format!("REQUIRE_ENGINE=1, but {reason}");
            Trial::test(name, move || Err(Failed::from(reason)))
        }
        Some(reason) => Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true),
        None => Trial::test(name, move || {
            scenario();
            Ok(())
        }),
    }
}

/// Why there is no engine to run on.
fn missing_engine() -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = stage::orchestrator(folder.path());
    let done = stage::run(command.args(["--runtime", "docker", "-p", "nobodys", "down"]));
    match done.code {
        0 => docker_missing(),
        _ => Some(done.stderr.lines().next().unwrap_or("no engine").trim_start_matches("error: ").to_owned()),
    }
}

/// The scenarios make strangers' things with the `docker` command.
fn docker_missing() -> Option<String> {
    let runs = Command::new("docker").arg("version").output().is_ok_and(|output| output.status.success());
    (!runs).then(|| "there is no docker command".to_owned())
}
