//! What a runtime tells of itself and of where it is.

use std::path::PathBuf;

/// As far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// None for processes.
    pub(crate) engine: Option<Engine>,
    /// Where the nodes' data is kept, when that is a folder of this machine.
    pub(crate) folder: Option<Folder>,
}

/// A container engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Engine {
    /// Where it answers: `unix:///var/run/docker.sock`.
    pub(crate) host: String,
    pub(crate) version: String,
    pub(crate) api_version: String,
    /// What it is made of, by name: `Engine`, `containerd`, `Podman Engine`.
    pub(crate) components: Vec<String>,
    pub(crate) operating_system: String,
    /// Such as `name=rootless`.
    pub(crate) security_options: Vec<String>,
    /// Of the machine that it runs on.
    pub(crate) memory_bytes: Option<u64>,
    /// Whether it holds a container to its limit of memory.
    pub(crate) limits_memory: bool,
    /// Whether it holds a container to its limit of processes.
    pub(crate) limits_pids: bool,
}

impl Engine {
    pub(crate) fn is_podman(&self) -> bool {
        self.components.iter().any(|name| name == "Podman Engine")
    }

    /// Run by a user who is not the superuser, in a network of that user's own.
    pub(crate) fn is_rootless(&self) -> bool {
        self.security_options.iter().any(|option| option.split(',').any(|word| word == "name=rootless"))
    }

    /// In a virtual machine: Docker Desktop, and whatever there is on a system that has no containers of its own.
    pub(crate) fn is_virtual(&self) -> bool {
        cfg!(not(target_os = "linux")) || self.operating_system.contains("Docker Desktop")
    }

    /// Reached over a network, at an address that is not this machine's.
    pub(crate) fn is_elsewhere(&self) -> bool {
        is_elsewhere(&self.host)
    }
}

/// Whether a `DOCKER_HOST` is another machine.
pub(crate) fn is_elsewhere(host: &str) -> bool {
    let Some((scheme, address)) = host.split_once("://") else { return false };
    let own = ["127.", "localhost", "[::1]"];
    scheme != "unix" && !own.iter().any(|start| address.starts_with(start))
}

/// A folder, which need not be there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) free_bytes: Option<u64>,
    /// By whoever runs this tool.
    pub(crate) is_writable: bool,
}
