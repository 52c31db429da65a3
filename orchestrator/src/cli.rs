//! The command line: what a person may type. No behaviour lives here.

mod bench;
mod fault;
mod test;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ipnet::Ipv4Net;

pub(crate) use bench::{BenchArguments, DistributionChoice};
pub(crate) use fault::FaultCommand;
pub(crate) use test::{SuiteChoice, TestArguments};

const EXIT_CODES: &str = "\
Exit codes:
    0  done, or nothing to do
    1  tests failed; not healthy, or the cluster refused
    2  usage; also a question that nobody can answer
    3  cluster.yaml is invalid
    4  the container engine is unreachable
    5  the image is missing, or its build failed
    6  conflict: a port, subnet, address or name is taken; another orchestrator is changing the cluster
    7  not ready in time
    8  the verdict is unknown
    9  changes are pending (plan --exit-code)
  130  interrupted

Result on stdout, progress on stderr. DOCKER_HOST, NO_COLOR, CI and GITHUB_ACTIONS are honoured.";

/// Turns cluster.yaml into a running cluster, in containers or in plain processes.
#[derive(Debug, Parser)]
#[command(name = "orchestrator", version, after_help = EXIT_CODES, disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes; each also as `ORCHESTRATOR_…`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The cluster file; default: the nearest cluster.yaml upward, else the built-in one
    // Neither this nor `verbose` is `global`: `logs -f` follows and `down -v` means the volumes. `parse` gives both
    // flags to the other commands.
    #[arg(short, long, value_name = "FILE", env = "ORCHESTRATOR_FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The project: label of every object, prefix of the volumes [default: the file's name]
    #[arg(short, long, global = true, value_name = "PROJECT", env = "ORCHESTRATOR_PROJECT")]
    pub(crate) project: Option<String>,
    /// Containers or processes on this machine; auto: Docker when an engine answers
    #[arg(long, global = true, value_enum, default_value = "auto", env = "ORCHESTRATOR_RUNTIME")]
    pub(crate) runtime: RuntimeChoice,
    /// Another subnet than the file's, auto: a free one; every node keeps its place in it
    #[arg(long, global = true, value_name = "CIDR|auto", env = "ORCHESTRATOR_SUBNET", value_parser = subnet)]
    pub(crate) subnet: Option<SubnetChoice>,
    /// Run beside other clusters on this host: free subnet, free ports, own names; without -p also a project of the folder's
    #[arg(long, global = true, env = "ORCHESTRATOR_ISOLATE", value_parser = FalseyValueParser::new())]
    pub(crate) isolate: bool,
    /// Anyone's image instead of the file's, by name; it must be there already
    #[arg(long, global = true, value_name = "NAME", env = "ORCHESTRATOR_IMAGE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) image: Option<String>,
    /// How progress and results are written; auto: bars on a terminal, else lines
    #[arg(long, global = true, value_enum, default_value = "auto", env = "ORCHESTRATOR_OUTPUT")]
    pub(crate) output: OutputChoice,
    /// The deadline of every wait [default: 60s; reshard: 120s]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration, env = "ORCHESTRATOR_TIMEOUT")]
    pub(crate) timeout: Option<Duration>,
    /// While another orchestrator is changing the cluster, wait for it, up to --timeout, instead of failing
    #[arg(long, global = true, env = "ORCHESTRATOR_WAIT", value_parser = FalseyValueParser::new())]
    pub(crate) wait: bool,
    /// No progress, only results and errors
    #[arg(short, long, global = true, env = "ORCHESTRATOR_QUIET", value_parser = FalseyValueParser::new())]
    pub(crate) quiet: bool,
    /// Answer every question with yes
    #[arg(long, global = true, env = "ORCHESTRATOR_YES", value_parser = FalseyValueParser::new())]
    pub(crate) yes: bool,
    /// More detail: causes, image and compiler output
    #[arg(short, long, env = "ORCHESTRATOR_VERBOSE", value_parser = FalseyValueParser::new())]
    pub(crate) verbose: bool,
}

/// Where the nodes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeChoice {
    /// Docker when an engine answers, else processes
    Auto,
    /// Containers
    Docker,
    /// Processes on this machine
    Process,
}

/// Which subnet the network has instead of the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubnetChoice {
    /// A free one of the same size
    Auto,
    /// This one
    At(Ipv4Net),
}

fn subnet(text: &str) -> Result<SubnetChoice, String> {
    if text == "auto" {
        return Ok(SubnetChoice::Auto);
    }
    text.parse().map(SubnetChoice::At).map_err(|_| "neither a subnet such as 10.77.0.0/16 nor `auto`".to_owned())
}

