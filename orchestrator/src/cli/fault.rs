//! `fault …`: what a person may break, and mend.

use clap::{Args, Subcommand};

/// The faults.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// End nodes at once (SIGKILL)
    Kill(Victims),
    /// End nodes as they are used to (SIGTERM)
    Stop(Victims),
    /// Start nodes that ended, with the disk that they had
    Start(Victims),
    /// Let nodes do nothing any more, and keep all that they have
    Pause(Victims),
    /// Let paused nodes go on
    Resume(Victims),
    /// End nodes at once and empty their disks; start brings them back
    Wipe(Victims),
    /// Set groups of nodes apart: node1,node2 / node3,node4; nodes not named reach all
    Partition {
        /// Two groups or more, with `/` or a space between them
        #[arg(value_name = "GROUP", required = true)]
        groups: Vec<String>,
        /// Only what the first group sends to the second is lost
        #[arg(long)]
        one_way: bool,
    },
    /// Set nodes apart from all others
    Isolate(Victims),
    /// End all faults: no cuts, what is paused goes on, what ended is started
    Heal,
    /// The faults that are there
    List,
}

/// To whom it is done.
#[derive(Debug, Args)]
pub(crate) struct Victims {
    /// Nodes, also added ones
    #[arg(value_name = "NODE", required = true)]
    pub(crate) nodes: Vec<String>,
}
