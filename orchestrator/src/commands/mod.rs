//! The commands, one a file; each reads as its list of steps.

mod add;
mod aftermath;
mod bench;
mod bring_up;
mod build;
mod check;
mod clean;
mod completions;
mod doctor;
mod down;
mod fault;
mod logs;
mod node;
mod plan;
mod prune;
mod remove;
mod reshard;
mod running;
mod schema;
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
    // These need no cluster, and so no file that can be read.
    match &cli.command {
        Command::Completions { shell } => return completions::run(output, *shell),
        Command::Schema => return schema::run(output),
        _ => {}
    }
    let session = Session::open(&cli.global, output)?;
    let _hold = if changes(&cli.command) { Some(session.hold(&session.spec.name).await?) } else { None };
    match &cli.command {
        Command::Up { nodes } => up::run(&session, nodes).await,
        Command::Plan { nodes, exit_code } => plan::run(&session, nodes, *exit_code).await,
        Command::Down { nodes, volumes } => down::run(&session, nodes, *volumes).await,
        Command::Prune => prune::run(&session).await,
        Command::Clean => clean::run(&session).await,
        Command::Build => build::run(&session).await,
        Command::Subnet => subnet::run(&session).await,
        Command::Node { name } => node::run(&session, name).await,
        Command::Ungrouped => ungrouped::run(&session).await,
        Command::Add { name, shard } => add::run(&session, name, shard.as_deref()).await,
        Command::Remove { name } => remove::run(&session, name).await,
        Command::Reshard { shards } => reshard::run(&session, *shards).await,
        Command::Fault { fault } => fault::run(&session, fault).await,
        Command::Status { watch } => status::run(&session, *watch).await,
        Command::Logs { nodes, follow, since, tail } => {
            logs::run(&session, nodes, logs::Wanted { follow: *follow, since: since.as_deref(), tail: *tail }).await
        }
        Command::Validate => validate::run(&session),
        Command::Check { history, html } => check::run(&session, history, html.as_deref()),
        Command::Bench(arguments) => bench::run(&session, arguments).await,
        Command::Test(arguments) => test::run(&session, arguments).await,
        Command::Doctor => doctor::run(&session).await,
        // Answered above.
        Command::Completions { .. } | Command::Schema => Ok(()),
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
        // `prune` holds each project that it removes, and `remove` tells its hold how far it is; the clusters of `test` are
        // nobody else's.
        Command::Prune
        | Command::Remove { .. }
        | Command::Build
        | Command::Plan { .. }
        | Command::Status { .. }
        | Command::Doctor
        | Command::Completions { .. }
        | Command::Schema
        | Command::Logs { .. }
        | Command::Validate
        | Command::Check { .. }
        | Command::Bench(_)
        | Command::Test(_) => false,
    }
}
