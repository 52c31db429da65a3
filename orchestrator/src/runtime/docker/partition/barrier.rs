//! A barrier: a container in a node's network namespace that keeps the node from reaching others.
//!
//! Its labels are the record of the cuts. They hold also while the node does not run; then the barrier is not started.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use bollard::models::{
    ContainerCreateBody, ContainerSummary, ContainerSummaryStateEnum, HostConfig, HostConfigLogConfig,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, KillContainerOptionsBuilder, StartContainerOptions};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::super::super::Site;
use super::super::{Docker, failed, is_status, labelled, message, tolerate};
use crate::failure::{Conflict, Failure};
use crate::labels;
use crate::observed::{NodeState, ObservedNode};

/// Of the probe, in every node's namespace. Below the ports that the kernel hands out, among them Docker's resolver's.
const PROBE_PORT: u16 = 23_123;
const MEMORY_BYTES: i64 = 32 << 20;
const PIDS: i64 = 16;
/// So long a name may be taken by what vanishes by itself.
const NAME_LIMIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);
const LOG_SIZE: &str = "1m";

/// What a barrier is told: nodes and their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BarrierConfig {
    /// Those that its node does not reach.
    pub(super) cuts: BTreeMap<String, Ipv4Addr>,
    /// Those with which it probes.
    pub(super) peers: BTreeMap<String, Ipv4Addr>,
}

/// A barrier that is there.
#[derive(Debug, Clone)]
pub(in super::super) struct Barrier {
    pub(in super::super) node: String,
    pub(in super::super) id: String,
    pub(super) is_running: bool,
    pub(super) config: BarrierConfig,
}

impl Barrier {
    /// `None` for any other container. One whose label cannot be read counts as making no cuts.
    pub(in super::super) fn of(container: &ContainerSummary) -> Option<Self> {
        let labels = container.labels.as_ref()?;
        let config = labels.get(labels::CUTS).and_then(|json| serde_json::from_str(json).ok());
        Some(Self {
            node: labels.get(labels::BARRIER)?.clone(),
            id: container.id.clone()?,
            is_running: container.state == Some(ContainerSummaryStateEnum::RUNNING),
            config: config.unwrap_or_default(),
        })
    }
}

impl Docker {
    /// Those of a project that stay: one that is being removed is waited for.
    pub(super) async fn barriers(&self, project: &str) -> Result<Vec<Barrier>, Failure> {
        let mut filters = labelled(&format!("{}={project}", labels::PROJECT));
        filters.entry("label".to_owned()).or_default().push(labels::BARRIER.to_owned());
        let (leaving, there): (Vec<_>, Vec<_>) = self.containers(&filters).await?.into_iter().partition(is_leaving);
        join_all(leaving.iter().filter_map(|container| container.id.as_ref()).map(|id| self.is_removed(id))).await;
        Ok(there.iter().filter_map(Barrier::of).collect())
    }

    /// The barrier that holds a node's cuts, also while it does not run.
    pub(in super::super) async fn barrier_of(&self, project: &str, node: &str) -> Result<Option<Barrier>, Failure> {
        Ok(self.barriers(project).await?.into_iter().find(|barrier| barrier.node == node))
    }

    /// Whether the barrier is in the namespace that its node has now: a node that starts again gets a new one.
    pub(super) async fn is_in_place(&self, barrier: &Barrier, node: &ObservedNode) -> Result<bool, Failure> {
        if !barrier.is_running || node.state == NodeState::Stopped {
            return Ok(false);
        }
        let (barrier, node) = tokio::try_join!(self.started(&barrier.id), self.started(&node.id))?;
        Ok(barrier.is_some() && barrier > node)
    }

    async fn started(&self, id: &str) -> Result<Option<SystemTime>, Failure> {
        match self.client.inspect_container(id, None).await {
            Ok(inspected) => {
                let at = inspected.state.and_then(|state| state.started_at);
                Ok(at.and_then(|at| humantime::parse_rfc3339(&at).ok()))
            }
            Err(error) if is_status(&error, 404) => Ok(None),
            Err(error) => Err(failed(format!("cannot inspect container {id}"))(error)),
        }
    }

