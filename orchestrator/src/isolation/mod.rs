//! A place for a cluster beside others on one host: names of its own, a free subnet, free host ports.
//!
//! It only chooses, and creates nothing: a stranger may still take what was chosen. Invariants: a cluster that is there
//! keeps its place, and one that has left its data comes back to it; two clusters of one process are never given the same.

mod ports;
mod ring;
mod subnets;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use ipnet::Ipv4Net;

use crate::failure::{Conflict, Failure};
use crate::launch::Addressing;
use crate::plan::volume_name;
use crate::runtime::{Look, routes_of_host};
use crate::spec::{ClusterSpec, NodeSpec, overlap};

pub(crate) use ports::FIRST_EPHEMERAL_PORT;

/// How large a chosen subnet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// As the file's.
    File,
    /// As small as it may be while every node keeps its place in it.
    Least,
}

/// `spec` as cluster `project`, which meets no other cluster: own names, a free subnet of the least size, free ports.
///
/// # Errors
/// Nothing is free, or the runtime does not answer.
pub(crate) async fn isolate(spec: ClusterSpec, runtime: &dyn Look, project: &str) -> Result<ClusterSpec, Failure> {
    let spec = free_subnet(spec.isolated_as(project), runtime, Size::Least).await?;
    free_ports(spec, runtime).await
}

/// A name for what is made from `folder`: another for every folder, and always the same for one.
pub(crate) fn name_of(name: &str, folder: &Path) -> String {
    let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let hash = blake3::hash(canonical.as_os_str().as_encoded_bytes()).to_hex();
    format!("{name}-{}", &hash[..4])
}

/// The cluster in a subnet that no network of the engine and no route of this host overlaps.
///
/// # Errors
/// No subnet is free, the nodes do not fit into that of the network that is there, or the runtime does not answer.
pub(crate) async fn free_subnet(spec: ClusterSpec, runtime: &dyn Look, size: Size) -> Result<ClusterSpec, Failure> {
    if runtime.addressing() == Addressing::Loopback {
        return Ok(spec);
    }
    let networks = runtime.networks().await?;
    let own = networks.iter().find(|network| network.project.as_ref() == Some(&spec.name));
    let subnet = match own.and_then(|network| network.subnets.first()) {
        Some(subnet) => *subnet,
        None => {
            let mut taken: Vec<Ipv4Net> = routes_of_host().into_iter().map(|route| route.subnet).collect();
            taken.extend(networks.iter().flat_map(|network| &network.subnets));
            // Left to the cluster that asks for no other.
            taken.push(spec.network.subnet);
            let length = match size {
                Size::File => spec.network.subnet.prefix_len(),
                Size::Least => subnets::least(&spec),
            };
            let before = subnet_of_data(&spec, runtime, length).await?;
            match before.filter(|subnet| !taken.iter().any(|taken| overlap(taken, subnet))) {
                Some(subnet) => subnet,
                None => subnets::free(length, &taken).ok_or_else(|| nothing_free(&format!("subnet of /{length}")))?,
            }
        }
    };
    spec.moved_to(subnet).map_err(Failure::Usage)
}

/// The cluster on host ports that nothing listens on, one after the other in the order of the file. Nodes that are there
/// keep theirs, and the others' follow from them.
///
/// # Errors
/// No ports are free, or the runtime does not answer.
pub(crate) async fn free_ports(mut spec: ClusterSpec, runtime: &dyn Look) -> Result<ClusterSpec, Failure> {
    let there = runtime.nodes(&spec.name).await?;
    let mut held: BTreeMap<&str, u16> =
        there.iter().filter_map(|node| Some((node.name.as_str(), node.host_port?))).collect();
    if runtime.addressing() == Addressing::Loopback {
        let data = sockets_of_data(&spec, runtime).await?;
        for (node, socket) in spec.nodes.iter().zip(data) {
            if let Some(socket) = socket {
                held.entry(&node.name).or_insert(socket.port());
            }
        }
    }
    let names: Vec<&str> = spec.nodes.iter().map(|node| node.name.as_str()).collect();
    let chosen = match ports::beside(&names, &held) {
        Some(chosen) => chosen,
        None => ports::free(names.len()).ok_or_else(|| nothing_free("block of host ports"))?,
    };
    spec.nodes = spec.nodes.into_iter().zip(chosen).map(|(node, host_port)| NodeSpec { host_port, ..node }).collect();
    Ok(spec)
}

/// For each node of the file the address by which its data knows it, where there is data.
async fn sockets_of_data(spec: &ClusterSpec, runtime: &dyn Look) -> Result<Vec<Option<SocketAddrV4>>, Failure> {
    let volumes = runtime.volumes(&spec.name).await?;
    let socket = |node: &NodeSpec| {
        let name = volume_name(&spec.name, &node.name);
        volumes.iter().find(|volume| volume.name == name)?.socket
    };
    Ok(spec.nodes.iter().map(socket).collect())
}

/// The subnet in which the cluster's data was made.
async fn subnet_of_data(spec: &ClusterSpec, runtime: &dyn Look, length: u8) -> Result<Option<Ipv4Net>, Failure> {
    let sockets = sockets_of_data(spec, runtime).await?;
    let found = spec.nodes.iter().zip(sockets).find_map(|(node, socket)| Some((node.address, *socket?.ip())));
    Ok(found.and_then(|(address, before)| {
        let place = u32::from(address) - u32::from(spec.network.subnet.network());
        let first = u32::from(before).checked_sub(place)?;
        Ipv4Net::new(Ipv4Addr::from(first), length).ok().filter(|subnet| subnet.trunc() == *subnet)
    }))
}

fn nothing_free(what: &str) -> Failure {
    Failure::Conflict(vec![Conflict {
        what: format!("every {what}"),
        owner: "other clusters and this host".to_owned(),
        free_with: "orchestrator prune".to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_has_a_name_of_its_own() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let name = name_of("kv", one.path());
        assert_eq!(name.len(), "kv-0123".len());
        assert_eq!(name_of("kv", &one.path().join(".")), name);
        assert_ne!(name_of("kv", other.path()), name);
    }
}