/// How progress is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputChoice {
    /// Bars on a terminal, else plain
    Auto,
    /// One line per event
    Plain,
    /// One JSON object per event
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the cluster, or the named nodes, and wait until all agree
    Up {
        /// Nodes of the file [default: all]
        #[arg(value_name = "NODE")]
        nodes: Vec<String>,
    },
    /// Say what up would do, and why; only the node is compiled, and nothing else touched
    Plan {
        /// Nodes of the file [default: all]
        #[arg(value_name = "NODE")]
        nodes: Vec<String>,
        /// Exit with 9 when up would do anything
        #[arg(long)]
        exit_code: bool,
    },
    /// Stop and remove the cluster, or the named nodes; the data stays for the next up
    Down {
        /// Nodes, also added ones [default: all, and the network]
        #[arg(value_name = "NODE")]
        nodes: Vec<String>,
        /// Remove the volumes too, and with them the data
        #[arg(short = 'v', long)]
        volumes: bool,
    },
    /// Remove everything this tool left behind in any project (with -p: in that one)
    Prune,
    /// down -v, and the image
    Clean,
    /// Compile the node and build the image
    Build,
    /// Create the network
    Subnet,
    /// (Re)create and start one node
    Node {
        /// A node of the file
        name: String,
    },
    /// Start the nodes that belong to no shard
    Ungrouped,
    /// Add a node to the running cluster and make it a member of a shard
    Add {
        /// A node of the file, or a new name (next free address and port)
        name: String,
        /// The shard [default: the one with the fewest members]
        #[arg(long, value_name = "ID")]
        shard: Option<String>,
    },
    /// Take a node out of the running cluster; its data is moved to the others first
    Remove {
        /// A node that runs
        name: String,
    },
    /// Change the number of shards
    Reshard {
        /// How many
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        shards: u32,
    },
    /// Break the running cluster on purpose, and mend it
    #[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
    Fault {
        #[command(subcommand)]
        fault: FaultCommand,
    },
    /// State, health, address, URL, shard, keys, faults of every node
    Status {
        /// Again every second, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// The nodes' logs, merged
    Logs {
        /// Nodes [default: all]
        #[arg(value_name = "NODE")]
        nodes: Vec<String>,
        /// Go on as new lines come
        #[arg(short = 'f', long)]
        follow: bool,
        /// Only lines of the last TIME (90s, 5m) or since an RFC 3339 time
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only the last N lines of each node
        #[arg(long, value_name = "N")]
        tail: Option<u64>,
    },
    /// Check the cluster file
    Validate,
    /// Print the JSON Schema of the cluster file, by which editors complete and check it
    Schema,
    /// Print what a shell completes this tool's commands with
    Completions {
        /// Whose
        #[arg(value_enum)]
        shell: ShellChoice,
    },
    /// Say whether everything is there that up needs, and what helps where it is not
    Doctor,
    /// Judge the history of a run of `test --suite faults` again
    Check {
        /// The history, a file of JSON lines
        #[arg(value_name = "FILE")]
        history: PathBuf,
        /// Draw it: a page for a browser, which needs nothing else
        #[arg(long, value_name = "PAGE")]
        html: Option<PathBuf>,
    },
    /// Load on the running cluster: how much it does, and how soon it answers
    Bench(BenchArguments),
    /// Run the assignment's tests: on fresh clusters of their own, beside whatever runs
    Test(TestArguments),
}

/// A shell that completes what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellChoice {
    /// source <(orchestrator completions bash)
    Bash,
    /// source <(orchestrator completions zsh), after compinit
    Zsh,
    /// orchestrator completions fish | source
    Fish,
}

/// A generation of the course, as people ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectChoice {
    /// Lists as strings, port 8080
    #[value(name = "2019")]
    Y2019,
    /// Lists as arrays, port 8085; also 2020
    #[value(name = "2021")]
    Spring2021,
    /// The paths /kvs, /view, /shard, port 8090
    #[value(name = "fall2021")]
    Fall2021,
}

impl Cli {
    /// The command line, or clap's own message (help and version included).
    pub(crate) fn parse_from_args(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(args)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        let mut deepest = &matches;
        while let Some((_, sub)) = deepest.subcommand() {
            if let Some(file) = sub.get_one::<PathBuf>("file") {
                cli.global.file = Some(file.clone());
            }
            cli.global.verbose |= sub.get_flag("verbose");
            deepest = sub;
        }
        Ok(cli)
    }
}

/// The command with `-f` and `-v` also after the subcommand, where that letter has no other meaning there.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommands(with_file_and_verbose)
}

fn with_file_and_verbose(command: clap::Command) -> clap::Command {
    let file = Arg::new("file")
        .long("file")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("The cluster file");
    let verbose = Arg::new("verbose").long("verbose").action(ArgAction::SetTrue).help("More detail");
    let file = if command.get_name() == "logs" { file } else { file.short('f') };
    let verbose = if command.get_name() == "down" { verbose } else { verbose.short('v') };
    command.mut_subcommands(with_file_and_verbose).arg(file).arg(verbose)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Cli {
        let args = std::iter::once("orchestrator").chain(line.split_whitespace()).map(Into::into);
        Cli::parse_from_args(args).expect(line)
    }

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_letters_f_and_v_mean_what_the_command_says() {
        assert_eq!(parse("up -f a.yaml -v").global.file, Some("a.yaml".into()));
        assert!(parse("up -v").global.verbose);
        assert!(parse("-v down").global.verbose);
        let down = parse("down -v");
        assert!(!down.global.verbose);
        assert!(matches!(down.command, Command::Down { volumes: true, .. }));
        let logs = parse("-f a.yaml logs -f node1");
        assert_eq!(logs.global.file, Some("a.yaml".into()));
        assert!(matches!(logs.command, Command::Logs { follow: true, .. }));
        let fault = parse("fault -f a.yaml kill -v node1").global;
        assert_eq!((fault.file, fault.verbose), (Some("a.yaml".into()), true));
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in ["-p x --timeout 90s status", "status -p x --timeout 90s"] {
            let global = parse(line).global;
            assert_eq!(global.project.as_deref(), Some("x"));
            assert_eq!(global.timeout, Some(Duration::from_secs(90)));
        }
    }
}
