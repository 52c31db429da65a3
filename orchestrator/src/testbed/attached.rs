//! The cluster that runs already, for tests that destroy nothing. Whatever else a test might ask of it is refused.

use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use conformance::{Ability, Cluster, Dialect, Effect, Failure, Node, Provider, Scenario, Shape, Traces, Unmade};

use super::traces_since;
use crate::readiness::Awaited;
use crate::runtime::{Events, Runtime};
use crate::spec::ClusterSpec;

/// Why a test is not tried on it.
const SPARED: &str = "it changes more than keys of its own";

/// A running cluster. A clone is the same.
#[derive(Clone)]
pub(crate) struct Attached {
    runtime: Arc<dyn Runtime>,
    project: String,
    /// What has happened to it since the tests began.
    events: Option<Rc<Events>>,
    nodes: Vec<Node>,
    dialect: Dialect,
    shards: usize,
    /// Nodes in none, which tests do not see: what they ask of a cluster's nodes they ask of members.
    ungrouped: Vec<String>,
}

impl Attached {
    /// These nodes, which say that they are `shards` shards, beside those that are `ungrouped`.
    pub(crate) fn new(
        runtime: Box<dyn Runtime>,
        spec: &ClusterSpec,
        nodes: &[Awaited],
        dialect: Dialect,
        shards: usize,
        ungrouped: Vec<String>,
    ) -> Self {
        let nodes = nodes.iter().map(|node| Node {
            name: node.node.name.clone(),
            address: node.socket.clone(),
            url: node.url.clone(),
        });
        let events = runtime.events(spec, SystemTime::now()).map(Rc::new);
        let (runtime, project) = (runtime.into(), spec.name.clone());
        Self { runtime, project, events, nodes: nodes.collect(), dialect, shards, ungrouped }
    }

    fn misfit(&self, shape: &Shape) -> Option<String> {
        let shards = shape.shards.unwrap_or(1) as usize;
        if shards != self.shards {
            return Some(format!("the running cluster has {} shards, this needs {shards}", self.shards));
        }
        if shape.shards.is_none() && !self.ungrouped.is_empty() {
            return Some(format!(
                "{} is in no shard of the running cluster, this needs all in one",
                self.ungrouped.join(", ")
            ));
        }
        (self.nodes.len() < shape.nodes)
            .then(|| format!("the running cluster has {} nodes, this needs {}", self.nodes.len(), shape.nodes))
    }
}

#[async_trait(?Send)]
impl Provider for Attached {
    fn cannot(&self, _: Ability) -> Option<String> {
        Some(SPARED.to_owned())
    }

    fn lacks(&self, scenario: &Scenario) -> Option<String> {
        if scenario.effect != Effect::Harmless {
            return Some(SPARED.to_owned());
        }
        self.misfit(&scenario.shape)
    }

    async fn create(&self, _shape: &Shape) -> Result<Box<dyn Cluster>, Unmade> {
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

    async fn traces(&mut self, since: SystemTime) -> Traces {
        let nodes = self.runtime.nodes(&self.project).await.unwrap_or_default();
        traces_since(&*self.runtime, &self.project, nodes, since, self.events.as_deref()).await
    }

    async fn remove(self: Box<Self>, _failed: bool) -> Result<(), Failure> {
        Ok(())
    }
}
