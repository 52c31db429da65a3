//! How a cluster looks from outside, to tell whether a case has put back what it changed.

use std::time::Duration;

use crate::{Client, Cluster, Failure, Reply, ensure, eventually, record::Record};

/// How long a cluster may take to look again as it did at first, until it is replaced.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// What every node says of the view and of the shards, word for word, and how many nodes say of themselves that they are in
/// which shard; nothing about keys. Which nodes these are may change: a reshard there and back need not bring each to its place.
#[derive(PartialEq, Eq)]
pub(super) struct Fingerprint {
    seen: Vec<String>,
    own: Vec<String>,
}

impl Fingerprint {
    /// Asks every node.
    pub(super) async fn of(cluster: &dyn Cluster) -> Self {
        let client = Client::new(cluster.dialect(), &Record::default());
        let (mut seen, mut own) = (Vec::new(), Vec::new());
        for node in cluster.nodes() {
            seen.push(words(client.view(&node.url).await));
            seen.push(words(client.shard(&node.url, "ids").await));
            own.push(words(client.shard(&node.url, "node-shard-id").await));
        }
        own.sort_unstable();
        Self { seen, own }
    }

    /// Whether the cluster looks like this again, in a while.
    pub(super) async fn still_fits(&self, cluster: &dyn Cluster) -> bool {
        let settled = eventually(SETTLE_LIMIT, "the cluster looks as before", || async {
            let now = Self::of(cluster).await;
            ensure(now == *self, || "the same answers as before")
        });
        let settled: Result<(), Failure> = settled.await;
        settled.is_ok()
    }
}

fn words(reply: Result<Reply, Failure>) -> String {
    match reply {
        Ok(reply) => format!("{} {}", reply.status, reply.text),
        Err(_) => "no reply".to_owned(),
    }
}
