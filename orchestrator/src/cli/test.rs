//! What a person may type after `test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use conformance::faults::Kind;

use super::DialectChoice;

/// What to test, and how to tell of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct TestArguments {
    /// Only tests whose name contains this
    pub(crate) filter: Option<String>,
    /// Which suites [default: assignment3,assignment4]; `faults` runs alone
    #[arg(long, value_name = "SUITE", value_delimiter = ',')]
    pub(crate) suite: Vec<SuiteChoice>,
    /// Anyone's sources: a folder with a Dockerfile
    #[arg(long, value_name = "DIR")]
    pub(crate) build: Option<PathBuf>,
    /// The generation of the course [default: the file's]
    #[arg(long, value_enum)]
    pub(crate) dialect: Option<DialectChoice>,
    /// All of the contract, also for a foreign image; ours is always held to all of it
    #[arg(long)]
    pub(crate) strict: bool,
    /// What the tests choose by
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How long the suite `faults` breaks its cluster [default: 120]
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// Which faults the suite `faults` makes [default: all]; an unknown one lists them
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind_of_fault)]
    pub(crate) kinds: Vec<Kind>,
    /// Where the suite `faults` writes its history [default: the evidence, when something was found]
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// Clusters at a time [default: 2 for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Leave the clusters on which a test failed running
    #[arg(long)]
    pub(crate) keep: bool,
    /// Test the running cluster, only with tests that destroy nothing
    #[arg(long, conflicts_with_all = ["build", "keep"])]
    pub(crate) attach: bool,
    /// Write a JUnit file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Only say which tests there are
    #[arg(long)]
    pub(crate) list: bool,
}

fn kind_of_fault(name: &str) -> Result<Kind, String> {
    Kind::named(name).ok_or_else(|| format!("there are {}", Kind::ALL.map(Kind::name).join(", ")))
}

/// A suite, as people ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum SuiteChoice {
    /// Replicas of one key space
    Assignment3,
    /// Shards
    Assignment4,
    /// Clients on a cluster that is broken
    Faults,
}
