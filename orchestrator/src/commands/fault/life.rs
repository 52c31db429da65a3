//! `fault kill|stop|start|pause|resume|wipe`: what happens to single nodes.

use serde_json::json;

use super::super::bring_up::{awaited, waiter};
use super::super::session::Session;
use super::Cluster;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::launch::Addressing;
use crate::plan::{Fault, Operation, Plan};

pub(super) async fn run(session: &Session<'_>, fault: Fault, names: &[String]) -> Result<(), Failure> {
    let cluster = Cluster::find(session).await?;
    cluster.know(names.iter().map(String::as_str))?;
    let plan = cluster.scene().plan(fault, names)?;
    apply(&cluster, &plan).await?;
    let nodes: Vec<&String> = plan.nodes.keys().collect();
    let (word, past) = words(fault);
    let text = if nodes.is_empty() { "nothing to do".to_owned() } else { format!("{past} {}", joined(&nodes)) };
    let json = json!({"event": "fault", "fault": word, "changed": !plan.is_empty(), "nodes": nodes});
    session.output.result(&text, json);
    Ok(())
}

fn words(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::Kill => ("kill", "killed"),
        Fault::Stop => ("stop", "stopped"),
        Fault::Start => ("start", "started"),
        Fault::Pause => ("pause", "paused"),
        Fault::Resume => ("resume", "resumed"),
        Fault::Wipe => ("wipe", "wiped"),
    }
}

fn joined(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Does it, and waits until the nodes that it starts answer.
pub(super) async fn apply(cluster: &Cluster<'_>, plan: &Plan) -> Result<(), Failure> {
    let Cluster { session, runtime, .. } = cluster;
    let started: Vec<&str> = plan
        .operations()
        .filter_map(|operation| match operation {
            Operation::StartNode { launch } => Some(launch.name.as_str()),
            _ => None,
        })
        .collect();
    // A container has its image; a process is started from its binary.
    let artifact = match runtime.addressing() {
        Addressing::Loopback if !started.is_empty() => session.compile(&**runtime).await?,
        _ => None,
    };
    let site = session.site(artifact.as_ref());
    let applied = Executor::new(&**runtime, &site, &session.interrupt).apply(plan).await;
    applied.map_err(|failure| match failure {
        Failure::Interrupted(_) => Failure::Interrupted("run it again, or `orchestrator fault heal`".to_owned()),
        other => other,
    })?;
    if started.is_empty() {
        return Ok(());
    }
    let waiter = waiter(session, &**runtime);
    let nodes = runtime.nodes(&session.spec.name).await?;
    let mut running = awaited(&nodes);
    running.retain(|node| started.contains(&node.node.name.as_str()));
    waiter.answers(&running, false).await
}
