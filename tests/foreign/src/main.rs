//! `foreign`: a store as a student of the course would write it, simple and in memory. It knows the contract's environment
//! and nothing of the node of this workspace. `FLAW` makes it do one thing wrong, so that there is something to find.
//!
//! It promises what the course asks of everyone while nodes start, join, end and reshard. It must not be taken for more: it
//! keeps nothing on disk, and a rearrangement during a partition may lose writes.

mod heartbeat;
mod holding;
mod internal;
mod key_value;
mod node;
mod rearrange;
mod reply;
mod server;
mod setup;
mod shard;
mod state;
mod version;
mod view;

use std::{
    io::{self, Write},
    panic,
    process::{self, ExitCode},
};

use setup::{Flaw, Setup};
use tokio::signal::unix::{SignalKind, signal};

/// The environment is wrong.
const EXIT_USAGE: u8 = 2;
/// What Rust itself exits with when the main thread panics.
const EXIT_PANIC: i32 = 101;

#[tokio::main]
async fn main() -> ExitCode {
    // A panic anywhere is the end of the process, as in most languages.
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        report(panic);
        process::exit(EXIT_PANIC);
    }));
    let setup = match Setup::from_environment() {
        Ok(setup) => setup,
        Err(error) => return fail(EXIT_USAGE, &error),
    };
    let ignores_sigterm = setup.flaw == Some(Flaw::IgnoresSigterm);
    tokio::select! {
        result = server::serve(setup) => match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, &error.to_string()),
        },
        _ = terminated(ignores_sigterm) => ExitCode::SUCCESS,
    }
}

/// Without a handler the first process of a container would not hear SIGTERM, and any other would die of it.
async fn terminated(ignores_sigterm: bool) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        terminate.recv().await;
        if !ignores_sigterm {
            return Ok(());
        }
    }
}

fn fail(code: u8, line: &str) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "foreign: {line}");
    ExitCode::from(code)
}
