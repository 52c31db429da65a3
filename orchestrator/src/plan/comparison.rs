//! How a node that is there differs from the wanted one, field by field, by what it is and not by what was once asked for.
//!
//! Invariant: no value of a variable is told, since it may be somebody's secret.

use std::collections::{BTreeMap, BTreeSet};

use super::{DATA, Desired, keeps_data, volume_name};
use crate::launch::{Addressing, FIRST_START, Launch, SECRET};
use crate::observed::{Made, Observed, ObservedNode};

/// Podman gives every container these.
const ENGINES_OWN: [&str; 5] = ["HOME", "HOSTNAME", "PATH", "TERM", "container"];
/// They follow from address and host port.
const PLACE: [&str; 2] = ["SOCKET_ADDRESS", "EXTRA_PORTS"];

/// Whether the node is made from the image under the wanted name.
pub(super) fn is_same_image(observed: &Observed, there: &ObservedNode) -> bool {
    observed.image.as_ref().is_some_and(|image| image.id == there.image)
}

/// In words; none for a node that is as `launch` would make it, apart from its image.
pub(super) fn differences(
    desired: &Desired<'_>,
    observed: &Observed,
    there: &ObservedNode,
    launch: &Launch,
) -> Vec<String> {
    let Some(made) = &there.made else { return Vec::new() };
    let wanted = &launch.config;
    let mut differences = Vec::new();
    let mut compare = |what: &str, is: Option<String>, wanted: Option<String>| {
        if is != wanted {
            let text = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            differences.push(format!("{what} {} → {}", text(is), text(wanted)));
        }
    };
    compare("address", text(there.address), text(Some(wanted.socket.ip())));
    compare("port", text(there.port), text(Some(wanted.socket.port())));
    compare("host port", text(there.host_port), text(Some(wanted.host_port)));
    // A process has neither limits nor mounts.
    if desired.addressing == Addressing::Network {
        compare("memory limit", text(made.memory_bytes), text(Some(wanted.memory_bytes)));
        compare("pids limit", text(made.pids), text(Some(wanted.pids)));
        let volume = keeps_data(desired, observed).then(|| volume_name(&desired.spec.name, &launch.name));
        let mounts = BTreeMap::from_iter(volume.map(|volume| (DATA.to_owned(), volume)));
        for path in mounts.keys().chain(made.mounts.keys()).collect::<BTreeSet<_>>() {
            compare(&format!("mount {path}"), made.mounts.get(path).cloned(), mounts.get(path).cloned());
        }
    }
    let has_moved = there.socket() != Some(wanted.socket) || there.host_port != Some(wanted.host_port);
    let variables = variables(observed, there, made, launch);
    let variables = variables.iter().filter(|name| !(has_moved && PLACE.contains(&name.as_str())));
    differences.extend(variables.map(|name| match name.as_str() {
        SECRET => "secret differs".to_owned(),
        name => format!("env {name} differs"),
    }));
    differences
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The names of those that differ.
fn variables(observed: &Observed, there: &ObservedNode, made: &Made, launch: &Launch) -> BTreeSet<String> {
    let (mut wanted, mut is) = (launch.env.clone(), made.env.clone());
    match observed.image.as_ref().filter(|_| is_same_image(observed, there)) {
        Some(image) => {
            for (name, value) in &image.env {
                wanted.entry(name.clone()).or_insert_with(|| value.clone());
            }
            is.retain(|name, _| wanted.contains_key(name) || !ENGINES_OWN.contains(&name.as_str()));
        }
        // Nobody knows which of them another image gives.
        None => is.retain(|name, _| wanted.contains_key(name)),
    }
    let names: BTreeSet<String> = wanted.keys().chain(is.keys()).cloned().collect();
    let differs = |name: &String| !FIRST_START.contains(&name.as_str()) && is.get(name) != wanted.get(name);
    names.into_iter().filter(differs).collect()
}
