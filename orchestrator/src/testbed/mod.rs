//! Clusters for tests: each a project of its own beside whatever else runs here, made from the same file and removed when
//! its tests are over. What the engine or a node does wrong is a verdict for the test, never the end of the run.

mod attached;
mod cluster;
mod settle;

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use conformance::{Ability, Cluster, Dialect, Provider, Shape, Traces, Unmade};
use tokio::sync::RwLock;

use crate::apply::Executor;
use crate::build::Artifact;
use crate::evidence::traces;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::isolation::isolate;
use crate::launch::Addressing;
use crate::observed::ObservedNode;
use crate::output::Output;
use crate::plan::{Removal, plan_removal};
use crate::runtime::{Events, LogRequest, Look, Runtime, Site};
use crate::spec::{ClusterSpec, NodeSpec};
pub(crate) use attached::Attached;
use cluster::TestCluster;

/// Nodes that a test may add to those of its shape.
const SPARE_NODES: usize = 2;
/// How often a cluster is made anew because somebody took its subnet or a port of it meanwhile.
const ATTEMPTS: usize = 3;
/// Of one node's log, in the evidence of one failure.
const LOG_LINES: u64 = 2000;

/// Between the name of the tested project and that of the run, in the names of its test clusters.
pub(crate) const TEST_INFIX: &str = "-test-";

/// Where the clusters of one run come from. A clone is the same.
#[derive(Clone)]
pub(crate) struct Testbed(Rc<Bed>);

/// What all clusters of a run share.
struct Bed {
    settings: Arc<Settings>,
    /// Held by all that the runtime is asked to do, until it is done.
    under_way: Arc<RwLock<()>>,
    made: Cell<usize>,
    kept: RefCell<Vec<String>>,
}

/// How clusters are made.
pub(crate) struct Settings {
    pub(crate) runtime: Arc<dyn Runtime>,
    /// What the file says, with image and dialect as asked for.
    pub(crate) spec: ClusterSpec,
    /// The node, where it is no image.
    pub(crate) artifact: Option<Artifact>,
    /// Whether the image is ours, which can say that it is ready.
    pub(crate) ours: bool,
    pub(crate) dialect: Dialect,
    pub(crate) interrupt: Interrupt,
    /// How long a node may take to answer.
    pub(crate) timeout: Duration,
    /// Whether a cluster on which a test failed is left running.
    pub(crate) keep: bool,
    /// What the projects' names begin with.
    pub(crate) prefix: String,
    /// Where the making of clusters is told: nowhere, unless asked for.
    pub(crate) output: Output,
}

impl Settings {
    fn site<'s>(&'s self, spec: &'s ClusterSpec) -> Site<'s> {
        Site { spec, artifact: self.artifact.as_ref(), output: &self.output }
    }
}

impl Testbed {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Rc::new(Bed {
            settings: Arc::new(settings),
            under_way: Arc::default(),
            made: Cell::new(0),
            kept: RefCell::default(),
        }))
    }

    /// Builds what cutting nodes off from each other takes, where that can be done.
    pub(crate) async fn prepare_cuts(&self) -> Result<(), Failure> {
        let settings = &self.0.settings;
        if settings.runtime.addressing() == Addressing::Loopback {
            return Ok(());
        }
        settings.runtime.prepare_cuts(&settings.site(&settings.spec)).await
    }

    /// Removes whatever is still here of this run, but for what is kept; answers with what could not be removed.
    pub(crate) async fn remove_all(&self) -> Vec<String> {
        // What an interrupted test has asked for may still come.
        drop(self.0.under_way.write().await);
        let Settings { runtime, prefix, .. } = &*self.0.settings;
        let (own, kept) = (format!("{prefix}-"), self.kept());
        // Also where all was removed: what a test that ran out of time has asked for may have come later than that.
        let projects = match runtime.projects().await {
            Ok(projects) => projects.into_iter().filter(|project| project.starts_with(&own) && !kept.contains(project)),
            Err(failure) => return vec![format!("nobody knows what is left of {prefix}: {failure}")],
        };
        let mut left = Vec::new();
        for project in projects {
            if let Err(failure) = self.0.remove(&project).await {
                left.push(format!("{project}: {failure}; `orchestrator prune -p {project}` removes it"));
            }
        }
        left
    }

    /// The projects that are left running.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.0.kept.borrow().clone()
    }
}

impl Bed {
    /// A name that nobody else uses.
    fn next_project(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("{}-{}", self.settings.prefix, self.made.get())
    }

