//! `validate`: checks the cluster file, which was done before any command started.

use serde_json::json;

use super::session::Session;
use crate::cli::{RuntimeChoice, SubnetChoice};
use crate::failure::Failure;
use crate::isolation::FIRST_EPHEMERAL_PORT;

pub(super) fn run(session: &Session<'_>) -> Result<(), Failure> {
    let Session { spec, origin, .. } = session;
    let ungrouped = spec.nodes.len() - spec.grouped().count();
    let place = match (session.global.subnet, session.global.isolate) {
        (Some(SubnetChoice::At(subnet)), true) => format!("{subnet}, free ports"),
        (_, true) => "a free subnet, free ports".to_owned(),
        (Some(SubnetChoice::Auto), false) => "a free subnet".to_owned(),
        (_, false) => spec.network.subnet.to_string(),
    };
    let shards = spec.shards.unwrap_or(1);
    let text = format!(
        "{origin}: valid: project {}, {} nodes ({ungrouped} ungrouped), {shards} shards, {place}",
        spec.name,
        spec.nodes.len(),
    );
    if session.global.runtime != RuntimeChoice::Process && !session.global.isolate {
        warn_of_high_ports(session);
    }
    let json =
        json!({"event": "validate", "file": origin, "project": spec.name, "nodes": spec.nodes.len(), "shards": shards});
    session.output.result(&text, json);
    Ok(())
}

/// A node in a container also listens on its host port, where Docker's resolver may be.
fn warn_of_high_ports(session: &Session<'_>) {
    let high = session.spec.nodes.iter().filter(|node| node.host_port >= FIRST_EPHEMERAL_PORT);
    let high: Vec<String> = high.map(|node| format!("{} ({})", node.host_port, node.name)).collect();
    if !high.is_empty() {
        session.output.note(&format!(
            "host ports from {FIRST_EPHEMERAL_PORT} may collide with Docker's resolver inside a container: {}",
            high.join(", ")
        ));
    }
}
