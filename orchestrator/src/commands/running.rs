//! The cluster that runs, wherever that is: what `add`, `reshard`, `status` and `logs` talk to.

use super::bring_up::awaited;
use super::session::Session;
use crate::client::ClientError;
use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::readiness::Awaited;
use crate::runtime::{Runtime, all_runtimes};

/// A runtime with nodes of the project in it.
pub(super) struct Running {
    pub(super) runtime: Box<dyn Runtime>,
    /// Whatever their state, by name.
    pub(super) nodes: Vec<ObservedNode>,
}

/// Every runtime that has nodes of the project.
pub(super) async fn find_all(session: &Session<'_>) -> Result<Vec<Running>, Failure> {
    let mut found = Vec::new();
    for runtime in all_runtimes(session.global.runtime).await? {
        let mut nodes = runtime.nodes(&session.spec.name).await?;
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        if !nodes.is_empty() {
            found.push(Running { runtime, nodes });
        }
    }
    Ok(found)
}

/// The first of them, with a node that runs.
pub(super) async fn find(session: &Session<'_>) -> Result<Running, Failure> {
    let found = find_all(session).await?;
    found
        .into_iter()
        .find(|running| running.nodes.iter().any(ObservedNode::is_running))
        .ok_or_else(|| Failure::nobody_runs(&session.spec.name))
}

impl Running {
    pub(super) fn awaited(&self) -> Vec<Awaited> {
        awaited(&self.nodes)
    }
}

/// The first answer of a node.
pub(super) async fn ask_any<T, F: Future<Output = Result<T, ClientError>>>(
    nodes: &[Awaited],
    ask: impl Fn(Awaited) -> F,
) -> Result<T, Failure> {
    let mut seen = Vec::new();
    for node in nodes {
        match ask(node.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => seen.push(format!("{}: {error}", node.node.name)),
        }
    }
    Err(Failure::Unhealthy(format!("no node answers: {}; `orchestrator status` tells how they are", seen.join("; "))))
}
