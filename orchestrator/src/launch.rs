//! What a node is started with: its configuration (kept as a label, compared by `plan`) and its environment.
//!
//! Invariant: `VIEW` and `SHARD_COUNT` are no part of the configuration. They serve the first start only, so a changed
//! node list never recreates a node.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use serde::{Deserialize, Serialize};

use crate::spec::{ClusterSpec, NodeSpec, Secret};

/// The variable of the one value that nothing may print.
pub(crate) const SECRET: &str = "CLUSTER_SECRET";

/// What makes a running node the wanted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeConfig {
    /// `SOCKET_ADDRESS`.
    pub(crate) socket: SocketAddrV4,
    pub(crate) host_port: u16,
    pub(crate) dialect: String,
    pub(crate) memory_bytes: u64,
    pub(crate) pids: u32,
    /// The `env` of the file.
    pub(crate) env: BTreeMap<String, String>,
    /// The fingerprint of `CLUSTER_SECRET`, which no label tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

impl NodeConfig {
    /// What differs between a node that is there and the wanted one, in words; empty when nothing does.
    pub(crate) fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, old: String, new: String| {
            if old != new {
                differences.push(format!("{what} {old} → {new}"));
            }
        };
        compare("address", self.socket.to_string(), wanted.socket.to_string());
        compare("host port", self.host_port.to_string(), wanted.host_port.to_string());
        compare("dialect", self.dialect.clone(), wanted.dialect.clone());
        compare("memory limit", self.memory_bytes.to_string(), wanted.memory_bytes.to_string());
        compare("pids limit", self.pids.to_string(), wanted.pids.to_string());
        if self.env != wanted.env {
            differences.push("env differs".to_owned());
        }
        if self.secret != wanted.secret {
            differences.push("secret differs".to_owned());
        }
        differences
    }
}

/// Where nodes reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// Every node has an address of its own in the cluster's network.
    Network,
    /// All are on 127.0.0.1, each at its host port.
    Loopback,
}

impl Addressing {
    /// The node's `SOCKET_ADDRESS`.
    pub(crate) fn socket(self, spec: &ClusterSpec, node: &NodeSpec) -> SocketAddrV4 {
        match self {
            Self::Network => spec.container_socket(node),
            Self::Loopback => SocketAddrV4::new([127, 0, 0, 1].into(), node.host_port),
        }
    }
}

/// Everything needed to create one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) name: String,
    /// The name of its container.
    pub(crate) container: String,
    pub(crate) config: NodeConfig,
    /// The whole environment, `VIEW` and `SHARD_COUNT` included.
    pub(crate) env: BTreeMap<String, String>,
    /// Its image, where that need not be the file's.
    pub(crate) image: Option<String>,
}

impl Launch {
    /// How `node` of `spec` is started.
    pub(crate) fn of(spec: &ClusterSpec, node: &NodeSpec, addressing: Addressing) -> Self {
        let socket = addressing.socket(spec, node);
        let config = NodeConfig {
            socket,
            host_port: node.host_port,
            dialect: spec.dialect.clone(),
            memory_bytes: spec.limits.memory_bytes,
            pids: spec.limits.pids,
            env: node.env.clone(),
            secret: spec.secret.as_ref().map(Secret::fingerprint),
        };
        let mut env = node.env.clone();
        let mut set = |name: &str, value: String| env.insert(name.to_owned(), value);
        set("SOCKET_ADDRESS", socket.to_string());
        set("VIEW", view(spec, node, addressing));
        set("API_DIALECT", spec.dialect.clone());
        if let (Some(shards), false) = (spec.shards, node.ungrouped) {
            set("SHARD_COUNT", shards.to_string());
        }
        if let Some(secret) = &spec.secret {
            set(SECRET, secret.reveal().to_owned());
        }
        match addressing {
            // So that the host's port works on the container's address too: http://10.10.0.2:8082.
            Addressing::Network => set("EXTRA_PORTS", node.host_port.to_string()),
            Addressing::Loopback => set("BIND_ADDRESS", "127.0.0.1".to_owned()),
        };
        Self { name: node.name.clone(), container: spec.container_name(&node.name), config, env, image: None }
    }
}

/// All grouped nodes of the file; an ungrouped node's adds itself.
fn view(spec: &ClusterSpec, node: &NodeSpec, addressing: Addressing) -> String {
    let members = spec.nodes.iter().filter(|other| !other.ungrouped || other.name == node.name);
    let sockets: Vec<String> = members.map(|other| addressing.socket(spec, other).to_string()).collect();
    sockets.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::locate;

    fn launch(name: &str, addressing: Addressing) -> Launch {
        let spec = locate(None, std::path::Path::new("/")).expect("built-in").spec;
        Launch::of(&spec, spec.node(name).expect("in the file"), addressing)
    }

    #[test]
    fn a_grouped_node_on_docker() {
        let env = launch("node1", Addressing::Network).env;
        assert_eq!(env["SOCKET_ADDRESS"], "10.10.0.2:8080");
        assert_eq!(
            env["VIEW"],
            "10.10.0.2:8080,10.10.0.3:8080,10.10.0.4:8080,10.10.0.5:8080,10.10.0.6:8080,10.10.0.7:8080"
        );
        assert_eq!(env["SHARD_COUNT"], "2");
        assert_eq!(env["API_DIALECT"], "2019");
        assert_eq!(env["EXTRA_PORTS"], "8082");
        assert!(!env.contains_key("BIND_ADDRESS"));
    }

    #[test]
    fn an_ungrouped_node_adds_itself_and_has_no_shard_count() {
        let env = launch("node7", Addressing::Loopback).env;
        assert!(env["VIEW"].ends_with(",127.0.0.1:8087,127.0.0.1:8088"), "{}", env["VIEW"]);
        assert!(!env.contains_key("SHARD_COUNT"));
        assert_eq!(env["BIND_ADDRESS"], "127.0.0.1");
        assert!(!env.contains_key("EXTRA_PORTS"));
    }
}
