//! One cluster of the testbed, as tests see it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use conformance::{Cluster, Dialect, Node, Traces};

use super::{Bed, settle, traces_since};
use crate::apply::Executor;
use crate::failure::Failure;
use crate::observed::{NodeState, ObservedNode};
use crate::partition::Cut;
use crate::plan::{Desired, Operation, plan, volume_name};
use crate::runtime::Events;
use crate::spec::ClusterSpec;

/// A node that needs longer to end than this has ignored that it was asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(9);
/// How long after a failure a node may still turn out to have ended.
const FALL_PATIENCE: Duration = Duration::from_millis(500);
const FALL_PAUSE: Duration = Duration::from_millis(50);

/// A project with the nodes that tests have made so far; those of the spec after them are still to be added.
pub(super) struct TestCluster {
    bed: Rc<Bed>,
    spec: ClusterSpec,
    nodes: Vec<Node>,
    /// What has happened to it since it was made.
    events: Option<Events>,
}

impl TestCluster {
    pub(super) fn new(bed: Rc<Bed>, spec: ClusterSpec, nodes: usize) -> Self {
        let events = bed.settings.runtime.events(&spec, SystemTime::now());
        let mut cluster = Self { bed, spec, nodes: Vec::new(), events };
        cluster.nodes = (0..nodes).map(|index| cluster.node_at(index)).collect();
        cluster
    }

    fn node_at(&self, index: usize) -> Node {
        let node = &self.spec.nodes[index];
        let socket = self.bed.settings.runtime.addressing().socket(&self.spec, node);
        Node {
            name: node.name.clone(),
            address: socket.to_string(),
            url: format!("http://127.0.0.1:{}", node.host_port),
        }
    }

    /// Makes what nodes need before the first of them starts.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        self.bring_up(0..0).await
    }

    /// Starts all nodes of the shape and waits until they answer.
    pub(super) async fn start_all(&self) -> Result<(), Failure> {
        self.bring_up(0..self.nodes.len()).await?;
        let nodes = self.bed.settings.runtime.nodes(&self.spec.name).await?;
        settle::wait(&self.bed.settings, &self.spec.name, &nodes, true).await
    }

    /// Does what is missing for the nodes at these places to run.
    async fn bring_up(&self, range: Range<usize>) -> Result<(), Failure> {
        let (settings, spec) = (Arc::clone(&self.bed.settings), self.spec.clone());
        let work = async move {
            let (runtime, site) = (&*settings.runtime, settings.site(&spec));
            let nodes = spec.nodes[range].iter().collect();
            let addressing = runtime.addressing();
            let desired = Desired { spec: &spec, nodes, addressing, content: None, recreate: false };
            let plan = plan(&desired, &runtime.observe(&site).await?).map_err(Failure::Conflict)?;
            Executor::new(runtime, &site, &settings.interrupt).apply(&plan).await
        };
        self.bed.finish(work).await
    }

    async fn start_one(&mut self, index: usize) -> Result<(), Failure> {
        self.bring_up(index..index + 1).await?;
        let node = self.observed(index).await?;
        settle::wait(&self.bed.settings, &self.spec.name, &[node], false).await
    }

    async fn observed(&self, index: usize) -> Result<ObservedNode, Failure> {
        let name = &self.spec.nodes[index].name;
        let nodes = self.bed.settings.runtime.nodes(&self.spec.name).await?;
        Ok(nodes.into_iter().find(|node| node.name == *name).unwrap_or_else(|| ObservedNode::gone(name)))
    }

    async fn perform(&self, operation: Operation) -> Result<(), Failure> {
        let (settings, spec) = (Arc::clone(&self.bed.settings), self.spec.clone());
        let work = async move { settings.runtime.perform(&operation, &settings.site(&spec)).await.map(drop) };
        self.bed.finish(work).await
    }

    /// Does to a node that is there what `operation` makes of its name and id.
    async fn hurt(&self, index: usize, operation: fn(String, String) -> Operation) -> Result<(), Failure> {
        let node = self.observed(index).await?;
        self.perform(operation(node.name, node.id)).await
    }

    async fn wipe(&self, index: usize) -> Result<(), Failure> {
        let node = self.observed(index).await?;
        if !node.id.is_empty() {
            self.perform(Operation::RemoveNode { name: node.name.clone(), id: node.id }).await?;
        }
        let volume = volume_name(&self.spec.name, &node.name);
        self.perform(Operation::RemoveVolume { volume }).await
    }

    /// The nodes, as soon as one of them is seen to have ended: a connection is closed before the container is known to
    /// have. When none ends, as they are after a short while.
    async fn nodes_after_the_fall(&self) -> Vec<ObservedNode> {
        let start = Instant::now();
        loop {
            let nodes = self.bed.settings.runtime.nodes(&self.spec.name).await.unwrap_or_default();
            let has_fallen = nodes.iter().any(|node| node.state == NodeState::Stopped);
            if has_fallen || start.elapsed() >= FALL_PATIENCE {
                return nodes;
            }
            tokio::time::sleep(FALL_PAUSE).await;
        }
    }
}

