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
    if let (Some(now), Some(wanted)) = (shard_count(running).await, session.spec.shards)
        && now != wanted as usize
    {
        let remark =
            format!("the cluster has {now} shards, the file {wanted}; `orchestrator reshard {wanted}` changes that");
        session.output.note(&remark);
    }
}

/// What most nodes say: one that was made anew knows at first only what it was started with.
async fn shard_count(running: &[Awaited]) -> Option<usize> {
    let said = join_all(running.iter().map(|node| node.client.shard_ids())).await;
    let counts: Vec<usize> = said.into_iter().flatten().map(|ids| ids.len()).collect();
    counts.iter().copied().max_by_key(|count| counts.iter().filter(|other| *other == count).count())
}
