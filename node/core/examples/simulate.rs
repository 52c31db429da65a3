//! Runs the cluster of the package `simulation` through many bad days: `--seeds N` from `--seed K` on.
//!
//! The last line are the totals. Exits with 1 when something went wrong, after telling which seed, what, and how to see it
//! again. `--bug NAME` plants a bug first; `--bugs` plants one after the other, and prints which seed finds it.
//! `--history FILE` writes down what the clients of one seed saw.

use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write},
    panic,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, error::ErrorKind};
use node_core::Bug;
use simulation::{Totals, first_catch, record, sweep, tables};

/// Runs simulated clusters through bad days, one for each seed.
#[derive(Parser)]
struct Arguments {
    /// Number of seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Lines of the trace shown for a failure.
    #[arg(long, default_value_t = 60)]
    lines: usize,
    /// Print the table of what met what.
    #[arg(long)]
    table: bool,
    /// Plant this bug.
    #[arg(long, value_parser = bug)]
    bug: Vec<Bug>,
    /// Plant each bug, or each that was named, and print the first seed that finds it: of `seeds` from `seed` on, and of
    /// the next as many.
    #[arg(long, conflicts_with = "table")]
    bugs: bool,
    /// Write what clients saw and what was broken to this file, for `orchestrator check`; of one seed, so with `--seeds 1`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["table", "bugs"])]
    history: Option<PathBuf>,
    /// Check nothing in the run that is written: a planted bug then runs to the end.
    #[arg(long, requires = "history")]
    blind: bool,
}

fn bug(name: &str) -> Result<Bug, String> {
    Bug::named(name).ok_or_else(|| format!("one of {}", Bug::names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic of a core is a violation, and told as one.
    panic::set_hook(Box::new(|_| ()));
    let result = match &arguments.history {
        Some(file) => write_down(&arguments, file),
        None if arguments.bugs => plant_all(&arguments),
        None => run(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        // What cannot be printed has no reader.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

fn run(arguments: &Arguments) -> std::io::Result<bool> {
    let mut output = std::io::stdout();
    let terminal = std::io::stderr().is_terminal();
    let totals: Totals =
        sweep(arguments.seed..arguments.seed + arguments.seeds, arguments.bug.first().copied(), |done| {
            if terminal && done % 10 == 0 {
                let _ = write!(std::io::stderr(), "\r{done} of {}\r", arguments.seeds);
            }
        });
    if let Some(first) = totals.failures.first() {
        for failure in &totals.failures {
            writeln!(output, "seed {}: {}", failure.seed, failure.what)?;
        }
        writeln!(output, "\n{}\n", first.explain(arguments.lines))?;
    }
    if arguments.table {
        writeln!(output, "{}", tables::met(&totals))?;
        for pair in tables::never_met(&totals) {
            writeln!(output, "never met: {pair}")?;
        }
    }
    if !totals.idle.is_empty() {
        writeln!(output, "too little was done with the seeds {:?}", totals.idle)?;
    }
    writeln!(
        output,
        "{} virtual s, replies {:?}, {} messages, {} lost, {} torn writes, {} times provisional, {} handed over, \
         {} given up, {} helped by an operator, hash {:016x}",
        totals.virtual_ms / 1_000,
        totals.replies,
        totals.messages,
        totals.lost_messages,
        totals.torn,
        totals.provisional,
        totals.drained,
        totals.given_up,
        totals.helped,
        totals.hash
    )?;
    writeln!(output, "{totals}")?;
    Ok(totals.failures.is_empty() && totals.idle.is_empty())
}

fn plant_all(arguments: &Arguments) -> std::io::Result<bool> {
    let mut output = std::io::stdout();
    let (first, seeds) = (arguments.seed, arguments.seeds);
    let ranges = [first..first + seeds, first + seeds..first + 2 * seeds];
    writeln!(output, "| bug | of {:?} | of {:?} | found as |\n|---|---:|---:|---|", ranges[0], ranges[1])?;
    let mut all = true;
    let bugs = if arguments.bug.is_empty() { Bug::ALL.as_slice() } else { &arguments.bug };
    for bug in bugs.iter().copied() {
        let catches = ranges.clone().map(|range| first_catch(range, bug));
        all &= catches.iter().all(Option::is_some);
        writeln!(output, "{}", tables::caught(bug, &catches))?;
    }
    Ok(all)
}

fn write_down(arguments: &Arguments, file: &Path) -> std::io::Result<bool> {
    let usage = |what: String| Arguments::command().error(ErrorKind::ValueValidation, what).exit();
    if arguments.seeds != 1 {
        usage("a history is of one seed: --history needs --seeds 1".to_owned());
    }
    let recording = record(arguments.seed, arguments.bug.first().copied(), !arguments.blind);
    let written = File::create(file).map(BufWriter::new).and_then(|mut target| {
        recording.history.write(&mut target)?;
        target.flush()
    });
    written.unwrap_or_else(|error| usage(format!("the history {} cannot be written: {error}", file.display())));
    let mut output = std::io::stdout();
    writeln!(output, "{} operations in {}", recording.history.operations().count(), file.display())?;
    if let Some(violation) = &recording.violation {
        writeln!(output, "seed {}: {violation}", arguments.seed)?;
    }
    Ok(recording.violation.is_none())
}
