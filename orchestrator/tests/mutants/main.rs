//! The tests of the tests: a node that breaks one clause of the contract must fail the cases that name the clause, and no
//! others.
//!
//! That every mutant still applies is always checked. Running them compiles the node anew and tries all suites for each,
//! so that is asked for with `MUTANTS=1`.

#[path = "../stage/mod.rs"]
mod stage;

mod mutant;
mod sources;
mod table;
mod verdicts;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use mutant::Mutant;
use sources::Sources;
use verdicts::Verdicts;

/// Why the runs are ignored unless they are asked for.
const REASON: &str = "takes 20 minutes; MUTANTS=1 runs it";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share one copy of the sources, and the machine.
    arguments.test_threads = Some(1);
    let asked_for = std::env::var("MUTANTS").is_ok_and(|value| value == "1");
    let checks = table::ALL.iter().map(|mutant| {
        Trial::test(format!("the_mutant_of_{}_must_apply", mutant.clause), || mutant.check().map_err(Failed::from))
    });
    let unbroken = run("an_unbroken_node_must_pass_every_case".to_owned(), asked_for, || try_out(None)?.all_passed());
    let runs = table::ALL.iter().map(|mutant| {
        let name = format!("breaking_{}_must_fail_its_cases_and_no_others", mutant.clause);
        run(name, asked_for, || try_out(Some(mutant))?.are_those_of(mutant))
    });
    let trials = checks.chain([unbroken]).chain(runs).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run(name: String, asked_for: bool, trial: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    let trial = Trial::test(name, || trial().map_err(Failed::from));
    if asked_for { trial } else { trial.with_kind(REASON).with_ignored_flag(true) }
}

/// Runs all suites against the node of this workspace, broken as the mutant says.
fn try_out(mutant: Option<&Mutant>) -> Result<Verdicts, String> {
    // Kept between the runs, so that only the node is compiled anew.
    let area = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let sources = Sources::new(area.join("workspace"));
    sources.write(mutant).map_err(|error| format!("the copy of the sources: {error}"))?;
    let folder = area.join("runs").join(mutant.map_or("unbroken", |mutant| mutant.clause));
    Verdicts::of_run(&folder, sources.folder(), &area.join("target"))
}
