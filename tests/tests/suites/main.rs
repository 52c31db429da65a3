//! The suites, tried on nodes that run in this process: once on nodes that answer as in 2019, and as far as that says more,
//! on nodes that answer as in 2021. A trial is a case; only the clusters of chosen ones are made.

mod breaking;
mod cluster;
mod dialect_run;

use std::{process::ExitCode, thread};

use conformance::Dialect;
use libtest_mimic::{Arguments, Trial};

use dialect_run::DialectRun;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (mut trials, mut runs): (Vec<Trial>, Vec<DialectRun>) = (Vec::new(), Vec::new());
    for dialect in [Dialect::Seed2019, Dialect::Spring2021] {
        let (run, its_trials) = DialectRun::prepare(dialect, &arguments);
        runs.push(run);
        trials.extend(its_trials);
    }
    trials.extend(breaking::tests());
    let running = (!arguments.list).then(|| thread::spawn(|| run(runs)));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(running) = running
        && running.join().is_err()
    {
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// Tries what was chosen, one dialect after the other.
fn run(runs: Vec<DialectRun>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for run in runs {
            run.run().await;
        }
    });
}
