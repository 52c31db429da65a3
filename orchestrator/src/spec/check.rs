//! What the types cannot say: names, uniqueness, addresses inside the subnet, enough nodes for the shards.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::Hash;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::reader::{Placed, Reader};
use super::tree::Place;
use super::{ClusterSpec, ImageSpec, Limits, NetworkSpec, NodeSpec, Secret};

/// The fields of the file with their places, before they are checked against each other.
pub(super) struct RawCluster {
    pub(super) name: Option<Placed<String>>,
    pub(super) image: ImageSpec,
    pub(super) network_name: Option<Placed<String>>,
    pub(super) subnet: Option<Placed<Ipv4Net>>,
    pub(super) shards: Option<Placed<u32>>,
    pub(super) dialect: Option<Placed<String>>,
    pub(super) port: Option<Placed<u16>>,
    pub(super) secret: Option<Secret>,
    pub(super) limits: Limits,
    pub(super) env: BTreeMap<String, String>,
    pub(super) nodes: Vec<RawNode>,
    pub(super) top: Place,
}

/// One node of the file with its places.
pub(super) struct RawNode {
    pub(super) name: Placed<String>,
    pub(super) address: Placed<Ipv4Addr>,
    pub(super) host_port: Placed<u16>,
    pub(super) ungrouped: bool,
    pub(super) env: BTreeMap<String, String>,
}

/// Records what is wrong; the value counts only when nothing was.
pub(super) fn check(reader: &mut Reader, raw: RawCluster) -> Option<ClusterSpec> {
    if let Some(name) = &raw.name {
        check_name(reader, name);
    }
    let network = check_network(reader, &raw);
    for node in &raw.nodes {
        check_name(reader, &node.name);
        check_address(reader, &node.address, &network);
    }
    check_unique(reader, &raw.nodes, "name", |node| &node.name);
    check_unique(reader, &raw.nodes, "address", |node| &node.address);
    check_unique(reader, &raw.nodes, "host_port", |node| &node.host_port);
    let shards = check_shards(reader, &raw);
    let text = |field: Option<Placed<String>>, default: &str| field.map_or(default.to_owned(), |p| p.value);
    Some(ClusterSpec {
        name: text(raw.name, "kv"),
        image: raw.image,
        network,
        shards: Some(shards),
        dialect: text(raw.dialect, "2019"),
        port: raw.port.map_or(8080, |placed| placed.value),
        secret: raw.secret,
        limits: raw.limits,
        env: raw.env,
        nodes: raw.nodes.into_iter().map(node).collect(),
        isolated: false,
    })
}

fn node(raw: RawNode) -> NodeSpec {
    NodeSpec {
        name: raw.name.value,
        address: raw.address.value,
        host_port: raw.host_port.value,
        ungrouped: raw.ungrouped,
        env: raw.env,
    }
}

/// Why Docker does not accept this as the name of a container, a volume or a network; `None` when it does.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    let is_name = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    (!is_name)
        .then(|| format!("`{name}` is no name: up to 63 letters, digits, `-`, `_`, `.`, the first a letter or digit"))
}

fn check_name(reader: &mut Reader, name: &Placed<String>) {
    if let Some(message) = name_problem(&name.value) {
        reader.problem(name.place, &name.field, message);
    }
}

fn check_network(reader: &mut Reader, raw: &RawCluster) -> NetworkSpec {
    let name = match &raw.network_name {
        Some(placed) => {
            check_name(reader, placed);
            placed.value.clone()
        }
        None => "mynet".to_owned(),
    };
    let default = Ipv4Net::new_assert(Ipv4Addr::new(10, 10, 0, 0), 16);
    let subnet = match &raw.subnet {
        Some(placed) if placed.value.prefix_len() > 28 => {
            let message = format!("{} is too small; /28 at least", placed.value);
            reader.problem(placed.place, &placed.field, message);
            default
        }
        Some(placed) => placed.value.trunc(),
        None => default,
    };
    NetworkSpec { name, subnet }
}

fn check_address(reader: &mut Reader, address: &Placed<Ipv4Addr>, network: &NetworkSpec) {
    let Placed { value, place, field } = address;
    let message = if !network.subnet.contains(value) {
        format!("{value} is not in the subnet {}", network.subnet)
    } else if *value == network.gateway() || *value == network.subnet.network() {
        format!(
            "{value} is taken by the network itself; the first free address is {}",
            Ipv4Addr::from(u32::from(network.gateway()) + 1)
        )
    } else if network.dynamic_range().contains(value) {
        format!("{value} is in {}, the half kept for dynamic addresses", network.dynamic_range())
    } else {
        return;
    };
    reader.problem(*place, field, message);
}

fn check_unique<'a, T: Eq + Hash + Display + 'a>(
    reader: &mut Reader,
    nodes: &'a [RawNode],
    what: &str,
    field: impl Fn(&'a RawNode) -> &'a Placed<T>,
) {
    let mut seen: HashMap<&T, usize> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let placed = field(node);
        if let Some(first) = seen.get(&placed.value) {
            let message = format!("duplicate {what} `{}`, also that of nodes[{first}]", placed.value);
            reader.problem(placed.place, &placed.field, message);
        } else {
            seen.insert(&placed.value, index);
        }
    }
}

fn check_shards(reader: &mut Reader, raw: &RawCluster) -> u32 {
    let shards = raw.shards.as_ref().map_or(2, |placed| placed.value);
    let place = raw.shards.as_ref().map_or(raw.top, |placed| placed.place);
    let grouped = raw.nodes.iter().filter(|node| !node.ungrouped).count();
    let needed = if shards == 1 { 1 } else { shards as usize * 2 };
    // A file that is wrong elsewhere says nothing certain about its nodes.
    if grouped < needed && !reader.has_problems() {
        let message =
            format!("{shards} shards need at least {needed} grouped nodes (two each), but the file has {grouped}");
        reader.problem(place, "shards", message);
    }
    shards
}