    /// A barrier in the place of `old`, whose cuts hold until the new one has made its own. Where the node does not run it
    /// is only recorded.
    pub(super) async fn place(
        &self,
        site: &Site<'_>,
        image: &str,
        node: &ObservedNode,
        old: Option<&Barrier>,
        config: &BarrierConfig,
    ) -> Result<Barrier, Failure> {
        let what = format!("the barrier of {}", node.name);
        if let Some(old) = old {
            self.remove_container(&what, &old.id).await?;
        }
        let deadline = Instant::now() + NAME_LIMIT;
        let id = loop {
            if let Some(id) = self.create_barrier(site, image, node, config).await? {
                break id;
            }
            // The engine may go on with a call of a run that was killed.
            if let Some(late) = self.barrier_of(&site.spec.name, &node.name).await? {
                self.remove_container(&what, &late.id).await?;
            } else if Instant::now() >= deadline {
                let name = barrier_name(site, node);
                return Err(Failure::Conflict(vec![Conflict {
                    what: format!("container name {name}"),
                    owner: format!("a container that is not {what}"),
                    free_with: format!("docker rm -f {name}"),
                }]));
            }
            sleep(PAUSE).await;
        };
        let mut barrier = Barrier { node: node.name.clone(), id, is_running: false, config: config.clone() };
        if node.state == NodeState::Stopped {
            return Ok(barrier);
        }
        match self.client.start_container(&barrier.id, None::<StartContainerOptions>).await {
            Ok(()) => barrier.is_running = true,
            // It ended meanwhile.
            Err(error) if message(&error).contains("non running container") => {}
            Err(error) => return Err(failed(format!("cannot start {what}"))(error)),
        }
        Ok(barrier)
    }

    /// `None` when its name is taken.
    async fn create_barrier(
        &self,
        site: &Site<'_>,
        image: &str,
        node: &ObservedNode,
        config: &BarrierConfig,
    ) -> Result<Option<String>, Failure> {
        let options = CreateContainerOptionsBuilder::default().name(&barrier_name(site, node)).build();
        let body = body(&site.spec.name, image, node, config);
        match self.client.create_container(Some(options), body).await {
            Ok(created) => Ok(Some(created.id)),
            Err(error) if is_status(&error, 409) => Ok(None),
            Err(error) => Err(failed(format!("cannot create the barrier of {}", node.name))(error)),
        }
    }

    /// Asks a barrier to take its cuts away and to go on probing.
    pub(super) async fn open_barrier(&self, barrier: &Barrier) -> Result<(), Failure> {
        let options = KillContainerOptionsBuilder::default().signal("SIGTERM").build();
        let result = self.client.kill_container(&barrier.id, Some(options)).await;
        tolerate(result, &[404, 409]).map_err(failed(format!("cannot open the barrier of {}", barrier.node)))
    }
}

fn is_leaving(container: &ContainerSummary) -> bool {
    matches!(container.state, Some(ContainerSummaryStateEnum::REMOVING | ContainerSummaryStateEnum::DEAD))
}

fn barrier_name(site: &Site<'_>, node: &ObservedNode) -> String {
    format!("{}-{}-barrier", site.spec.name, node.name)
}

fn body(project: &str, image: &str, node: &ObservedNode, config: &BarrierConfig) -> ContainerCreateBody {
    let mut labels = labels::of_project(project);
    labels.insert(labels::BARRIER.to_owned(), node.name.clone());
    labels.insert(labels::CUTS.to_owned(), serde_json::to_string(config).unwrap_or_default());
    let mut command = vec!["--port".to_owned(), PROBE_PORT.to_string()];
    let flags = |flag: &'static str, nodes: &BTreeMap<String, Ipv4Addr>| -> Vec<String> {
        nodes.values().flat_map(|address| [flag.to_owned(), address.to_string()]).collect()
    };
    command.extend(flags("--cut", &config.cuts));
    command.extend(flags("--peer", &config.peers));
    let host_config = HostConfig {
        network_mode: Some(format!("container:{}", node.id)),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(vec!["NET_ADMIN".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        memory: Some(MEMORY_BYTES),
        pids_limit: Some(PIDS),
        // Its output is read, whatever the engine does with logs by default.
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([("max-size".to_owned(), LOG_SIZE.to_owned())])),
        }),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(image.to_owned()),
        user: Some("0:0".to_owned()),
        cmd: Some(command),
        labels: Some(labels),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}
