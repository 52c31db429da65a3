//! A barrier: a container in a node's network namespace that keeps the node from reaching others.
//!
//! Its labels are the record of the cuts. They hold also while the node does not run; then the barrier is not started.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::time::SystemTime;

use bollard::models::{
    ContainerCreateBody, ContainerSummary, ContainerSummaryStateEnum, HostConfig, HostConfigLogConfig,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, KillContainerOptionsBuilder, StartContainerOptions};
use serde::{Deserialize, Serialize};

use super::super::super::Site;
use super::super::{Docker, failed, is_status, labelled, message, tolerate};
use crate::failure::{Conflict, Failure};
use crate::labels;
use crate::observed::{NodeState, ObservedNode};

/// Of the probe, in every node's namespace. Below the ports that the kernel hands out, among them Docker's resolver's.
const PROBE_PORT: u16 = 23_123;
const MEMORY_BYTES: i64 = 32 << 20;
const PIDS: i64 = 16;
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
    pub(super) async fn barriers(&self, project: &str) -> Result<Vec<Barrier>, Failure> {
        let mut filters = labelled(&format!("{}={project}", labels::PROJECT));
        filters.entry("label".to_owned()).or_default().push(labels::BARRIER.to_owned());
        Ok(self.containers(&filters).await?.iter().filter_map(Barrier::of).collect())
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
        let name = format!("{}-{}-barrier", site.spec.name, node.name);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let body = body(&site.spec.name, image, node, config);
        let id = match self.client.create_container(Some(options), body).await {
            Ok(created) => created.id,
            Err(error) if is_status(&error, 409) => {
                return Err(Failure::Conflict(vec![Conflict {
                    what: format!("container name {name}"),
                    owner: format!("a container that is not a barrier of {} ({})", node.name, message(&error)),
                    free_with: format!("docker rm -f {name}"),
                }]));
            }
            Err(error) => return Err(failed(format!("cannot create {what}"))(error)),
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

    /// Asks a barrier to take its cuts away and to go on probing.
    pub(super) async fn open_barrier(&self, barrier: &Barrier) -> Result<(), Failure> {
        let options = KillContainerOptionsBuilder::default().signal("SIGTERM").build();
        let result = self.client.kill_container(&barrier.id, Some(options)).await;
        tolerate(result, &[404, 409]).map_err(failed(format!("cannot open the barrier of {}", barrier.node)))
    }
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
