//! Nodes in containers. This folder is the only place that talks to the engine.

mod about;
mod connect;
mod container;
mod events;
mod image;
mod logs;
mod network;
mod observe;
mod partition;
mod report;
mod verify;
mod volume;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StatsOptionsBuilder,
    StopContainerOptionsBuilder, TopOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{Events, LogRequest, LogStream, Look, Runtime, Site};
use crate::build::Target;
use crate::failure::Failure;
use crate::labels;
use crate::launch::{Addressing, SECRET};
use crate::observed::{About, Observed, ObservedNetwork, ObservedNode, ObservedVolume};
use crate::partition::Cut;
use crate::plan::Operation;
use crate::spec::ClusterSpec;

pub(crate) use connect::EngineError;
pub(crate) use container::missing_image;

/// After this many seconds a container that was asked to stop is killed.
const STOP_SECONDS: i32 = 10;
/// A removal that is under way ends before that.
const REMOVAL_LIMIT: Duration = Duration::from_secs(10);

/// The engine.
pub(crate) struct Docker {
    client: bollard::Docker,
    target: Target,
    /// On another machine.
    is_elsewhere: bool,
}

/// The engine's answer to a failed call, naming the object.
fn failed(what: impl AsRef<str>) -> impl FnOnce(bollard::errors::Error) -> Failure {
    move |error| refused(what, &message(&error))
}

fn refused(what: impl AsRef<str>, words: &str) -> Failure {
    Failure::Engine(format!("{}: {words}; the engine's log says more", what.as_ref()))
}

/// The engine's own words, without bollard's around them.
fn message(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        other => other.to_string(),
    }
}

fn is_status(error: &bollard::errors::Error, status: u16) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code, .. } if *status_code == status)
}

/// Nothing to do any more: the object is gone, or already in that state.
fn tolerate(result: Result<(), bollard::errors::Error>, statuses: &[u16]) -> Result<(), bollard::errors::Error> {
    match result {
        Err(error) if statuses.iter().any(|status| is_status(&error, *status)) => Ok(()),
        other => other,
    }
}

/// The filter for objects with a label.
fn labelled(label: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![label.to_owned()])])
}

#[async_trait]
impl Look for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn addressing(&self) -> Addressing {
        Addressing::Network
    }

    fn target(&self) -> Target {
        self.target
    }

    async fn about(&self) -> Result<About, Failure> {
        self.describe().await
    }

    async fn observe(&self, site: &Site<'_>) -> Result<Observed, Failure> {
        self.observe_project(site).await
    }

    async fn networks(&self) -> Result<Vec<ObservedNetwork>, Failure> {
        self.all_networks().await
    }

    async fn nodes(&self, project: &str) -> Result<Vec<ObservedNode>, Failure> {
        self.project_nodes(project).await
    }

    async fn volumes(&self, project: &str) -> Result<Vec<ObservedVolume>, Failure> {
        self.project_volumes(project).await
    }

    async fn projects(&self) -> Result<BTreeSet<String>, Failure> {
        self.all_projects().await
    }

    async fn cuts(&self, project: &str) -> Result<BTreeSet<Cut>, Failure> {
        self.recorded_cuts(project).await
    }

    async fn uncut(&self, project: &str) -> Result<Vec<String>, Failure> {
        self.nodes_without_cuts(project).await
    }

    async fn logs(&self, _project: &str, node: &ObservedNode, request: &LogRequest) -> Result<LogStream, Failure> {
        Ok(logs::stream(self.client.clone(), node, request))
    }

    async fn memory_bytes(&self, node: &ObservedNode) -> Option<u64> {
        // The engine's statistics would say more, and take a second.
        let options = TopOptionsBuilder::default().ps_args("-o pid,rss").build();
        let top = self.client.top_processes(&node.id, Some(options)).await.ok()?;
        let column = top.titles?.iter().position(|title| title == "RSS")?;
        let kibibytes = |process: &Vec<String>| process.get(column)?.parse::<u64>().ok();
        Some(top.processes?.iter().filter_map(kibibytes).sum::<u64>() << 10)
    }

    async fn processor_time(&self, node: &ObservedNode) -> Option<Duration> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let stats = self.client.stats(&node.id, Some(options)).next().await?.ok()?;
        stats.cpu_stats?.cpu_usage?.total_usage.map(Duration::from_nanos)
    }

    async fn last_words(&self, node: &ObservedNode) -> Option<String> {
        let state = self.client.inspect_container(&node.id, None).await.ok()?.state?;
        if state.running == Some(true) {
            return None;
        }
        let mut words = format!("exited with code {}", state.exit_code.unwrap_or_default());
        if state.oom_killed == Some(true) {
            words.push_str(", killed because its memory limit was reached");
        }
        if let Some(error) = state.error.filter(|error| !error.is_empty()) {
            words.push_str(&format!(": {error}"));
        }
        Some(words)
    }

    async fn inspect(&self, node: &ObservedNode) -> Option<serde_json::Value> {
        let mut inspected = self.client.inspect_container(&node.id, None).await.ok()?;
        if let Some(env) = inspected.config.as_mut().and_then(|config| config.env.as_mut()) {
            env.iter_mut().for_each(conceal);
        }
        serde_json::to_value(inspected).ok()
    }

    fn events(&self, spec: &ClusterSpec, since: SystemTime) -> Option<Events> {
        Some(events::listen(self.client.clone(), spec, since))
    }
}

