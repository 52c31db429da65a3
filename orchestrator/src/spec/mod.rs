//! What the person wants: `cluster.yaml`, read and checked.
//!
//! Everything here is plain data; nothing in it knows an engine. A `ClusterSpec` that exists is valid: names,
//! addresses and ports are unique, every address lies in the static half of the subnet.

mod check;
mod located;
mod memory;
mod problem;
mod reader;
mod schema;
mod secret;
mod source;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

use ipnet::Ipv4Net;

pub(crate) use check::name_problem;
pub(crate) use located::locate;
pub(crate) use memory::format_memory;
pub(crate) use problem::SpecError;
pub(crate) use schema::SCHEMA;
pub(crate) use secret::Secret;

/// The whole of `cluster.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterSpec {
    /// The project: label of every object, prefix of the volumes.
    pub(crate) name: String,
    pub(crate) image: ImageSpec,
    pub(crate) network: NetworkSpec,
    /// `SHARD_COUNT` at the first start; none: no node has it, as in assignment 3. The file always has one.
    pub(crate) shards: Option<u32>,
    /// `API_DIALECT`: "2019" or "2021".
    pub(crate) dialect: String,
    /// The port inside the containers.
    pub(crate) port: u16,
    /// `CLUSTER_SECRET` of all nodes.
    pub(crate) secret: Option<Secret>,
    pub(crate) limits: Limits,
    pub(crate) nodes: Vec<NodeSpec>,
    /// For all nodes; those of the file have it in their own.
    pub(crate) env: BTreeMap<String, String>,
    /// The names of containers begin with the project's, so that they are no other cluster's.
    pub(crate) isolated: bool,
}

/// The image and, when it is built here, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageSpec {
    pub(crate) name: String,
    /// The workspace folder; absent: the image must exist already.
    pub(crate) build: Option<PathBuf>,
}

/// The network, on Docker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkSpec {
    pub(crate) name: String,
    pub(crate) subnet: Ipv4Net,
}

/// What one container may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: u64,
    pub(crate) pids: u32,
}

/// One node of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeSpec {
    pub(crate) name: String,
    /// Its address in the cluster's network.
    pub(crate) address: Ipv4Addr,
    /// The port on 127.0.0.1 at which the host reaches it.
    pub(crate) host_port: u16,
    /// In no shard until `add`.
    pub(crate) ungrouped: bool,
    /// The file's `env` and the node's own, the latter stronger.
    pub(crate) env: BTreeMap<String, String>,
}

impl NetworkSpec {
    /// The half of the subnet from which the engine hands out addresses by itself, so that no stranger's container
    /// takes a node's.
    pub(crate) fn dynamic_range(&self) -> Ipv4Net {
        dynamic_range(self.subnet)
    }

    /// Whether the two have an address in common.
    pub(crate) fn overlaps(&self, subnet: &Ipv4Net) -> bool {
        overlap(&self.subnet, subnet)
    }

    /// The first address, which the bridge itself takes.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet.network()) + 1)
    }
}

/// Whether two subnets have an address in common.
pub(crate) fn overlap(one: &Ipv4Net, other: &Ipv4Net) -> bool {
    one.contains(other) || other.contains(one)
}

/// The upper half of `subnet`.
pub(crate) fn dynamic_range(subnet: Ipv4Net) -> Ipv4Net {
    subnet.subnets(subnet.prefix_len() + 1).ok().and_then(|mut halves| halves.nth(1)).unwrap_or(subnet)
}

impl ClusterSpec {
    /// The node of that name.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeSpec> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The same cluster as `project`, whose containers and network have names of their own.
    pub(crate) fn isolated_as(mut self, project: &str) -> Self {
        project.clone_into(&mut self.name);
        self.network.name = format!("{project}-net");
        self.isolated = true;
        self
    }

    /// The name of the node's container.
    pub(crate) fn container_name(&self, node: &str) -> String {
        if self.isolated { format!("{}-{node}", self.name) } else { node.to_owned() }
    }

    /// The nodes that belong to a shard from the start.
    pub(crate) fn grouped(&self) -> impl Iterator<Item = &NodeSpec> {
        self.nodes.iter().filter(|node| !node.ungrouped)
    }

    /// The name closest to `name`, for a suggestion.
    pub(crate) fn nearest_node(&self, name: &str) -> Option<&str> {
        nearest(name, self.nodes.iter().map(|node| node.name.as_str()))
    }

    /// Where the other containers reach the node.
    pub(crate) fn container_socket(&self, node: &NodeSpec) -> SocketAddrV4 {
        SocketAddrV4::new(node.address, self.port)
    }

    /// The same cluster in another subnet: every address keeps its distance from the start of the subnet.
    ///
    /// # Errors
    /// A node does not fit into the static half of the new subnet.
    pub(crate) fn moved_to(mut self, subnet: Ipv4Net) -> Result<Self, String> {
        let old = u32::from(self.network.subnet.network());
        let new = u32::from(subnet.network());
        let dynamic = dynamic_range(subnet);
        for node in &mut self.nodes {
            let distance = u32::from(node.address) - old;
            let address = new.checked_add(distance).map(Ipv4Addr::from);
            let fits = |a: &Ipv4Addr| subnet.contains(a) && !dynamic.contains(a);
            node.address = address.filter(fits).ok_or_else(|| {
                format!(
                    "{subnet} is too small: {} has the {distance}th address of its subnet, and the upper half is kept for dynamic addresses",
                    node.name
                )
            })?;
        }
        self.network.subnet = subnet;
        Ok(self)
    }
}

/// The candidate that `word` is most likely a misspelling of.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (score(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A key that contains the word, or the other way round, counts as near: `port` → `host_port`.
fn score(word: &str, candidate: &str) -> f64 {
    let contained = word.len() > 2 && (candidate.contains(word) || word.contains(candidate));
    let similar = strsim::jaro_winkler(&word.to_lowercase(), candidate);
    if contained { similar.max(0.8) } else { similar }
}
