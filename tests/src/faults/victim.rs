//! The cluster with what is broken in it now. Whatever is done to it is seen to be so before the call returns, and can all
//! be undone, also after a call that failed half-way.

use std::collections::BTreeSet;

use super::proof;
use crate::{Client, Cluster, Failure, Node, Record};

/// A cluster that is broken and mended.
pub(super) struct Victim {
    cluster: Box<dyn Cluster>,
    client: Client,
    /// Nodes that do not run, or may not.
    down: BTreeSet<usize>,
    /// Of these, those that are to come back with an empty disk.
    wiped: BTreeSet<usize>,
    /// Nodes that are frozen, or may be.
    frozen: BTreeSet<usize>,
    /// Whether the network is cut, or may be.
    cut: bool,
    remarks: Vec<String>,
}

impl Victim {
    /// A cluster in which nothing is broken.
    pub(super) fn new(cluster: Box<dyn Cluster>) -> Self {
        let client = Client::new(cluster.dialect(), &Record::default());
        let (down, wiped, frozen) = Default::default();
        Self { cluster, client, down, wiped, frozen, cut: false, remarks: Vec::new() }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        self.cluster.nodes()
    }

    pub(super) fn node(&self, node: usize) -> &Node {
        &self.cluster.nodes()[node]
    }

    /// Whom it asks how it is.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The cluster back, and what was remarkable about it.
    pub(super) fn into_parts(self) -> (Box<dyn Cluster>, Vec<String>) {
        (self.cluster, self.remarks)
    }

    /// Kills these nodes, one right after the other.
    pub(super) async fn kill(&mut self, nodes: &[usize]) -> Result<(), Failure> {
        for node in nodes {
            self.down.insert(*node);
            self.cluster.kill(*node).await?;
        }
        for node in nodes {
            proof::is_down(&self.client, self.node(*node)).await?;
        }
        Ok(())
    }

    pub(super) async fn stop(&mut self, node: usize) -> Result<(), Failure> {
        self.down.insert(node);
        let remark = self.cluster.stop(node).await?;
        self.remarks.extend(remark);
        proof::is_down(&self.client, self.node(node)).await
    }

    /// Ends a node without warning; its disk is lost.
    pub(super) async fn wipe(&mut self, node: usize) -> Result<(), Failure> {
        self.wiped.insert(node);
        self.kill(&[node]).await
    }

    /// Starts a node that is down.
    pub(super) async fn start(&mut self, node: usize) -> Result<(), Failure> {
        if self.wiped.contains(&node) {
            self.cluster.restart_empty(node).await?;
            self.wiped.remove(&node);
        } else {
            self.cluster.start(node).await?;
        }
        self.down.remove(&node);
        proof::answers(&self.client, self.node(node)).await
    }

    pub(super) async fn pause(&mut self, node: usize) -> Result<(), Failure> {
        self.frozen.insert(node);
        self.cluster.pause(node).await?;
        proof::is_silent(&self.client, self.node(node)).await
    }

    pub(super) async fn resume(&mut self, node: usize) -> Result<(), Failure> {
        self.cluster.resume(node).await?;
        self.frozen.remove(&node);
        proof::answers(&self.client, self.node(node)).await
    }

    /// Has exactly these pairs cut; the cluster itself sees that they are.
    pub(super) async fn cut(&mut self, pairs: &[(usize, usize)]) -> Result<(), Failure> {
        self.cut = true;
        self.cluster.cut(pairs).await?;
        self.cut = !pairs.is_empty();
        Ok(())
    }

    /// Makes and starts one more node.
    pub(super) async fn add(&mut self) -> Result<usize, Failure> {
        let node = self.cluster.add().await?;
        proof::answers(&self.client, self.node(node)).await?;
        Ok(node)
    }

    /// Undoes all that is still broken, as far as it can be; says what could not be.
    pub(super) async fn mend(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        if self.cut {
            failures.extend(self.cut(&[]).await.err());
        }
        for node in self.frozen.clone() {
            failures.extend(self.resume(node).await.err());
        }
        for node in self.down.clone() {
            failures.extend(self.start(node).await.err());
        }
        failures
    }
}
