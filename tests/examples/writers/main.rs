//! Load for `tests/crash.sh`: clients that write down what was acknowledged to them, and a look whether it is still there.
//!
//! `writers --url … --ledger FILE --prefix run1` writes until the nodes are killed; `writers --url … --ledger FILE --verify`
//! reads everything in the ledger back from every node and exits with 1 when anything is missing.

#![expect(clippy::print_stdout, reason = "a command")]

mod ledger;
mod load;
mod verify;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::task::JoinSet;

use ledger::{History, Ledger};
use load::Load;

/// Of everything that is missing, so much is shown.
const SHOWN: usize = 2;

/// Writes until the nodes are killed, or reads everything back.
#[derive(Parser)]
struct Arguments {
    /// A node; repeat it for all
    #[arg(long = "url", required = true)]
    urls: Vec<String>,
    /// The file to which every write and acknowledgement is added
    #[arg(long)]
    ledger: PathBuf,
    /// Clients that write at the same time
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// What the keys begin with; another for every load of one ledger
    #[arg(long, default_value = "w")]
    prefix: String,
    /// The load ends at the latest after so many seconds
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Read all acknowledged writes back instead
    #[arg(long)]
    verify: bool,
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.verify {
        return verify(&arguments).await;
    }
    let load = Arc::new(Load {
        urls: arguments.urls,
        ledger: Ledger::open(&arguments.ledger)?,
        prefix: arguments.prefix,
        limit: Duration::from_secs(arguments.seconds),
    });
    let mut clients = JoinSet::new();
    for index in 0..arguments.clients {
        clients.spawn(load::write(Arc::clone(&load), index));
    }
    clients.join_all().await.into_iter().collect::<io::Result<()>>()?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(arguments: &Arguments) -> io::Result<ExitCode> {
    let keys = ledger::read(&arguments.ledger)?;
    let total = |count: fn(&History) -> u64| keys.values().map(count).sum::<u64>();
    let (acknowledged, writes) = (total(|key| key.acknowledgements), total(|key| key.writes));
    let count = keys.len();
    let missing = verify::missing(&arguments.urls, keys).await;
    for line in missing.iter().take(SHOWN) {
        println!("missing: {line}");
    }
    println!(
        "{acknowledged} writes acknowledged, {} in doubt; {count} keys read from {} nodes: {} reads missing",
        writes - acknowledged,
        arguments.urls.len(),
        missing.len()
    );
    Ok(if missing.is_empty() && acknowledged > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