/// In the words of the tests.
fn failed(what: &str, node: &str) -> impl FnOnce(Failure) -> conformance::Failure {
    let expected = format!("{node} to be {what}");
    move |failure| conformance::Failure::new(expected).with(failure)
}

#[async_trait(?Send)]
impl Cluster for TestCluster {
    fn dialect(&self) -> Dialect {
        self.bed.settings.dialect
    }

    fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    async fn start(&mut self, node: usize) -> Result<(), conformance::Failure> {
        self.start_one(node).await.map_err(failed("started", &self.nodes[node].name))
    }

    async fn kill(&mut self, node: usize) -> Result<(), conformance::Failure> {
        let killed = self.hurt(node, |name, id| Operation::KillNode { name, id }).await;
        killed.map_err(failed("killed", &self.nodes[node].name))
    }

    async fn stop(&mut self, node: usize) -> Result<Option<String>, conformance::Failure> {
        let (name, start) = (&self.nodes[node].name, Instant::now());
        let stopped = self.hurt(node, |name, id| Operation::StopNode { name, id }).await;
        stopped.map_err(failed("stopped", name))?;
        let ignored = start.elapsed() >= STOP_PATIENCE;
        Ok(ignored.then(|| format!("{name} ignored SIGTERM for {STOP_PATIENCE:?} and was killed")))
    }

    async fn pause(&mut self, node: usize) -> Result<(), conformance::Failure> {
        let paused = self.hurt(node, |name, id| Operation::PauseNode { name, id }).await;
        paused.map_err(failed("frozen", &self.nodes[node].name))
    }

    async fn resume(&mut self, node: usize) -> Result<(), conformance::Failure> {
        let resumed = self.hurt(node, |name, id| Operation::ResumeNode { name, id }).await;
        resumed.map_err(failed("resumed", &self.nodes[node].name))
    }

    async fn restart_empty(&mut self, node: usize) -> Result<(), conformance::Failure> {
        self.wipe(node).await.map_err(failed("wiped", &self.nodes[node].name))?;
        self.start(node).await
    }

    async fn add(&mut self) -> Result<usize, conformance::Failure> {
        let index = self.nodes.len();
        if index == self.spec.nodes.len() {
            return Err(conformance::Failure::new("fewer nodes to be added"));
        }
        self.nodes.push(self.node_at(index));
        self.start(index).await?;
        Ok(index)
    }

    async fn cut(&mut self, pairs: &[(usize, usize)]) -> Result<(), conformance::Failure> {
        let name = |index: usize| self.nodes[index].name.as_str();
        let cuts: BTreeSet<Cut> = pairs.iter().map(|(from, to)| Cut::new(name(*from), name(*to))).collect();
        let (settings, spec) = (Arc::clone(&self.bed.settings), self.spec.clone());
        let work = async move { settings.runtime.cut(&settings.site(&spec), &cuts).await };
        self.bed
            .finish(work)
            .await
            .map_err(|failure| conformance::Failure::new("the network to be cut or healed").with(failure))
    }

    async fn traces(&mut self, since: SystemTime) -> Traces {
        let nodes = self.nodes_after_the_fall().await;
        let events = self.events.as_ref();
        traces_since(&*self.bed.settings.runtime, &self.spec.name, nodes, since, events).await
    }

    async fn remove(self: Box<Self>, failed: bool) -> Result<(), conformance::Failure> {
        let project = &self.spec.name;
        if failed && self.bed.settings.keep {
            self.bed.kept.borrow_mut().push(project.clone());
            return Ok(());
        }
        self.bed
            .remove(project)
            .await
            .map_err(|failure| conformance::Failure::new(format!("the cluster {project} to be removed")).with(failure))
    }
}
