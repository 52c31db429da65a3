//! Cuts one node off from others, from inside its network namespace, and proves it.
//!
//! It runs in a container of its own that shares the namespace, so that a node's image needs no tools. On standard output
//! it writes one report a line. On SIGTERM it takes its cuts away and goes on probing, so that healing is seen too.
//! It must not touch anything but neighbour entries of its own.

// The kernel's neighbour tables are Linux's, and so is everything here.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

mod arguments;
#[cfg(target_os = "linux")]
mod neighbours;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod run;

use std::process::ExitCode;

use arguments::Arguments;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let ended = Arguments::parse(std::env::args().skip(1)).and_then(run::run);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    complain("only Linux has the namespaces that this is for");
    ExitCode::FAILURE
}

#[expect(clippy::print_stderr, reason = "why the process ends, for whoever reads its log")]
fn complain(message: &str) {
    eprintln!("{message}");
}
