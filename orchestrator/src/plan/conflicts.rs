//! What is in the way and not ours, with its owner and the exact command that frees it.

use super::{Desired, keeps_data, volume_name};
use crate::failure::Conflict;
use crate::launch::Addressing;
use crate::observed::{Observed, ObservedNetwork, ObservedVolume, OtherContainer, Route, short};
use crate::spec::NodeSpec;

/// Everything in the way of `desired`.
pub(super) fn find(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    if desired.addressing == Addressing::Network {
        conflicts.extend(of_network(desired, observed));
        conflicts.extend(of_names(desired, observed));
        conflicts.extend(of_addresses(desired, observed));
    }
    if keeps_data(desired, observed) {
        conflicts.extend(of_volumes(desired, observed));
        conflicts.extend(of_moved_data(desired, observed));
    }
    conflicts.extend(of_ports(desired, observed));
    conflicts
}

/// Docker 20.10 accepts a second network of the same name, and refuses an overlapping subnet only late: look first.
pub(super) fn of_network(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    let wanted = &desired.spec.network;
    let overlaps = |network: &ObservedNetwork| network.subnets.iter().any(|subnet| wanted.overlaps(subnet));
    let mut conflicts = Vec::new();
    for network in &observed.networks {
        if network.project.as_ref() == Some(&desired.spec.name) {
            conflicts.extend(occupied(desired, observed, network));
        } else if overlaps(network) || network.name == wanted.name {
            let what = if overlaps(network) {
                format!("subnet {}", wanted.subnet)
            } else {
                format!("network name {}", wanted.name)
            };
            conflicts.push(Conflict { what, owner: describe(network), free_with: removal(network) });
        }
    }
    conflicts.extend(of_routes(desired, observed));
    conflicts
}

/// What the host reaches by itself inside the subnet of a network that is not there yet: the nodes there would not be reached. A
/// wider route is in nobody's way, since the kernel prefers the narrower.
fn of_routes(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    let Desired { spec, .. } = desired;
    if observed.networks.iter().any(|network| network.project.as_ref() == Some(&spec.name)) {
        return Vec::new();
    }
    let is_bridge = |route: &Route| observed.networks.iter().any(|network| network.subnets.contains(&route.subnet));
    let in_way = |route: &&Route| spec.network.subnet.contains(&route.subnet) && !is_bridge(route);
    let conflict = |Route { subnet, interface }: &Route| Conflict {
        what: format!("subnet {}", spec.network.subnet),
        owner: format!("this host's route to {subnet} by {interface}"),
        free_with: format!("sudo ip route del {subnet} dev {interface} (or take another subnet with --subnet auto)"),
    };
    observed.routes.iter().filter(in_way).map(conflict).collect()
}

/// Our own network must move, but containers of ours are still on it.
fn occupied(desired: &Desired<'_>, observed: &Observed, network: &ObservedNetwork) -> Option<Conflict> {
    let spec = desired.spec;
    let moves = network.subnets != [spec.network.subnet] || network.name != spec.network.name;
    (moves && !(observed.nodes.is_empty() && network.members.is_empty())).then(|| Conflict {
        what: format!("the place of network {} {}", spec.network.name, spec.network.subnet),
        owner: format!("{}, this project's own with nodes on it", describe(network)),
        free_with: format!("orchestrator down -p {}", spec.name),
    })
}

fn describe(network: &ObservedNetwork) -> String {
    let subnets: Vec<String> = network.subnets.iter().map(ToString::to_string).collect();
    let of = network.project.as_ref().map(|project| format!(", project {project}")).unwrap_or_default();
    format!("network {} ({}, {}{of})", network.name, short(&network.id), subnets.join(" "))
}

fn removal(network: &ObservedNetwork) -> String {
    if let Some(project) = &network.project {
        return format!("orchestrator down -p {project}");
    }
    // By id: names need not be unique.
    let remove = format!("docker network rm {}", short(&network.id));
    if network.members.is_empty() {
        return remove;
    }
    let names: Vec<&str> = network.members.iter().map(|(name, _)| name.as_str()).collect();
    format!("docker rm -f {} && {remove}", names.join(" "))
}

