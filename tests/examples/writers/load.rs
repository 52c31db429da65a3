//! The clients that write: each keys of its own, over all nodes in turn, with one token.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::{Client, Dialect, Record};

use crate::ledger::Ledger;

/// Keys of one client, which it overwrites in turn.
const KEYS: u64 = 10;

/// What all clients have in common.
pub(crate) struct Load {
    pub(crate) urls: Vec<String>,
    pub(crate) ledger: Ledger,
    /// What the keys begin with: another for every load, so that each key has one writer.
    pub(crate) prefix: String,
    /// The clients end at the latest after so much.
    pub(crate) limit: Duration,
}

/// Writes until a node does not answer, which is what all wait for, or the time is over.
///
/// # Errors
/// The ledger cannot be written.
pub(crate) async fn write(load: Arc<Load>, index: usize) -> io::Result<()> {
    let mut client = Client::keeping_connections(Dialect::Seed2019, &Record::default());
    let end = Instant::now() + load.limit;
    // What is refused may still be done, at any time: nothing more is written to those keys.
    let mut refusals = 0;
    for number in 1.. {
        if Instant::now() >= end {
            break;
        }
        let key = format!("{}-{index}-{refusals}-{}", load.prefix, number % KEYS);
        let turn = usize::try_from(number).unwrap_or_default();
        let url = &load.urls[(index + turn) % load.urls.len()];
        load.ledger.begin(&key, number)?;
        let Ok(reply) = client.put(url, &key, number).await else { break };
        match (reply.status, reply.text("version")) {
            (200 | 201, Ok(version)) => load.ledger.acknowledge(&key, number, version)?,
            _ => refusals += 1,
        }
    }
    Ok(())
}
