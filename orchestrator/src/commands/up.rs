//! `up`: the whole cluster, or the named nodes.

use futures_util::future::join_all;

use super::bring_up::{Until, bring_up};
use super::session::Session;
use crate::failure::Failure;
use crate::readiness::Awaited;

pub(super) async fn run(session: &Session<'_>, names: &[String]) -> Result<(), Failure> {
    let nodes = session.nodes(names)?;
    let runtime = session.runtime().await?;
    let outcome = bring_up(session, &*runtime, nodes, false, Until::Agreement).await?;
    remark(session, &outcome.running).await;
    outcome.report(session, "up", None);
    Ok(())
}

/// What the file says and only another command makes true: `VIEW` and `SHARD_COUNT` serve the first start only.
async fn remark(session: &Session<'_>, running: &[Awaited]) {
    let grouped: Vec<_> = session.spec.grouped().collect();
    let shards = join_all(running.iter().map(|node| node.client.node_shard_id())).await;
    for (node, shard) in running.iter().zip(shards) {
        let name = &node.node.name;
        if shard == Ok(None) && grouped.iter().any(|grouped| grouped.name == *name) {
            session.output.note(&format!("{name} is in no shard; `orchestrator add {name}` makes it a member"));
        }
    }
    let (wanted, counts) = (session.spec.shards as usize, running.first().map(|node| node.client.shard_ids()));
    let Some(counts) = counts else { return };
    if let Ok(ids) = counts.await
        && ids.len() != wanted
    {
        let now = ids.len();
        session.output.note(&format!(
            "the cluster has {now} shards, the file {wanted}; `orchestrator reshard {wanted}` changes that"
        ));
    }
}
