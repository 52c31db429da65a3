//! What a scenario stands on: a cluster, clients whose requests are written down, and the words that scenarios share.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    Client, Cluster, Dialect, Failure, Layout, Reply, eventually,
    record::{Entry, Event, Record},
    standing,
    workload::Workload,
};

/// The contract's time for a view to become right, whatever has happened to the nodes.
pub(crate) const VIEW_LIMIT: Duration = Duration::from_secs(5);
/// Longer than a failure detector takes to find that a node is alive, whoever said that it is not to be in the view.
pub(crate) const MEETING_TIME: Duration = Duration::from_secs(3);
/// The contract's time for an answer where no peer is left.
pub(crate) const ALONE_LIMIT: Duration = Duration::from_secs(1);
/// For what is promised without a number, and for what the course waits ten seconds for: long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster on which one scenario runs.
pub struct Stage {
    cluster: Box<dyn Cluster>,
    /// How the clients speak: one of the ways that the nodes understand.
    dialect: Dialect,
    /// Numbers the scenario among those on this cluster, so that each has keys of its own.
    number: usize,
    seed: u64,
    record: Record,
    notes: Vec<String>,
}

impl Stage {
    /// A stage on `cluster` for the scenario with this number.
    #[must_use]
    pub fn new(cluster: Box<dyn Cluster>, dialect: Dialect, number: usize, seed: u64) -> Self {
        Self { cluster, dialect, number, seed, record: Record::default(), notes: Vec::new() }
    }

    /// What was asked, answered and done so far.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The cluster back, and what was remarkable about it.
    #[must_use]
    pub fn into_parts(self) -> (Box<dyn Cluster>, Vec<String>) {
        (self.cluster, self.notes)
    }

    /// The cluster itself.
    pub fn cluster_mut(&mut self) -> &mut dyn Cluster {
        &mut *self.cluster
    }

    /// Deletes every key that the scenario has put. What a store refuses stays: it is not judged here.
    pub(crate) async fn delete_keys(&self) {
        let client = self.client();
        let put: BTreeMap<String, Value> =
            self.record.entries().iter().filter_map(|entry| self.put_key(entry)).collect();
        for (path, token) in put {
            let body = json!({ "causal-metadata": token });
            let _ = client.send(Method::DELETE, self.url(0), &path, Some(body)).await;
        }
    }

    /// The path of the key that a request puts, and the token of that, without which a replica may not know of it yet.
    fn put_key(&self, entry: &Entry) -> Option<(String, Value)> {
        let Event::Exchange(exchange) = &entry.event else { return None };
        let url = exchange.request.strip_prefix("PUT http://")?;
        let path = url.find('/').map(|start| &url[start..])?;
        let keys = self.dialect.key_path("");
        if path.len() == keys.len() || !path.starts_with(&keys) {
            return None;
        }
        let reply: Value = match &exchange.reply {
            Ok((400..=499, _)) => return None,
            Ok((_, text)) => serde_json::from_str(text).unwrap_or_default(),
            Err(_) => Value::Null,
        };
        Some((path.to_owned(), reply.get("causal-metadata").cloned().unwrap_or_default()))
    }

    /// Says, in prose, what comes next.
    pub(crate) fn step(&self, text: impl Into<String>) {
        self.record.add(Event::Step(text.into()));
    }

