//! Nodes as processes on this machine: each in its own process group on 127.0.0.1, found again by a marker in its
//! environment, data and log under the user's state directory.

mod logs;
pub(crate) mod marker;
mod place;
mod spawn;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::time::Instant;

use super::{LogRequest, LogStream, Look, Runtime, Site, folder, ports};
use crate::build::Target;
use crate::failure::Failure;
use crate::launch::Addressing;
use crate::observed::{About, Observed, ObservedImage, ObservedNetwork, ObservedNode, ObservedVolume};
use crate::partition::Cut;
use crate::plan::{Operation, volume_name};
use crate::state;

/// After this time a process that was asked to stop is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The processes of this user.
pub(crate) struct Processes {
    /// Under which every project has its folder.
    state: PathBuf,
}

impl Processes {
    pub(crate) fn open() -> Result<Self, Failure> {
        Ok(Self { state: state::folder()? })
    }

    fn folder(&self, project: &str) -> PathBuf {
        self.state.join(project)
    }
}

fn failed(what: impl AsRef<str>) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure::Engine(format!("{}: {error}; XDG_STATE_HOME chooses another folder", what.as_ref()))
}

#[async_trait]
impl Look for Processes {
    fn name(&self) -> &'static str {
        "process"
    }

    fn addressing(&self) -> Addressing {
        Addressing::Loopback
    }

    fn target(&self) -> Target {
        Target::Native
    }

    async fn about(&self) -> Result<About, Failure> {
        Ok(About { engine: None, folder: Some(folder::look(&self.state)) })
    }

    async fn observe(&self, site: &Site<'_>) -> Result<Observed, Failure> {
        let project = &site.spec.name;
        let nodes = marker::nodes(project);
        let held = |port: &u16| nodes.iter().any(|n| n.host_port == Some(*port));
        let wanted = site.spec.nodes.iter().map(|node| node.host_port).filter(|port| !held(port));
        let image = site.artifact.map(|artifact| ObservedImage {
            id: artifact.content.clone(),
            content: Some(artifact.content.clone()),
            ours: true,
            env: BTreeMap::new(),
        });
        let folder = self.folder(project);
        let mut ended = place::folders(&folder);
        ended.retain(|name| place::is_made(&folder, name) && !nodes.iter().any(|node| node.name == *name));
        let volumes = self.volumes(project).await?;
        Ok(Observed { image, ports: ports::taken(wanted), volumes, ended, nodes, ..Observed::default() })
    }

    async fn networks(&self) -> Result<Vec<ObservedNetwork>, Failure> {
        Ok(Vec::new())
    }

    async fn nodes(&self, project: &str) -> Result<Vec<ObservedNode>, Failure> {
        Ok(marker::nodes(project))
    }

    async fn volumes(&self, project: &str) -> Result<Vec<ObservedVolume>, Failure> {
        let folder = self.folder(project);
        let volume = |node: String| ObservedVolume {
            name: volume_name(project, &node),
            project: Some(project.to_owned()),
            socket: place::address(&folder, &node),
        };
        Ok(place::nodes_with_data(&folder).into_iter().map(volume).collect())
    }

    async fn projects(&self) -> Result<BTreeSet<String>, Failure> {
        Ok(marker::projects().into_iter().chain(place::folders(&self.state)).collect())
    }

    async fn cuts(&self, _project: &str) -> Result<BTreeSet<Cut>, Failure> {
        Ok(BTreeSet::new())
    }

    async fn logs(&self, project: &str, node: &ObservedNode, request: &LogRequest) -> Result<LogStream, Failure> {
        logs::stream(place::log_file(&self.folder(project), &node.name), request.clone(), node)
    }

    async fn memory_bytes(&self, node: &ObservedNode) -> Option<u64> {
        marker::memory_bytes(node.id.parse().ok()?)
    }

    async fn processor_time(&self, node: &ObservedNode) -> Option<Duration> {
        marker::processor_time(node.id.parse().ok()?)
    }

    async fn last_words(&self, node: &ObservedNode) -> Option<String> {
        // Only whoever started a process is told.
        match waitpid(Pid::from_raw(node.id.parse().ok()?), Some(WaitPidFlag::WNOHANG)).ok()? {
            WaitStatus::Exited(_, code) => Some(format!("exited with code {code}")),
            WaitStatus::Signaled(_, signal, _) => Some(format!("was ended by {signal}")),
            _ => None,
        }
    }

    async fn inspect(&self, _node: &ObservedNode) -> Option<serde_json::Value> {
        None
    }
}

