//! `validate`: checks the cluster file, which was done before any command started.

use serde_json::json;

use super::session::Session;
use crate::failure::Failure;

pub(super) fn run(session: &Session<'_>) -> Result<(), Failure> {
    let Session { spec, origin, .. } = session;
    let ungrouped = spec.nodes.len() - spec.grouped().count();
    let shards = spec.shards.unwrap_or(1);
    let text = format!(
        "{origin}: valid: project {}, {} nodes ({ungrouped} ungrouped), {shards} shards, {}",
        spec.name,
        spec.nodes.len(),
        spec.network.subnet
    );
    let json = json!({"event": "validate", "file": origin, "project": spec.name, "nodes": spec.nodes.len(), "shards": shards});
    session.output.result(&text, json);
    Ok(())
}
