//! What the tests of single requests stand on: a small cluster and a client, once in each dialect.

use std::time::Duration;

use conformance::{Client, Dialect, Failure, Reply};
use serde_json::Value;

use crate::cluster::{InProcess, Shape};

/// The contract's time for a view to become right, whatever has happened to the nodes.
pub(crate) const VIEW_LIMIT: Duration = Duration::from_secs(5);
/// The contract's time for an answer where no peer is left.
pub(crate) const ALONE_LIMIT: Duration = Duration::from_secs(1);
/// Done-criterion 6: a node that returns empty holds everything again.
pub(crate) const REFILL_LIMIT: Duration = Duration::from_secs(10);
/// For what the contract promises without a number: long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Two nodes, one shard, one client.
pub(crate) struct Stage {
    pub(crate) cluster: InProcess,
    pub(crate) client: Client,
    pub(crate) dialect: Dialect,
    /// Of the first node.
    pub(crate) url: String,
}

impl Stage {
    /// One stage for each dialect.
    pub(crate) async fn in_every_dialect() -> Result<Vec<Self>, Failure> {
        let mut stages = Vec::new();
        for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
            stages.push(Self::new(dialect).await?);
        }
        Ok(stages)
    }

    /// One stage in this dialect.
    pub(crate) async fn new(dialect: Dialect) -> Result<Self, Failure> {
        let cluster = InProcess::start(Shape::sharded(2, 1).speaking(dialect)).await?;
        Ok(Self { client: cluster.client(), dialect, url: cluster.url(0).to_owned(), cluster })
    }

    /// On the fall 2021 paths `result` must say this; elsewhere nothing is asked.
    #[track_caller]
    pub(crate) fn result_is(&self, reply: &Reply, result: &str) -> Result<(), Failure> {
        if self.dialect == Dialect::Fall2021 {
            reply.must_have("result", result)?;
        }
        Ok(())
    }
}

/// Puts new keys with these names through the nodes in turn, with one token, each of which must be answered with 201.
pub(crate) async fn fill(client: &mut Client, urls: &[String], keys: &[String]) -> Result<(), Failure> {
    for (index, key) in keys.iter().enumerate() {
        let url = &urls[index % urls.len()];
        client.put(url, key, value_of(key)).await?.must_be(201)?;
    }
    Ok(())
}

/// Reads these keys through one node, each of which must have the value that [`fill`] gave it.
pub(crate) async fn expect_all(client: &mut Client, url: &str, keys: &[String]) -> Result<(), Failure> {
    for key in keys {
        let reply = client.get(url, key).await?;
        reply.must_be(200)?.must_have("value", value_of(key))?;
    }
    Ok(())
}

/// What [`fill`] puts under a key.
pub(crate) fn value_of(key: &str) -> Value {
    format!("value of {key}").into()
}

/// `key0`, `key1`, …: the names that the class uses.
pub(crate) fn class_keys(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("key{index}")).collect()
}

/// Puts new keys named after `prefix` until one falls into `shard`; gives that one.
pub(crate) async fn put_into_shard(
    client: &mut Client,
    url: &str,
    shard: &str,
    prefix: &str,
) -> Result<String, Failure> {
    for index in 0..100 {
        let key = format!("{prefix}{index}");
        let reply = client.put(url, &key, value_of(&key)).await?;
        if reply.must_be(201)?.text("shard-id")? == shard {
            return Ok(key);
        }
    }
    Err(Failure::new(format!("one of 100 keys to be in shard {shard}")))
}
