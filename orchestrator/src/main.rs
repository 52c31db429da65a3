//! The shim: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    orchestrator::run(std::env::args_os())
}
