//! The commands, one a file; each reads as its list of steps.

mod add;
mod aftermath;
mod bring_up;
mod build;
mod check;
mod clean;
mod down;
mod fault;
mod logs;
mod node;
mod prune;
mod reshard;
mod running;
mod session;
mod status;
mod subnet;
mod test;
mod ungrouped;
mod up;
mod validate;

use crate::cli::{Cli, Command, FaultCommand};
use crate::failure::Failure;
use crate::output::Output;
use session::Session;

/// Runs the command.
///
/// # Errors
/// Whatever the command could not do, with its exit code.
pub(crate) async fn run(cli: &Cli, output: &Output) -> Result<(), Failure> {
    let session = Session::open(&cli.global, output)?;
    let _hold = if changes(&cli.command) { Some(session.hold(&session.spec.name).await?) } else { None };
    match &cli.command {
        Command::Up { nodes } => up::run(&session, nodes).await,
        Command::Down { nodes, volumes } => down::run(&session, nodes, *volumes).await,
        Command::Prune => prune::run(&session).await,
        Command::Clean => clean::run(&session).await,
        Command::Build => build::run(&session).await,
        Command::Subnet => subnet::run(&session).await,
        Command::Node { name } => node::run(&session, name).await,
        Command::Ungrouped => ungrouped::run(&session).await,
        Command::Add { name, shard } => add::run(&session, name, shard.as_deref()).await,
        Command::Reshard { shards } => reshard::run(&session, *shards).await,
        Command::Fault { fault } => fault::run(&session, fault).await,
        Command::Status => status::run(&session).await,
        Command::Logs { nodes, follow, since, tail } => {
            logs::run(&session, nodes, logs::Wanted { follow: *follow, since: since.as_deref(), tail: *tail }).await
        }
        Command::Validate => validate::run(&session),
        Command::Check { history, html } => check::run(&session, history, html.as_deref()),
        Command::Test(arguments) => test::run(&session, arguments).await,
    }
}

/// Whether the command changes the cluster, so that no other may meanwhile.
fn changes(command: &Command) -> bool {
    match command {
        Command::Up { .. }
        | Command::Down { .. }
        | Command::Clean
        | Command::Subnet
        | Command::Node { .. }
        | Command::Ungrouped
        | Command::Add { .. }
        | Command::Reshard { .. } => true,
        Command::Fault { fault } => !matches!(fault, FaultCommand::List),
        // `prune` holds each project that it removes; the clusters of `test` are nobody else's.
        Command::Prune
        | Command::Build
        | Command::Status
        | Command::Logs { .. }
        | Command::Validate
        | Command::Check { .. }
        | Command::Test(_) => false,
    }
}
