//! The orchestrator: turns `cluster.yaml` into a running cluster, in containers or in plain processes.
//!
//! Data walks one way: `spec` (what is wanted) and `observed` (what is there) → `plan` (pure) → `apply` (executes exactly
//! that) → `readiness` (waits until it is true). `runtime` is the seam behind which Docker and processes live; `commands`
//! read as their lists of steps; `output` is the only place that prints; `failure` is where errors become exit codes.

mod apply;
mod build;
mod cli;
mod client;
mod commands;
mod diagnosis;
mod evidence;
mod failure;
mod hold;
mod interrupt;
mod isolation;
mod kept_logs;
mod labels;
mod launch;
mod observed;
mod output;
mod partition;
mod plan;
mod readiness;
mod runtime;
mod spec;
mod state;
mod testbed;

use std::ffi::OsString;
use std::process::ExitCode;

use build::AS_NODE;
use cli::Cli;
use output::Output;

/// Runs the command line `args`, the program's name first; or the node, where the first word says so.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|word| word == AS_NODE) {
        return node::command(args.into_iter().skip(2));
    }
    let cli = match Cli::parse_from_args(args) {
        Ok(cli) => cli,
        Err(message) => {
            // Help and version are such messages too. One that cannot be written has no reader.
            let _ = message.print();
            return ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2));
        }
    };
    let output = Output::new(&cli.global);
    let result = tokio::runtime::Runtime::new()
        .map_err(|error| failure::Failure::Engine(format!("cannot start: {error}")))
        .and_then(|runtime| {
            let result = runtime.block_on(commands::run(&cli, &output));
            // A log that is still read, or a compiler that was left, must not keep us.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