fn of_names(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    let taken = |name: &str| observed.others.iter().find(|other| other.name == name);
    desired
        .nodes
        .iter()
        .filter_map(|node| taken(&desired.spec.container_name(&node.name)))
        .map(|other| Conflict {
            what: format!("container name {}", other.name),
            owner: container(other),
            free_with: other.removal(),
        })
        .collect()
}

fn container(other: &OtherContainer) -> String {
    match &other.project {
        Some(project) => format!("container {} of project {project}", short(&other.id)),
        None => format!("container {}, which is not ours", short(&other.id)),
    }
}

/// A stranger on our network with a node's address.
fn of_addresses(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    let ours = |name: &str| observed.nodes.iter().any(|node| node.container == name);
    let networks = observed.networks.iter().filter(|n| n.project.as_ref() == Some(&desired.spec.name));
    networks
        .flat_map(|network| network.members.iter().map(move |member| (network, member)))
        .filter(|(_, (name, _))| !ours(name))
        .filter_map(|(network, (name, address))| {
            let node = desired.nodes.iter().find(|node| Some(node.address) == *address)?;
            Some(Conflict {
                what: format!("address {} of {}", node.address, node.name),
                owner: format!("container {name}, which is not ours"),
                free_with: format!("docker network disconnect -f {} {name}", short(&network.id)),
            })
        })
        .collect()
}

fn of_volumes(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    let project = &desired.spec.name;
    volumes(desired, observed)
        .filter(|(_, volume)| volume.project.as_ref() != Some(project))
        .map(|(_, volume)| Conflict {
            what: format!("volume name {}", volume.name),
            owner: match &volume.project {
                Some(project) => format!("a volume of project {project}"),
                None => "a volume that is not ours".to_owned(),
            },
            free_with: format!("docker volume rm {}", volume.name),
        })
        .collect()
}

/// What a node has stored is stronger than its `VIEW`, and knows every node by its address: a cluster that starts
/// elsewhere with old data would never agree.
fn of_moved_data(desired: &Desired<'_>, observed: &Observed) -> Option<Conflict> {
    let Desired { spec, addressing, nodes, .. } = desired;
    let moved: Vec<_> = volumes(desired, observed)
        .filter(|(_, volume)| volume.project.as_ref() == Some(&spec.name))
        .filter_map(|(node, volume)| Some((node, volume.socket?, addressing.socket(spec, node))))
        .filter(|(_, old, new)| old != new)
        .collect();
    let (node, old, new) = moved.first()?;
    let others = match moved.len() {
        1 => String::new(),
        count => format!(" and of {} more", count - 1),
    };
    let names: Vec<String> = moved.iter().map(|(node, ..)| format!(" {}", node.name)).collect();
    let names = if moved.len() == nodes.len() && nodes.len() > 1 { String::new() } else { names.concat() };
    Some(Conflict {
        what: format!("the volume of {}{others} at {new}", node.name),
        owner: format!("data of the node at {old}, which only a node with that address can go on with"),
        free_with: format!("orchestrator down -v -p {}{names}", spec.name),
    })
}

/// The wanted nodes whose volumes are there.
fn volumes<'a>(
    desired: &'a Desired<'_>,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a NodeSpec, &'a ObservedVolume)> {
    desired.nodes.iter().filter_map(|node| {
        let name = volume_name(&desired.spec.name, &node.name);
        Some((*node, observed.volumes.iter().find(|volume| volume.name == name)?))
    })
}

/// A port counts only for a node that will be started: a running node of ours holds its own.
fn of_ports(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    desired
        .nodes
        .iter()
        .filter_map(|node| {
            let taken = observed.ports.iter().find(|taken| taken.port == node.host_port)?;
            Some(Conflict {
                what: format!("port {} of {} on 127.0.0.1", node.host_port, node.name),
                owner: taken.owner.clone(),
                free_with: taken.free_with.clone(),
            })
        })
        .collect()
}