#[async_trait]
impl Runtime for Docker {
    async fn perform(&self, operation: &Operation, site: &Site<'_>) -> Result<Option<Operation>, Failure> {
        match operation {
            Operation::BuildImage => self.build_image(site).await.map(|()| None),
            Operation::CreateNetwork => self.create_network(site.spec).await.map(Some),
            Operation::RemoveNetwork { id, name } => self.remove_network(id, name).await.map(|()| None),
            Operation::CreateVolume { volume, socket, .. } => {
                self.create_volume(volume, *socket, site.spec).await.map(Some)
            }
            Operation::RemoveVolume { volume } => self.remove_volume(volume).await.map(|()| None),
            Operation::CreateNode { launch } => self.create_node(launch, site.spec).await.map(Some),
            Operation::StartNode { launch } => self.start_node(launch, site).await.map(|()| None),
            Operation::PauseNode { name, id } => self.pause(name, id).await.map(|()| None),
            Operation::ResumeNode { name, id } => self.resume(name, id).await.map(|()| None),
            Operation::KillNode { name, id } => {
                let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
                let result = self.client.kill_container(id, Some(options)).await;
                // 409: it does not run any more.
                tolerate(result, &[404, 409]).map_err(failed(format!("cannot kill {name}")))?;
                Ok(None)
            }
            Operation::StopNode { name, id } => {
                let options = StopContainerOptionsBuilder::default().t(STOP_SECONDS).build();
                let result = self.client.stop_container(id, Some(options)).await;
                tolerate(result, &[304, 404]).map_err(failed(format!("cannot stop {name}")))?;
                Ok(None)
            }
            Operation::RemoveNode { name, id } => self.remove_container(name, id).await.map(|()| None),
            Operation::RemoveBarrier { node, id } => {
                self.remove_container(&format!("the barrier of {node}"), id).await.map(|()| None)
            }
            Operation::RemoveImage { name, .. } => self.remove_image(name).await.map(|()| None),
        }
    }

    async fn prepare_cuts(&self, site: &Site<'_>) -> Result<(), Failure> {
        self.prepare_barriers(site).await.map(drop)
    }

    async fn cut(&self, site: &Site<'_>, cuts: &BTreeSet<Cut>) -> Result<(), Failure> {
        self.make_cuts(site, cuts).await
    }

    async fn build_folder(&self, folder: &Path, site: &Site<'_>) -> Result<(), Failure> {
        self.build_foreign(folder, site).await
    }

    async fn prune_images(&self, project: Option<&str>) -> Result<usize, Failure> {
        let built = self.prune_built(project).await?;
        // The barriers' image is every project's.
        let unused = if project.is_none() { self.prune_barrier_images().await? } else { 0 };
        Ok(built + unused)
    }
}

/// Evidence is shown to others: nobody's secret is in it.
fn conceal(line: &mut String) {
    if line.split_once('=').is_some_and(|(name, _)| name == SECRET) {
        *line = format!("{SECRET}=…");
    }
}

impl Docker {
    async fn pause(&self, name: &str, id: &str) -> Result<(), Failure> {
        self.client.pause_container(id).await.map_err(failed(format!("cannot pause {name}")))
    }

    async fn resume(&self, name: &str, id: &str) -> Result<(), Failure> {
        self.client.unpause_container(id).await.map_err(failed(format!("cannot resume {name}")))
    }

    /// By force, and with its anonymous volumes.
    async fn remove_container(&self, what: &str, id: &str) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.client.remove_container(id, Some(options)).await {
            // The engine is at it already, for a run that was killed.
            Err(error) if is_status(&error, 409) && self.is_removed(id).await => Ok(()),
            result => tolerate(result, &[404]).map_err(failed(format!("cannot remove {what}"))),
        }
    }

    /// Waits until a container is gone whose removal is under way; `false` when it stays.
    async fn is_removed(&self, id: &str) -> bool {
        let options = WaitContainerOptionsBuilder::default().condition("removed").build();
        timeout(REMOVAL_LIMIT, self.client.wait_container(id, Some(options)).next()).await.is_ok()
    }

    async fn containers(
        &self,
        filters: &HashMap<String, Vec<String>>,
    ) -> Result<Vec<bollard::models::ContainerSummary>, Failure> {
        let options = ListContainersOptionsBuilder::default().all(true).filters(filters).build();
        self.client.list_containers(Some(options)).await.map_err(failed("cannot list containers"))
    }

    /// Every project that left a container, a network or a volume.
    async fn all_projects(&self) -> Result<BTreeSet<String>, Failure> {
        let containers = self.containers(&labelled(labels::PROJECT)).await?;
        let networks = self.labelled_networks().await?;
        let volumes = self.labelled_volumes().await?;
        let of_containers = containers.iter().filter_map(|c| labels::project_of_container(c.labels.as_ref()));
        let of_networks = networks.iter().filter_map(|n| labels::project(n.labels.as_ref()));
        let of_volumes = volumes.into_iter().filter_map(|volume| volume.project);
        Ok(of_containers.chain(of_networks).chain(of_volumes).collect())
    }
}
