//! What is there: plain data that a runtime saw. On Docker it comes from labels and inspection, never from a file.

mod about;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::Ipv4Net;

pub(crate) use about::{About, Engine, Folder, is_elsewhere};

/// Everything that `plan` looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    /// The image, where there is one under the wanted name.
    pub(crate) image: Option<ObservedImage>,
    /// Every network of the engine.
    pub(crate) networks: Vec<ObservedNetwork>,
    /// What the host of the engine reaches by itself, where that is this one.
    pub(crate) routes: Vec<Route>,
    /// The nodes of this project, whatever their state.
    pub(crate) nodes: Vec<ObservedNode>,
    /// Nodes that have ended and were not removed, where the runtime does not list those among `nodes`.
    pub(crate) ended: Vec<String>,
    /// The helper containers by which nodes of this project are cut off.
    pub(crate) barriers: Vec<ObservedBarrier>,
    /// Every other container of the engine, of other projects too.
    pub(crate) others: Vec<OtherContainer>,
    /// Volumes by name, of any project.
    pub(crate) volumes: Vec<ObservedVolume>,
    /// Host ports that something other than this project's nodes listens on.
    pub(crate) ports: Vec<TakenPort>,
}

/// The image under the wanted name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObservedImage {
    pub(crate) id: String,
    /// The hash of the context it was built from, when this tool built it.
    pub(crate) content: Option<String>,
    /// Made from this project's Dockerfile.
    pub(crate) ours: bool,
    /// What it gives to the environment of its nodes.
    pub(crate) env: BTreeMap<String, String>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObservedNetwork {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) subnets: Vec<Ipv4Net>,
    /// The project that made it, when this tool did.
    pub(crate) project: Option<String>,
    /// Containers connected to it: name and address.
    pub(crate) members: Vec<(String, Option<Ipv4Addr>)>,
}

/// A subnet that the host reaches by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) subnet: Ipv4Net,
    pub(crate) interface: String,
}

/// Whether a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeState {
    Running,
    Paused,
    /// Created, exited or dead.
    Stopped,
}

impl NodeState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// A node of this project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObservedNode {
    pub(crate) name: String,
    /// The container's id, or the process's.
    pub(crate) id: String,
    /// The container's name; of a process the node's.
    pub(crate) container: String,
    pub(crate) state: NodeState,
    /// The id of the image (or the hash of the binary) it was made from.
    pub(crate) image: String,
    /// The name of that image; its id again when the name is another's by now.
    pub(crate) image_name: String,
    /// Where the other nodes reach it.
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) port: Option<u16>,
    /// Where the host reaches it, on 127.0.0.1.
    pub(crate) host_port: Option<u16>,
    /// Of a node that is only listed it is not asked.
    pub(crate) made: Option<Made>,
}

/// What a node is made with, as whatever runs it reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) pids: Option<u32>,
    /// With what its image gives it.
    pub(crate) env: BTreeMap<String, String>,
    /// The volume, or the path of the host, at each path inside.
    pub(crate) mounts: BTreeMap<String, String>,
}

impl ObservedNode {
    /// A node that was started and left nothing but perhaps its log.
    pub(crate) fn gone(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: String::new(),
            container: name.to_owned(),
            state: NodeState::Stopped,
            image: String::new(),
            image_name: String::new(),
            address: None,
            port: None,
            host_port: None,
            made: None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == NodeState::Running
    }

    /// Its `SOCKET_ADDRESS`.
    pub(crate) fn socket(&self) -> Option<SocketAddrV4> {
        Some(SocketAddrV4::new(self.address?, self.port?))
    }

    /// Where the host reaches it.
    pub(crate) fn url(&self) -> Option<String> {
        Some(format!("http://127.0.0.1:{}", self.host_port?))
    }
}

/// A helper container in a node's network namespace, which makes the node's cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObservedBarrier {
    pub(crate) node: String,
    pub(crate) id: String,
}

/// A container that is not this project's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherContainer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) project: Option<String>,
    /// Which node of that project it is.
    pub(crate) node: Option<String>,
}

impl OtherContainer {
    /// Whose it is.
    pub(crate) fn owner(&self) -> String {
        match &self.project {
            Some(project) => format!("container {} of project {project}", self.name),
            None => format!("container {} ({})", self.name, short(&self.id)),
        }
    }

    /// The exact command that removes it.
    pub(crate) fn removal(&self) -> String {
        match (&self.project, &self.node) {
            (Some(project), Some(node)) => format!("orchestrator down -p {project} {node}"),
            (Some(project), None) => format!("orchestrator down -p {project}"),
            (None, _) => format!("docker rm -f {}", short(&self.id)),
        }
    }
}

/// The twelve digits of an id that Docker shows.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A volume, or a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObservedVolume {
    pub(crate) name: String,
    pub(crate) project: Option<String>,
    /// The `SOCKET_ADDRESS` of the node that it was made for, by which the data knows that node. Volumes that nobody gave
    /// a label tell none.
    pub(crate) socket: Option<SocketAddrV4>,
}

/// A host port that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenPort {
    pub(crate) port: u16,
    pub(crate) owner: String,
    pub(crate) free_with: String,
}
