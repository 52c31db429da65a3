//! The marker in a node's environment by which it is found again, and what else its process tells.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::SocketAddrV4;
use std::time::Duration;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use crate::observed::{Made, NodeState, ObservedNode};

/// The project. Not `ORCHESTRATOR_PROJECT`, which is a flag of the tool.
pub(super) const PROJECT: &str = "ORCHESTRATED_PROJECT";
/// The node's name.
pub(super) const NODE: &str = "ORCHESTRATED_NODE";
/// The hash of the binary.
pub(super) const CONTENT: &str = "ORCHESTRATED_CONTENT";
/// All of them, and those of other versions.
const PREFIX: &str = "ORCHESTRATED_";
/// Set with them.
pub(super) const DATA_DIR: &str = "DATA_DIR";

/// The running nodes of a project.
pub(super) fn nodes(project: &str) -> Vec<ObservedNode> {
    let system = look(ProcessesToUpdate::All);
    let mut nodes: Vec<ObservedNode> = system
        .iter()
        .flat_map(|system| system.processes().values())
        // A thread shows the environment of its process.
        .filter(|process| process.thread_kind().is_none())
        .filter(|process| variable(process.environ(), PROJECT) == Some(project))
        .filter_map(node)
        .collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes
}

/// Every project that has a process.
pub(super) fn projects() -> BTreeSet<String> {
    let system = look(ProcessesToUpdate::All);
    let processes = system.iter().flat_map(|system| system.processes().values());
    let named = processes.filter_map(|process| variable(process.environ(), PROJECT));
    named.map(str::to_owned).collect()
}

/// The project that a process belongs to.
pub(crate) fn project_of(pid: u32) -> Option<String> {
    let pid = Pid::from_u32(pid);
    let system = look(ProcessesToUpdate::Some(&[pid]))?;
    variable(system.process(pid)?.environ(), PROJECT).map(str::to_owned)
}

/// Whether the process still runs; one that only waits to be reaped does not. Its first thread may end before the others,
/// which hold its files and ports until they have ended too.
pub(super) fn is_alive(pid: u32) -> bool {
    let pid = Pid::from_u32(pid);
    let Ok(mut system) = System::new() else { return false };
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing().with_tasks(),
    );
    let lives =
        |process: &Process| !is_dead(process.status()) || process.tasks().is_some_and(|tasks| !tasks.is_empty());
    system.process(pid).is_some_and(lives)
}

/// Its resident memory.
pub(super) fn memory_bytes(pid: u32) -> Option<u64> {
    of_process(pid, ProcessRefreshKind::nothing().with_memory(), Process::memory)
}

/// What it has had of the processors.
pub(super) fn processor_time(pid: u32) -> Option<Duration> {
    let milliseconds = of_process(pid, ProcessRefreshKind::nothing().with_cpu(), Process::accumulated_cpu_time)?;
    Some(Duration::from_millis(milliseconds))
}

fn of_process<T>(pid: u32, kind: ProcessRefreshKind, of: impl FnOnce(&Process) -> T) -> Option<T> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    system.process(pid).map(of)
}

/// `None` on a platform that does not tell about processes.
fn look(which: ProcessesToUpdate<'_>) -> Option<System> {
    let mut system = System::new().ok()?;
    let kind = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(which, true, kind);
    Some(system)
}

fn is_dead(status: ProcessStatus) -> bool {
    matches!(status, ProcessStatus::Zombie | ProcessStatus::Dead)
}

fn node(process: &Process) -> Option<ObservedNode> {
    let environment = process.environ();
    let state = match process.status() {
        status if is_dead(status) => return None,
        ProcessStatus::Stop => NodeState::Paused,
        _ => NodeState::Running,
    };
    let name = variable(environment, NODE)?;
    let image = variable(environment, CONTENT).unwrap_or_default();
    let socket: Option<SocketAddrV4> = variable(environment, "SOCKET_ADDRESS").and_then(|socket| socket.parse().ok());
    let port = socket.map(|socket| socket.port());
    let pairs = environment.iter().filter_map(|pair| pair.to_str()?.split_once('='));
    let own = pairs.filter(|(name, _)| !name.starts_with(PREFIX) && *name != DATA_DIR);
    let env = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(ObservedNode {
        name: name.to_owned(),
        container: name.to_owned(),
        id: process.pid().to_string(),
        state,
        image: image.to_owned(),
        image_name: image.to_owned(),
        address: socket.map(|socket| *socket.ip()),
        port,
        // It listens on the host itself.
        host_port: port,
        made: Some(Made { env, ..Made::default() }),
    })
}

fn variable<'a>(environment: &'a [impl AsRef<OsStr>], name: &str) -> Option<&'a str> {
    environment.iter().find_map(|pair| pair.as_ref().to_str()?.strip_prefix(name)?.strip_prefix('='))
}