    /// How the clients speak.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A client without a past.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.dialect, &self.record)
    }

    /// A client of another dialect, without a past.
    pub(crate) fn client_speaking(&self, dialect: Dialect) -> Client {
        Client::new(dialect, &self.record)
    }

    /// A load whose requests are written down: half of what a cluster is measured with, since others are tested beside it.
    pub(crate) fn workload(&self) -> Workload {
        let (prefix, record) = (self.key("load"), self.record.clone());
        Workload { clients: 10, prefix, record, ..Workload::new(self.dialect, self.seed) }
    }

    /// A key that no other scenario on this cluster uses.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{name}-{}", self.number)
    }

    /// So many of them.
    pub(crate) fn keys(&self, count: usize) -> Vec<String> {
        self.keys_named("key", count)
    }

    /// So many of them, named after `name`.
    pub(crate) fn keys_named(&self, name: &str, count: usize) -> Vec<String> {
        (0..count).map(|index| self.key(&format!("{name}{index}"))).collect()
    }

    /// Where clients reach a node.
    pub(crate) fn url(&self, node: usize) -> &str {
        &self.cluster.nodes()[node].url
    }

    /// Where clients reach all nodes.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.cluster.nodes().iter().map(|node| node.url.clone()).collect()
    }

    /// What the nodes call a node.
    pub(crate) fn address(&self, node: usize) -> &str {
        &self.cluster.nodes()[node].address
    }

    /// All nodes.
    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.cluster.nodes().len()).collect()
    }

    /// All nodes but `left_out`.
    pub(crate) fn others(&self, left_out: &[usize]) -> Vec<usize> {
        let mut nodes = self.all();
        nodes.retain(|node| !left_out.contains(node));
        nodes
    }

    /// The nodes that `shard` has, as `layout` tells it.
    pub(crate) fn members(&self, layout: &Layout, shard: &str) -> Vec<usize> {
        let mut nodes = self.all();
        nodes.retain(|node| layout.shard_of(self.address(*node)) == Some(shard));
        nodes
    }

    /// On the fall 2021 paths `result` must say this; elsewhere nothing is asked.
    #[track_caller]
    pub(crate) fn result_is(&self, reply: &Reply, result: &str) -> Result<(), Failure> {
        if self.dialect == Dialect::Fall2021 {
            reply.must_have("result", result)?;
        }
        Ok(())
    }

    fn did(&self, what: &str, node: usize) {
        let name = &self.cluster.nodes()[node].name;
        self.record.add(Event::Fault(format!("{name} {what}")));
    }

    /// See [`Cluster::start`].
    pub(crate) async fn start(&mut self, node: usize) -> Result<(), Failure> {
        self.cluster.start(node).await?;
        self.did("is started", node);
        Ok(())
    }

    /// See [`Cluster::kill`].
    pub(crate) async fn kill(&mut self, node: usize) -> Result<(), Failure> {
        self.cluster.kill(node).await?;
        self.did("is killed", node);
        Ok(())
    }

    /// Kills several nodes, one right after the other.
    pub(crate) async fn kill_all(&mut self, nodes: impl IntoIterator<Item = usize>) -> Result<(), Failure> {
        for node in nodes {
            self.kill(node).await?;
        }
        Ok(())
    }

    /// See [`Cluster::stop`].
    pub(crate) async fn stop(&mut self, node: usize) -> Result<(), Failure> {
        let remark = self.cluster.stop(node).await?;
        self.did("is stopped", node);
        self.notes.extend(remark);
        Ok(())
    }

    /// See [`Cluster::pause`].
    pub(crate) async fn pause(&mut self, node: usize) -> Result<(), Failure> {
        self.cluster.pause(node).await?;
        self.did("is frozen", node);
        Ok(())
    }

    /// See [`Cluster::resume`].
    pub(crate) async fn resume(&mut self, node: usize) -> Result<(), Failure> {
        self.cluster.resume(node).await?;
        self.did("goes on", node);
        Ok(())
    }

    /// See [`Cluster::restart_empty`].
    pub(crate) async fn restart_empty(&mut self, node: usize) -> Result<(), Failure> {
        self.cluster.restart_empty(node).await?;
        self.did("is started with an empty disk", node);
        Ok(())
    }

    /// See [`Cluster::add`].
    pub(crate) async fn add(&mut self) -> Result<usize, Failure> {
        let node = self.cluster.add().await?;
        self.did("is added", node);
        Ok(node)
    }

    /// Cuts each of these groups off from all the others; nodes in none reach everybody.
    pub(crate) async fn partition(&mut self, groups: &[&[usize]]) -> Result<(), Failure> {
        let mut pairs = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            for other in groups.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, other)| *other) {
                pairs.extend(group.iter().map(|node| (*node, *other)));
            }
        }
        self.cluster.cut(&pairs).await?;
        let names = |group: &[usize]| {
            let names: Vec<&str> = group.iter().map(|node| self.cluster.nodes()[*node].name.as_str()).collect();
            names.join(",")
        };
        let groups: Vec<String> = groups.iter().map(|group| names(group)).collect();
        self.record.add(Event::Fault(format!("partition {}", groups.join(" / "))));
        Ok(())
    }

    /// Ends every partition.
    pub(crate) async fn heal(&mut self) -> Result<(), Failure> {
        self.cluster.cut(&[]).await?;
        self.record.add(Event::Fault("the partition heals".to_owned()));
        Ok(())
    }

    /// Waits until every node of `nodes` sees exactly `nodes`, as long as the contract gives it.
    pub(crate) async fn await_view(&self, nodes: &[usize]) -> Result<(), Failure> {
        self.await_view_at(nodes, nodes, VIEW_LIMIT).await
    }

    /// Waits until every node of `observers` sees exactly `seen`.
    pub(crate) async fn await_view_at(
        &self,
        observers: &[usize],
        seen: &[usize],
        limit: Duration,
    ) -> Result<(), Failure> {
        let client = &self.client();
        eventually(limit, "every view is right", || async move {
            for node in observers {
                self.sees(client, *node, seen).await?;
            }
            Ok(())
        })
        .await
    }

    /// A node's view must be of exactly these nodes, in whatever shape and order it lists them.
    pub(crate) async fn sees(&self, client: &Client, node: usize, seen: &[usize]) -> Result<Reply, Failure> {
        standing::sees(client, self.url(node), seen.iter().map(|node| self.address(*node)).collect()).await
    }

    /// Waits until every node has the key, also for clients without a past.
    pub(crate) async fn await_key(&self, key: &str) -> Result<(), Failure> {
        self.await_everywhere(key, |reply| reply.field("value").map(|_| ())).await
    }

    /// Waits until no node has the key, not even for clients without a past.
    pub(crate) async fn await_no_key(&self, key: &str) -> Result<(), Failure> {
        self.await_everywhere(key, |reply| reply.must_miss().map(|_| ())).await
    }

    async fn await_everywhere(&self, key: &str, holds: impl Fn(&Reply) -> Result<(), Failure>) -> Result<(), Failure> {
        eventually(PATIENCE, "every node tells the same of the key", || async {
            for url in self.urls() {
                holds(&self.client().get(&url, key).await?)?;
            }
            Ok(())
        })
        .await
    }

    /// Waits until a node says that it serves all that it is there for. A store that has no such probe is waited for until
    /// it answers for these keys.
    pub(crate) async fn await_whole(&self, node: usize, keys: &[String], limit: Duration) -> Result<(), Failure> {
        let client = &self.client();
        eventually(limit, "the node has everything again", || async move {
            if !standing::says_ready(client, self.url(node)).await? {
                for key in keys {
                    client.clone().get(self.url(node), key).await?.must_be(200)?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// Puts keys through the nodes in turn, with one token.
pub(crate) async fn fill(client: &mut Client, urls: &[String], keys: &[String]) -> Result<(), Failure> {
    for (index, key) in keys.iter().enumerate() {
        let url = &urls[index % urls.len()];
        client.put(url, key, value_of(key)).await?.must_succeed()?;
    }
    Ok(())
}

/// Reads these keys through one node, each of which must have the value that [`fill`] gave it.
pub(crate) async fn expect_all(client: &mut Client, url: &str, keys: &[String]) -> Result<(), Failure> {
    for key in keys {
        client.get(url, key).await?.must_have("value", value_of(key))?;
    }
    Ok(())
}

/// What [`fill`] puts under a key.
pub(crate) fn value_of(key: &str) -> Value {
    format!("value of {key}").into()
}

/// Puts new keys named after `prefix` until one falls into `shard`; gives that one.
pub(crate) async fn put_into_shard(
    client: &mut Client,
    url: &str,
    shard: &str,
    prefix: &str,
) -> Result<String, Failure> {
    for index in 0..100 {
        let key = format!("{prefix}-{index}");
        let reply = client.put(url, &key, value_of(&key)).await?;
        if reply.must_succeed()?.text("shard-id")? == shard {
            return Ok(key);
        }
    }
    Err(Failure::new(format!("one of 100 keys to be in shard {shard}")))
}
