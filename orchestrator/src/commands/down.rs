//! `down`: stops and removes the cluster wherever it runs, added nodes too. The data stays unless it is asked for.

use serde_json::json;

use super::session::Session;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::kept_logs::KeptLogs;
use crate::output::counted;
use crate::plan::{Operation, Plan, Removal, plan_removal, volume_name};
use crate::runtime::all_runtimes;

pub(super) async fn run(session: &Session<'_>, names: &[String], volumes: bool) -> Result<(), Failure> {
    let removal =
        Removal { project: &session.spec.name, nodes: names, volumes, cause: "asked for", ..Removal::default() };
    remove(session, &removal, "down").await
}

/// Removes it in every runtime and says what is gone.
pub(super) async fn remove(session: &Session<'_>, removal: &Removal<'_>, event: &str) -> Result<(), Failure> {
    let runtimes = all_runtimes(session.global.runtime).await?;
    let site = session.site(None);
    let (mut plans, mut volumes, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for runtime in &runtimes {
        let observed = runtime.observe(&site).await?;
        plans.push(plan_removal(removal, &observed).map_err(Failure::Conflict)?);
        kept.extend(removal.kept(&observed).into_iter().map(|volume| volume.name.clone()));
        volumes.extend(observed.volumes);
    }
    let has_volume = |name: &str| {
        let volume = volume_name(removal.project, name);
        volumes.iter().any(|other| other.name == volume && other.project.as_deref() == Some(removal.project))
    };
    let exists = |name: &str| has_volume(name) || plans.iter().any(|plan| plan.nodes.contains_key(name));
    if let Some(name) = removal.nodes.iter().find(|name| !exists(name) && session.spec.node(name).is_none()) {
        return Err(session.unknown(name));
    }
    let logs = KeptLogs::of(removal.project)?;
    // Those of the cluster that was removed before.
    if removal.logs || removal.nodes.is_empty() && plans.iter().any(|plan| !plan.nodes.is_empty()) {
        logs.clear()?;
    }
    for (runtime, plan) in runtimes.iter().zip(&plans) {
        let executor = Executor::new(&**runtime, &site, &session.interrupt);
        let done = executor.keeping((!removal.logs).then_some(&logs)).apply(plan).await;
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
        "kept": kept,
    });
    let mut text = removed(&operations);
    if !kept.is_empty() {
        let kept = counted(kept.len(), "volume");
        text.push_str(&format!("\ndata kept: {kept}; remove with: {}", with_data(session, removal)));
    }
    session.output.result(&text, json);
    Ok(())
}

/// The command that removes the data too.
fn with_data(session: &Session<'_>, removal: &Removal<'_>) -> String {
    let mut command = "orchestrator down -v".to_owned();
    if session.global.project.is_some() || session.global.isolate {
        command.push_str(&format!(" -p {}", removal.project));
    }
    for node in removal.nodes {
        command.push_str(&format!(" {node}"));
    }
    command
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
    let parts: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| counted(count, what)).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { format!("removed {}", parts.join(", ")) }
}