    /// Has the runtime do something, to its end also when nobody waits for it any more.
    async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let under_way = Arc::clone(&self.under_way).read_owned().await;
        let task = tokio::spawn(async move {
            let _under_way = under_way;
            work.await
        });
        task.await.unwrap_or_else(|error| Err(Failure::Engine(error.to_string())))
    }

    /// Removes all of a project, at once: nothing in it is worth a graceful end.
    async fn remove(&self, project: &str) -> Result<(), Failure> {
        let settings = Arc::clone(&self.settings);
        let mut spec = settings.spec.clone();
        project.clone_into(&mut spec.name);
        self.finish(async move {
            let (site, runtime, project) = (settings.site(&spec), &*settings.runtime, &spec.name);
            let removal = Removal {
                project,
                volumes: true,
                logs: true,
                force: true,
                cause: "the test is over",
                ..Removal::default()
            };
            let plan = plan_removal(&removal, &runtime.observe(&site).await?).map_err(Failure::Conflict)?;
            Executor::new(runtime, &site, &Interrupt::never()).apply(&plan).await
        })
        .await
    }

    /// Makes the cluster, again when something of it is taken meanwhile.
    async fn create(self: &Rc<Self>, shape: &Shape) -> Result<TestCluster, Unmade> {
        let mut attempt = 1;
        loop {
            let project = self.next_project();
            let spec = shaped(&self.settings.spec, shape);
            let spec = isolate(spec, &*self.settings.runtime, &project).await?;
            let mut cluster = TestCluster::new(Rc::clone(self), spec, shape.nodes);
            let made = if shape.started { cluster.start_all().await } else { cluster.prepare().await };
            let Err(failure) = made else { return Ok(cluster) };
            if !matches!(failure, Failure::Conflict(_)) || attempt == ATTEMPTS {
                let traces = cluster.traces(SystemTime::UNIX_EPOCH).await;
                // What stays is removed, or told, in the end.
                let _ = self.remove(&project).await;
                return Err(Unmade { traces, ..failure.into() });
            }
            self.remove(&project).await?;
            attempt += 1;
        }
    }
}

impl From<Failure> for Unmade {
    fn from(failure: Failure) -> Self {
        failure.to_string().into()
    }
}

/// What there is to see of these nodes, with what they have logged since then; of 1970, also what carries no time.
async fn traces_since(
    runtime: &dyn Look,
    project: &str,
    mut nodes: Vec<ObservedNode>,
    since: SystemTime,
    events: Option<&Events>,
) -> Traces {
    let since_unix = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let request = LogRequest {
        since_unix: Some(since_unix).filter(|since| *since > 0),
        tail: Some(LOG_LINES),
        ..LogRequest::default()
    };
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    traces(runtime, project, nodes, &request, events).await
}

/// The file's cluster with as many nodes as the shape has, all in shards, and some in none for tests to add.
fn shaped(spec: &ClusterSpec, shape: &Shape) -> ClusterSpec {
    let mut shaped = spec.clone();
    shaped.shards = shape.shards;
    let count = shape.nodes + SPARE_NODES;
    shaped.nodes.truncate(count);
    while shaped.nodes.len() < count {
        let number = (1..).find(|number| shaped.node(&format!("node{number}")).is_none()).unwrap_or_default();
        shaped.nodes.push(NodeSpec {
            name: format!("node{number}"),
            address: Ipv4Addr::UNSPECIFIED,
            host_port: 0,
            ungrouped: true,
            env: shaped.env.clone(),
        });
    }
    // Close together, so that a small subnet has room; the port follows from isolation.
    for (index, node) in shaped.nodes.iter_mut().enumerate() {
        node.ungrouped = index >= shape.nodes;
        node.address = Ipv4Addr::from(u32::from(spec.network.gateway()) + 1 + index as u32);
    }
    shaped
}

#[async_trait(?Send)]
impl Provider for Testbed {
    fn cannot(&self, ability: Ability) -> Option<String> {
        let is_process = self.0.settings.runtime.name() == "process";
        (is_process && ability == Ability::Partition)
            .then(|| "processes share one network and cannot be partitioned; --runtime docker can".to_owned())
    }

    async fn create(&self, shape: &Shape) -> Result<Box<dyn Cluster>, Unmade> {
        Ok(Box::new(self.0.create(shape).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::locate;

    #[test]
    fn a_shape_takes_the_files_nodes_and_invents_what_it_lacks() {
        let spec = locate(None, std::path::Path::new("/")).expect("built-in").spec;
        let names = |spec: &ClusterSpec| -> Vec<String> {
            spec.nodes.iter().map(|node| format!("{}{}", node.name, if node.ungrouped { "?" } else { "" })).collect()
        };
        let three = shaped(&spec, &Shape::replicated(3));
        assert_eq!(names(&three), ["node1", "node2", "node3", "node4?", "node5?"]);
        assert_eq!(three.shards, None);
        let seven = shaped(&spec, &Shape::sharded(7, 3));
        assert_eq!(names(&seven)[5..], ["node6", "node7", "node8?", "node9?"]);
        assert_eq!(seven.shards, Some(3));
    }
}
