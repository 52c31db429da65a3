//! The cluster that runs already, for tests that destroy nothing. Whatever else a test might ask of it is refused.

use std::time::SystemTime;

use async_trait::async_trait;
use conformance::{Cluster, Dialect, Effect, Failure, Node, NodeLog, Provider, Scenario, Shape};

use crate::readiness::Awaited;

/// A running cluster. A clone is the same.
#[derive(Clone)]
pub(crate) struct Attached {
    /// Those in no shard last.
    nodes: Vec<Node>,
    dialect: Dialect,
    shards: usize,
    ungrouped: usize,
}

impl Attached {
    /// These nodes, which say that they are `shards` shards, some of them `ungrouped`.
    pub(crate) fn new(nodes: &[Awaited], dialect: Dialect, shards: usize, ungrouped: &[String]) -> Self {
        let nodes = nodes.iter().map(|node| Node {
            name: node.node.name.clone(),
            address: node.socket.clone(),
            url: node.url.clone(),
        });
        let mut nodes: Vec<Node> = nodes.collect();
        nodes.sort_by_key(|node| ungrouped.contains(&node.name));
        Self { nodes, dialect, shards, ungrouped: ungrouped.len() }
    }

    fn misfit(&self, shape: &Shape) -> Option<String> {
        let shards = shape.shards.unwrap_or(1) as usize;
        if shards != self.shards {
            return Some(format!("the running cluster has {} shards, this needs {shards}", self.shards));
        }
        let (grouped, lone) = self.nodes.split_at(self.nodes.len() - self.ungrouped);
        if shape.shards.is_none() && !lone.is_empty() {
            let names: Vec<&str> = lone.iter().map(|node| node.name.as_str()).collect();
            return Some(format!("{} is in no shard of the running cluster, this needs all in one", names.join(", ")));
        }
        (grouped.len() < shape.nodes)
            .then(|| format!("the running cluster has {} nodes in shards, this needs {}", grouped.len(), shape.nodes))
    }
}

#[async_trait(?Send)]
impl Provider for Attached {
    fn lacks(&self, scenario: &Scenario) -> Option<String> {
        if scenario.effect != Effect::Harmless {
            return Some("it changes more than keys of its own".to_owned());
        }
        self.misfit(&scenario.shape)
    }

    async fn create(&self, _shape: &Shape) -> Result<Box<dyn Cluster>, String> {
        Ok(Box::new(self.clone()))
    }
}

fn refused<T>() -> Result<T, Failure> {
    Err(Failure::new("a test that destroys nothing"))
}

#[async_trait(?Send)]
impl Cluster for Attached {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn ungrouped(&self) -> usize {
        self.ungrouped
    }

    async fn start(&mut self, _node: usize) -> Result<(), Failure> {
        refused()
    }

    async fn kill(&mut self, _node: usize) -> Result<(), Failure> {
        refused()
    }

    async fn stop(&mut self, _node: usize) -> Result<Option<String>, Failure> {
        refused()
    }

    async fn pause(&mut self, _node: usize) -> Result<(), Failure> {
        refused()
    }

    async fn resume(&mut self, _node: usize) -> Result<(), Failure> {
        refused()
    }

    async fn restart_empty(&mut self, _node: usize) -> Result<(), Failure> {
        refused()
    }

    async fn add(&mut self) -> Result<usize, Failure> {
        refused()
    }

    async fn cut(&mut self, _pairs: &[(usize, usize)]) -> Result<(), Failure> {
        refused()
    }

    async fn logs(&mut self, _since: SystemTime) -> Vec<NodeLog> {
        Vec::new()
    }

    async fn remove(self: Box<Self>, _failed: bool) -> Result<(), Failure> {
        Ok(())
    }
}
