//! `down`: stops and removes the cluster wherever it runs, added nodes too.

use serde_json::json;

use super::session::Session;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::plan::{Operation, Plan, Removal, plan_removal};
use crate::runtime::all_runtimes;

pub(super) async fn run(session: &Session<'_>, names: &[String], volumes: bool) -> Result<(), Failure> {
    // The store keeps nothing on a disk yet, so no data is lost with the volumes of a whole cluster, and nothing is left.
    let volumes = volumes || names.is_empty();
    let removal =
        Removal { project: &session.spec.name, nodes: names, volumes, cause: "asked for", ..Removal::default() };
    remove(session, &removal, "down").await
}

/// Removes it in every runtime and says what is gone.
pub(super) async fn remove(session: &Session<'_>, removal: &Removal<'_>, event: &str) -> Result<(), Failure> {
    let runtimes = all_runtimes(session.global.runtime).await?;
    let site = session.site(None);
    let mut plans = Vec::new();
    for runtime in &runtimes {
        plans.push(plan_removal(removal, &runtime.observe(&site).await?).map_err(Failure::Conflict)?);
    }
    let exists = |name: &str| plans.iter().any(|plan| plan.nodes.contains_key(name));
    if let Some(name) = removal.nodes.iter().find(|name| !exists(name) && session.spec.node(name).is_none()) {
        return Err(session.unknown(name));
    }
    for (runtime, plan) in runtimes.iter().zip(&plans) {
        let done = Executor::new(&**runtime, &site, &session.interrupt).apply(plan).await;
        done.map_err(|failure| match failure {
            Failure::Interrupted(_) => Failure::Interrupted("run it again to remove the rest".to_owned()),
            other => other,
        })?;
    }
    let operations: Vec<&Operation> = plans.iter().flat_map(Plan::operations).collect();
    let json = json!({
        "event": event,
        "changed": !operations.is_empty(),
        "removed": operations.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    session.output.result(&removed(&operations), json);
    Ok(())
}

/// `removed 7 nodes, 1 network`.
pub(super) fn removed(operations: &[&Operation]) -> String {
    let count = |what: fn(&Operation) -> bool| operations.iter().filter(|operation| what(operation)).count();
    let counts = [
        ("node", count(|operation| matches!(operation, Operation::RemoveNode { .. }))),
        ("barrier", count(|operation| matches!(operation, Operation::RemoveBarrier { .. }))),
        ("network", count(|operation| matches!(operation, Operation::RemoveNetwork { .. }))),
        ("volume", count(|operation| matches!(operation, Operation::RemoveVolume { .. }))),
        ("image", count(|operation| matches!(operation, Operation::RemoveImage { .. }))),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { format!("removed {}", parts.join(", ")) }
}