#[async_trait]
impl Runtime for Processes {
    async fn perform(&self, operation: &Operation, site: &Site<'_>) -> Result<Option<Operation>, Failure> {
        let project = &site.spec.name;
        match operation {
            Operation::CreateVolume { node, volume, socket } => {
                place::create_data(&self.folder(project), node, *socket)?;
                Ok(Some(Operation::RemoveVolume { volume: volume.clone() }))
            }
            Operation::RemoveVolume { volume } => {
                let node = volume.strip_prefix(&format!("{project}-")).unwrap_or(volume);
                place::remove_data(&self.folder(project), node)?;
                Ok(None)
            }
            Operation::StartNode { launch } => {
                let artifact = site.artifact.ok_or_else(|| no_binary(site))?;
                let pid = spawn::spawn(&self.folder(project), launch, artifact, project).await?;
                Ok(Some(Operation::RemoveNode { name: launch.name.clone(), id: pid.to_string() }))
            }
            Operation::PauseNode { name, id } => {
                signal(id, Signal::SIGSTOP).map_err(|e| Failure::Engine(format!("cannot pause {name}: {e}")))?;
                Ok(None)
            }
            Operation::ResumeNode { name, id } => {
                signal(id, Signal::SIGCONT).map_err(|e| Failure::Engine(format!("cannot resume {name}: {e}")))?;
                Ok(None)
            }
            Operation::StopNode { name, id } => stop(name, id).await.map(|()| None),
            Operation::KillNode { name, id } => kill(name, id).await.map(|()| None),
            Operation::RemoveNode { name, id } => {
                // One that has ended has none.
                if !id.is_empty() {
                    kill(name, id).await?;
                }
                place::remove_log(&self.folder(project), name)?;
                Ok(None)
            }
            // There is nothing between the binary and its process.
            Operation::BuildImage
            | Operation::CreateNode { .. }
            | Operation::CreateNetwork
            | Operation::RemoveNetwork { .. }
            | Operation::RemoveBarrier { .. }
            | Operation::RemoveImage { .. } => Ok(None),
        }
    }

    fn done(&self, operation: &Operation) -> String {
        match operation {
            Operation::CreateVolume { .. } => "data folder created".to_owned(),
            Operation::RemoveVolume { volume } => format!("data folder {volume} removed"),
            other => other.done(),
        }
    }

    async fn prepare_cuts(&self, _site: &Site<'_>) -> Result<(), Failure> {
        Err(inseparable())
    }

    async fn cut(&self, _site: &Site<'_>, cuts: &BTreeSet<Cut>) -> Result<(), Failure> {
        if cuts.is_empty() { Ok(()) } else { Err(inseparable()) }
    }

    async fn build_folder(&self, _folder: &Path, _site: &Site<'_>) -> Result<(), Failure> {
        Err(Failure::Usage("processes run only this project's node".to_owned()))
    }

    async fn prune_images(&self, _project: Option<&str>) -> Result<usize, Failure> {
        Ok(0)
    }
}

fn inseparable() -> Failure {
    Failure::Usage("processes share one network and cannot be partitioned; use --runtime docker".to_owned())
}

fn no_binary(site: &Site<'_>) -> Failure {
    Failure::Image(format!("nobody has said from which binary the nodes of {} are started", site.spec.name))
}

/// Every node leads a process group of its own.
fn signal(id: &str, signal: Signal) -> Result<(), Errno> {
    let Ok(pid) = id.parse() else { return Err(Errno::EINVAL) };
    match killpg(Pid::from_raw(pid), signal) {
        Err(Errno::ESRCH) => Ok(()),
        other => other,
    }
}

async fn stop(name: &str, id: &str) -> Result<(), Failure> {
    signal(id, Signal::SIGTERM).map_err(|error| Failure::Engine(format!("cannot stop {name}: {error}")))?;
    if ended(id, STOP_PATIENCE).await {
        return Ok(());
    }
    kill(name, id).await
}

async fn kill(name: &str, id: &str) -> Result<(), Failure> {
    signal(id, Signal::SIGKILL).map_err(|error| Failure::Engine(format!("cannot kill {name}: {error}")))?;
    if ended(id, STOP_PATIENCE).await {
        return Ok(());
    }
    Err(Failure::Engine(format!("{name} (process {id}) does not end although it was killed")))
}

async fn ended(id: &str, patience: Duration) -> bool {
    let Ok(pid) = id.parse() else { return true };
    let deadline = Instant::now() + patience;
    while marker::is_alive(pid) {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    true
}
