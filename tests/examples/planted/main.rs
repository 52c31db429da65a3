//! Which planted bugs of the core the judge of histories finds by what clients see, and from how many seeds: a table. The
//! simulation's own checks are off, so every run goes on to its end, unless a core panics.

use std::{
    collections::BTreeMap,
    io::Write,
    ops::Range,
    panic,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use clap::Parser;
use conformance::check::{Pattern, Verdict, check};
use node_core::Bug;
use simulation::record;

/// Of the seeds that find a bug, so many are named.
const SEEDS_SHOWN: usize = 3;

/// Prints which planted bugs are found by what clients see.
#[derive(Parser)]
struct Arguments {
    /// Number of seeds for each bug.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only these bugs; `none` is the unbroken core.
    #[arg(long, value_parser = bug)]
    bug: Vec<Planted>,
}

/// A bug, or none.
#[derive(Clone, Copy)]
struct Planted(Option<Bug>);

impl Planted {
    fn all() -> impl Iterator<Item = Self> {
        [None].into_iter().chain(Bug::ALL.map(Some)).map(Self)
    }

    fn name(self) -> String {
        self.0.map_or("none".to_owned(), |bug| format!("{bug:?}"))
    }
}

fn bug(name: &str) -> Result<Planted, String> {
    let known = || Planted::all().map(Planted::name).collect::<Vec<_>>().join(", ");
    Planted::all().find(|planted| planted.name() == name).ok_or_else(|| format!("one of {}", known()))
}

/// What the seeds came to with one bug.
#[derive(Default)]
struct Row {
    /// Seeds whose history is invalid.
    invalid: Vec<u64>,
    /// Seeds of which nothing can be known, because a core panicked or the cluster never came to rest.
    unknown: u64,
    /// In how many histories each pattern was found.
    patterns: BTreeMap<Pattern, u64>,
}

impl Row {
    fn of(bug: Option<Bug>, seeds: Range<u64>) -> Self {
        let mut row = Self::default();
        let mut verdicts = verdicts(bug, seeds);
        verdicts.sort_unstable_by_key(|(seed, _)| *seed);
        for (seed, verdict) in verdicts {
            match verdict {
                Verdict::Valid => {}
                Verdict::Unknown(_) => row.unknown += 1,
                Verdict::Invalid(findings) => {
                    row.invalid.push(seed);
                    let mut patterns: Vec<Pattern> = findings.iter().map(|finding| finding.pattern).collect();
                    patterns.sort_unstable();
                    patterns.dedup();
                    patterns.into_iter().for_each(|pattern| *row.patterns.entry(pattern).or_default() += 1);
                }
            }
        }
        row
    }

    fn line(&self, name: &str) -> String {
        let seeds: Vec<String> = self.invalid.iter().take(SEEDS_SHOWN).map(u64::to_string).collect();
        let mut patterns: Vec<_> = self.patterns.iter().collect();
        patterns.sort_by_key(|(pattern, count)| (u64::MAX - **count, **pattern));
        let patterns: Vec<String> = patterns.iter().map(|(pattern, count)| format!("{pattern:?} {count}")).collect();
        let (invalid, unknown) = (self.invalid.len(), self.unknown);
        format!("| {name} | {invalid} | {unknown} | {} | {} |", seeds.join(", "), patterns.join(", "))
    }
}

fn verdicts(bug: Option<Bug>, seeds: Range<u64>) -> Vec<(u64, Verdict)> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut verdicts = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return verdicts;
            }
            verdicts.push((seed, check(&record(seed, bug, false).history)));
        }
    };
    thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic of a core ends its run, and is told as unknown.
    panic::set_hook(Box::new(|_| ()));
    match table(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // What cannot be printed has no reader.
        Err(_) => ExitCode::FAILURE,
    }
}

fn table(arguments: &Arguments) -> std::io::Result<()> {
    let seeds = arguments.seed..arguments.seed + arguments.seeds;
    let mut output = std::io::stdout();
    writeln!(output, "| bug | invalid of {seeds:?} | unknown | first seeds | in how many histories |")?;
    writeln!(output, "|---|---:|---:|---|---|")?;
    let bugs = if arguments.bug.is_empty() { Planted::all().collect() } else { arguments.bug.clone() };
    for planted in bugs {
        writeln!(output, "{}", Row::of(planted.0, seeds.clone()).line(&planted.name()))?;
    }
    Ok(())
}
