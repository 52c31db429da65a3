//! Runs clusters of the package `simulation` whose messages and tokens are altered on their way, to see that no core panics.
//!
//! The last line are the totals. Exits with 1 after a panic, whose seed it tells.

#![allow(clippy::disallowed_methods, reason = "the clock decides how many seeds there are, not what happens in them")]

use std::{
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use simulation::tamper;

/// Alters bytes of messages and tokens in simulated clusters, and looks for panics.
#[derive(Parser)]
struct Arguments {
    /// How long seeds are begun, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Number of seeds, at most.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    let Arguments { seconds, seeds, seed: first } = Arguments::parse();
    let end = Instant::now() + Duration::from_secs(seconds);
    let tampered = tamper(first, |seed| seed - first < seeds && Instant::now() < end);
    let mut output = std::io::stdout();
    for (seed, words) in &tampered.panics {
        let _ = writeln!(output, "seed {seed} panics: {words}");
    }
    let panics = tampered.panics.len();
    let _ = writeln!(
        output,
        "{} seeds from {first} on, {} messages, {} messages and tokens altered, {panics} panics",
        tampered.seeds, tampered.messages, tampered.altered
    );
    // Where nothing was altered, nothing was tried.
    if panics == 0 && tampered.altered > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
