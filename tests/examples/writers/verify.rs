//! Reads every acknowledged write back, from every node.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use conformance::{Client, Dialect, Failure, Record, Reply, eventually};
use tokio::task::JoinSet;

use crate::ledger::History;

/// Readers at the same time.
const READERS: usize = 16;
/// A node that has just started may still have to hear of a write from another.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is missing, in words: the key, the node, and what it said.
pub(crate) async fn missing(urls: &[String], keys: BTreeMap<String, History>) -> Vec<String> {
    let left: Vec<(String, History)> = keys.into_iter().collect();
    let left = Arc::new(Mutex::new(left));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (left, urls) = (Arc::clone(&left), urls.to_vec());
        readers.spawn(async move {
            let client = Client::keeping_connections(Dialect::Seed2019, &Record::default());
            let mut missing = Vec::new();
            loop {
                let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((key, history)) = next else { return missing };
                for url in &urls {
                    missing.extend(missing_at(&client, url, &key, &history).await);
                }
            }
        });
    }
    readers.join_all().await.concat()
}

async fn missing_at(client: &Client, url: &str, key: &str, history: &History) -> Option<String> {
    let (number, version) = history.acknowledged.as_ref()?;
    let client = &client.with_token(version.as_str());
    // The token of the write obliges the node to know it; 503 says that it does not yet.
    let answered = eventually(PATIENCE, "an answer", || async move {
        let reply = client.clone().get(url, key).await?;
        if reply.status == 503 { Err(reply.contradicts("an answer")) } else { Ok(reply) }
    });
    let judged = answered.await.and_then(|reply| judge(&reply, *number, version, history.begun));
    judged.err().map(|failure| format!("write {number} of {key} at {url}: {failure}"))
}

/// The acknowledged write, or a later one of the same writer, which the crash left in doubt.
fn judge(reply: &Reply, number: u64, version: &str, begun: u64) -> Result<(), Failure> {
    let found = reply.must_be(200)?.field("value")?.as_u64().unwrap_or_default();
    if found == number {
        reply.must_have("version", version)?;
    } else if !(number..=begun).contains(&found) {
        return Err(reply.contradicts(format!("a write from {number} to {begun}")));
    }
    Ok(())
}
