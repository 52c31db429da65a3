//! What a node is started with: its place, its limits and its environment.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use serde::{Deserialize, Serialize};

use crate::spec::{ClusterSpec, NodeSpec};

/// The variable of the one value that nothing may print.
pub(crate) const SECRET: &str = "CLUSTER_SECRET";
/// The variables of the first start: a changed node list never makes a node anew.
pub(crate) const FIRST_START: [&str; 2] = ["VIEW", "SHARD_COUNT"];

/// Where a node is reached and what it may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeConfig {
    /// `SOCKET_ADDRESS`.
    pub(crate) socket: SocketAddrV4,
    pub(crate) host_port: u16,
    pub(crate) memory_bytes: u64,
    pub(crate) pids: u32,
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
            memory_bytes: spec.limits.memory_bytes,
            pids: spec.limits.pids,
        };
        let mut env = node.env.clone();
        if addressing == Addressing::Loopback {
            // The state folder has the data.
            env.remove("DATA_DIR");
        }
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
