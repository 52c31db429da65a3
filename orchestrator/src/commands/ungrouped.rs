//! `ungrouped`: the nodes of the file that belong to no shard, beside a cluster that runs.

use super::bring_up::{Until, bring_up};
use super::session::Session;
use crate::failure::Failure;

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    let nodes: Vec<_> = session.spec.nodes.iter().filter(|node| node.ungrouped).collect();
    if nodes.is_empty() {
        return Err(Failure::Usage(format!(
            "{} has no node with `ungrouped: true`; `orchestrator node NAME` starts any other",
            session.origin
        )));
    }
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let runtime = session.runtime().await?;
    let outcome = bring_up(session, &*runtime, nodes.clone(), false, Until::Agreement).await?;
    outcome.report(session, "ungrouped", Some(&names));
    Ok(())
}
