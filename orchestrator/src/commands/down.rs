//! `down`: stops and removes the cluster wherever it runs, added nodes too.

use serde_json::json;

use super::session::Session;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::plan::{Removal, plan_removal};
use crate::runtime::all_runtimes;

pub(super) async fn run(session: &Session<'_>, names: &[String], volumes: bool) -> Result<(), Failure> {
    let removal = Removal { project: &session.spec.name, nodes: names, volumes, image: None, cause: "asked for" };
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
    let mut removed = Vec::new();
    for (runtime, plan) in runtimes.iter().zip(&plans) {
        Executor::new(&**runtime, &site, &session.interrupt).apply(plan).await.map_err(|failure| match failure {
            Failure::Interrupted(_) => Failure::Interrupted("run it again to remove the rest".to_owned()),
            other => other,
        })?;
        removed.extend(plan.nodes.keys().map(String::as_str));
        removed.extend(plan.last.iter().map(|step| step.operation.event()));
    }
    let nodes: usize = plans.iter().map(|plan| plan.nodes.len()).sum();
    let text = match (plans.iter().all(crate::plan::Plan::is_empty), nodes) {
        (true, _) => "nothing to do".to_owned(),
        (false, 1) => "removed 1 node".to_owned(),
        (false, nodes) => format!("removed {nodes} nodes"),
    };
    session.output.result(&text, json!({"event": event, "changed": !removed.is_empty(), "removed": removed}));
    Ok(())
}
