//! Reads what is there.

use std::net::Ipv4Addr;

use bollard::models::{ContainerSummary, Network};
use bollard::query_parameters::InspectNetworkOptions;
use futures_util::future::try_join_all;

use super::super::{Site, ports, routes};
use super::partition::Barrier;
use super::{Docker, failed, is_status, report};
use crate::failure::Failure;
use crate::labels;
use crate::observed::{NodeState, Observed, ObservedBarrier, ObservedNetwork, ObservedNode, OtherContainer, TakenPort};
use crate::spec::NetworkSpec;

impl Docker {
    pub(super) async fn observe_project(&self, site: &Site<'_>) -> Result<Observed, Failure> {
        let project = &site.spec.name;
        let containers = self.containers(&Default::default()).await?;
        let (ours, others): (Vec<_>, Vec<_>) = containers.into_iter().partition(|container| is_of(container, project));
        let listed = ours.iter().filter_map(report::listed);
        let nodes: Vec<ObservedNode> =
            try_join_all(listed.map(|node| self.with_made(node))).await?.into_iter().flatten().collect();
        let barriers = ours.iter().filter_map(Barrier::of).map(|b| ObservedBarrier { node: b.node, id: b.id });
        let networks = self.observe_networks(project, &site.spec.network).await?;
        Ok(Observed {
            image: self.observe_image(&site.spec.image.name).await?,
            // After the networks: a bridge is never there without its network.
            routes: if self.is_elsewhere { Vec::new() } else { routes::of_host() },
            networks,
            ports: taken_ports(site, &nodes, &others),
            others: others.iter().map(other).collect(),
            volumes: self.all_volumes().await?,
            ended: Vec::new(),
            barriers: barriers.collect(),
            nodes,
        })
    }

    pub(super) async fn project_nodes(&self, project: &str) -> Result<Vec<ObservedNode>, Failure> {
        let containers = self.containers(&super::labelled(&format!("{}={project}", labels::PROJECT))).await?;
        Ok(containers.iter().filter_map(report::listed).collect())
    }

    /// One that vanished meanwhile is none.
    async fn with_made(&self, node: ObservedNode) -> Result<Option<ObservedNode>, Failure> {
        match self.client.inspect_container(&node.id, None).await {
            Ok(container) => Ok(Some(report::inspected(node, container))),
            Err(error) if is_status(&error, 404) => Ok(None),
            Err(error) => Err(failed(format!("cannot inspect {}", node.name))(error)),
        }
    }

    async fn observe_networks(&self, project: &str, wanted: &NetworkSpec) -> Result<Vec<ObservedNetwork>, Failure> {
        let networks = self.all_networks().await?.into_iter();
        let networks = try_join_all(networks.map(|network| self.with_members(network, project, wanted))).await?;
        Ok(networks.into_iter().flatten().collect())
    }

    /// The members only of networks that matter to the project: its own, and those in its way. One that vanished meanwhile is
    /// none.
    async fn with_members(
        &self,
        network: ObservedNetwork,
        project: &str,
        wanted: &NetworkSpec,
    ) -> Result<Option<ObservedNetwork>, Failure> {
        let in_way = network.name == wanted.name || network.subnets.iter().any(|subnet| wanted.overlaps(subnet));
        if !in_way && network.project.as_deref() != Some(project) {
            return Ok(Some(network));
        }
        let members = self.members(&network.id).await?;
        Ok(members.map(|members| ObservedNetwork { members, ..network }))
    }

    /// Without their members, which only an inspected network tells.
    pub(super) async fn all_networks(&self) -> Result<Vec<ObservedNetwork>, Failure> {
        let networks = self.client.list_networks(None).await.map_err(failed("cannot list networks"))?;
        Ok(networks.into_iter().map(observed_network).collect())
    }

    async fn members(&self, network: &str) -> Result<Option<Vec<(String, Option<Ipv4Addr>)>>, Failure> {
        let inspected = match self.client.inspect_network(network, None::<InspectNetworkOptions>).await {
            Ok(inspected) => inspected,
            Err(error) if is_status(&error, 404) => return Ok(None),
            Err(error) => return Err(failed(format!("cannot inspect network {network}"))(error)),
        };
        let members = inspected.containers.unwrap_or_default().into_values();
        let mut members: Vec<_> = members
            .map(|member| {
                let address = member.ipv4_address.unwrap_or_default();
                (member.name.unwrap_or_default(), address.split('/').next().and_then(|a| a.parse().ok()))
            })
            .collect();
        members.sort();
        Ok(Some(members))
    }
}

fn is_of(container: &ContainerSummary, project: &str) -> bool {
    labels::project_of_container(container.labels.as_ref()).as_deref() == Some(project)
}

pub(super) fn container_name(container: &ContainerSummary) -> String {
    let names = container.names.as_deref().unwrap_or_default();
    names.first().map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default()
}

fn other(container: &ContainerSummary) -> OtherContainer {
    OtherContainer {
        id: container.id.clone().unwrap_or_default(),
        name: container_name(container),
        project: labels::project_of_container(container.labels.as_ref()),
        node: container.labels.as_ref().and_then(|labels| labels.get(labels::NODE)).cloned(),
    }
}

/// Ports that other containers publish (their proxy is no process one could name), then those of processes.
fn taken_ports(site: &Site<'_>, nodes: &[ObservedNode], others: &[ContainerSummary]) -> Vec<TakenPort> {
    // Only a running container holds its port.
    let held = |port: u16| nodes.iter().any(|n| n.state != NodeState::Stopped && n.host_port == Some(port));
    let wanted = site.spec.nodes.iter().map(|node| node.host_port).filter(|port| !held(*port));
    let (published, free): (Vec<_>, Vec<_>) =
        wanted.map(|port| (port, publisher(port, others))).partition(|(_, by)| by.is_some());
    let published = published.into_iter().filter_map(|(port, by)| {
        let by = other(by?);
        Some(TakenPort { port, owner: by.owner(), free_with: by.removal() })
    });
    let by_processes = ports::taken(free.into_iter().map(|(port, _)| port));
    published.chain(by_processes.into_iter().filter(|taken| !is_our_proxy(taken, nodes))).collect()
}

/// The engine's proxy listens before the container counts as running. Without another container that publishes the
/// port it can only be that of ours, which is being started, by an earlier run that was killed.
fn is_our_proxy(taken: &TakenPort, nodes: &[ObservedNode]) -> bool {
    taken.owner.contains("(docker-proxy)") && nodes.iter().any(|node| node.host_port == Some(taken.port))
}

fn publisher(port: u16, others: &[ContainerSummary]) -> Option<&ContainerSummary> {
    others
        .iter()
        .find(|container| container.ports.iter().flatten().any(|published| published.public_port == Some(port)))
}

fn observed_network(network: Network) -> ObservedNetwork {
    let pools = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    ObservedNetwork {
        id: network.id.unwrap_or_default(),
        name: network.name.unwrap_or_default(),
        subnets: pools.into_iter().filter_map(|pool| pool.subnet?.parse().ok()).collect(),
        project: labels::project(network.labels.as_ref()),
        members: Vec::new(),
    }
}
