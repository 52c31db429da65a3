//! What the engine reports of a node's container. Only what it does not report counts as it was asked for, which a label
//! tells: another version of this tool may have written that label, or somebody may have changed the container since.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum, EndpointSettings, HostConfig, MountPoint,
};

use super::observe::container_name;
use crate::labels;
use crate::launch::NodeConfig;
use crate::observed::{Made, NodeState, ObservedNode};

/// A node as a listing tells of it: of a container that does not run no ports.
pub(super) fn listed(container: &ContainerSummary) -> Option<ObservedNode> {
    let labels = container.labels.as_ref()?;
    let asked = asked(labels);
    let published = container.ports.iter().flatten().filter_map(|port| Some((port.private_port, port.public_port?)));
    let published = published.min().or(asked.as_ref().map(|asked| (asked.socket.port(), asked.host_port)));
    let networks = container.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    Some(ObservedNode {
        name: labels.get(labels::NODE)?.clone(),
        id: container.id.clone()?,
        container: container_name(container),
        state: match container.state {
            Some(ContainerSummaryStateEnum::RUNNING) => NodeState::Running,
            Some(ContainerSummaryStateEnum::PAUSED) => NodeState::Paused,
            _ => NodeState::Stopped,
        },
        image: container.image_id.clone().unwrap_or_default(),
        image_name: container.image.clone().unwrap_or_default(),
        address: address(networks, asked.as_ref()),
        port: published.map(|(port, _)| port),
        host_port: published.map(|(_, host_port)| host_port),
        made: None,
    })
}

/// A listed node with all that an inspection tells.
pub(super) fn inspected(node: ObservedNode, container: ContainerInspectResponse) -> ObservedNode {
    let config = container.config.unwrap_or_default();
    let host = container.host_config.unwrap_or_default();
    let asked = asked(&config.labels.unwrap_or_default());
    let networks = container.network_settings.and_then(|settings| settings.networks);
    let published = published(&host);
    // An engine without such limits drops them.
    let memory_bytes = host.memory.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    let pids = host.pids_limit.and_then(|pids| u32::try_from(pids).ok()).filter(|pids| *pids > 0);
    ObservedNode {
        address: address(networks.as_ref(), asked.as_ref()),
        port: published.map(|(port, _)| port),
        host_port: published.map(|(_, host_port)| host_port),
        made: Some(Made {
            memory_bytes: memory_bytes.or(asked.as_ref().map(|asked| asked.memory_bytes)),
            pids: pids.or(asked.as_ref().map(|asked| asked.pids)),
            env: variables(config.env),
            mounts: container.mounts.into_iter().flatten().filter_map(mount).collect(),
        }),
        ..node
    }
}

/// `None` when another version has written it in its own way, or nobody.
fn asked(labels: &HashMap<String, String>) -> Option<NodeConfig> {
    serde_json::from_str(labels.get(labels::CONFIG)?).ok()
}

/// That in its own network, where nodes alone have an address by request. One that does not run may show none.
fn address(networks: Option<&HashMap<String, EndpointSettings>>, asked: Option<&NodeConfig>) -> Option<Ipv4Addr> {
    let endpoints: Vec<&EndpointSettings> = networks?.values().collect();
    let address = |text: Option<&String>| text?.parse::<Ipv4Addr>().ok();
    let requested = endpoints.iter().filter_map(|e| address(e.ipam_config.as_ref()?.ipv4_address.as_ref())).min();
    let given = || endpoints.iter().filter_map(|e| address(e.ip_address.as_ref())).min();
    let asked = || asked.filter(|_| !endpoints.is_empty()).map(|asked| *asked.socket.ip());
    requested.or_else(given).or_else(asked)
}

/// The port inside, and that of the host.
fn published(host: &HostConfig) -> Option<(u16, u16)> {
    let ports = host.port_bindings.iter().flatten().filter_map(|(port, bindings)| {
        let host_port = bindings.as_ref()?.first()?.host_port.as_ref()?;
        Some((port.strip_suffix("/tcp")?.parse().ok()?, host_port.parse().ok()?))
    });
    ports.min()
}

/// A list of `NAME=value`.
pub(super) fn variables(env: Option<Vec<String>>) -> BTreeMap<String, String> {
    let env = env.unwrap_or_default();
    let pairs = env.iter().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What is there by request: a volume without a name comes with the image.
fn mount(mount: MountPoint) -> Option<(String, String)> {
    let is_volume = mount.typ.as_deref() == Some("volume");
    let source = if is_volume { mount.name } else { mount.source }?;
    let is_nameless = is_volume && source.len() == 64 && source.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!is_nameless).then_some((mount.destination?, source))
}

#[cfg(test)]
mod tests;
