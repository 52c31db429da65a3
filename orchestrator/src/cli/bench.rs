//! What a person may type after `bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use load::Mix;

use super::DialectChoice;

/// What load to make.
#[derive(Debug, Clone, Args)]
pub(crate) struct BenchArguments {
    /// Clients, each with a connection of its own
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,
    /// How long is counted
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// How long before that nothing is
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(crate) warm_up: u64,
    /// Operations that are due each second, also while others are not answered [default: each client asks when it is answered]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Shares of the operations
    #[arg(long, default_value = "get=50,put=50")]
    pub(crate) mix: Mix,
    /// How many keys; all are written before
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keys: u32,
    /// The size of each value
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(..1 << 20))]
    pub(crate) value_bytes: u32,
    /// Which keys are asked for more than others
    #[arg(long, value_enum, default_value = "uniform")]
    pub(crate) distribution: DistributionChoice,
    /// What the clients choose by
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Nodes that the clients are connected to [default: all]
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub(crate) node: Vec<String>,
    /// No client sends its causal token back, so that no operation waits for another
    #[arg(long)]
    pub(crate) independent: bool,
    /// The generation of the course, by whose paths the clients ask [default: the file's]
    #[arg(long, value_enum)]
    pub(crate) dialect: Option<DialectChoice>,
    /// What has changed since: a file with the result of `--output json bench`
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,
}

/// How often each key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DistributionChoice {
    /// All alike
    Uniform,
    /// A few often, most seldom
    Zipf,
}
