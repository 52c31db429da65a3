//! What several topics say of shards and their nodes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Failure, Layout, Reply, Stage, ensure, eventually, stage::PATIENCE};

/// What is said when shards would have fewer than two nodes each.
const NOT_ENOUGH: &str = "Not enough nodes to provide fault-tolerance with the given shard count!";

/// The request must have been refused because shards would have fewer than two nodes each.
pub(super) fn refused_for_too_few(reply: &Reply) -> Result<(), Failure> {
    reply.must_be(400)?.must_have("message", NOT_ENOUGH)?;
    Ok(())
}

/// Exactly `nodes` are in `shards` shards, each with two or more, each node in one; as every one of `nodes` tells it, sooner
/// or later.
pub(super) async fn well_formed(stage: &Stage, nodes: &[usize], shards: usize) -> Result<(), Failure> {
    let expected: &BTreeSet<&str> = &nodes.iter().map(|node| stage.address(*node)).collect();
    eventually(PATIENCE, "every node tells the right shards", || async move {
        let first = Layout::read(&stage.client(), stage.url(nodes[0])).await?;
        let all: Vec<&str> = first.members.values().flatten().map(String::as_str).collect();
        let good = first.members.len() == shards
            && first.members.values().all(|members| members.len() >= 2)
            && all.len() == expected.len()
            && all.iter().copied().collect::<BTreeSet<_>>() == *expected;
        ensure(good, || format!("{expected:?} in {shards} shards of two or more, got {first:?}"))?;
        for node in &nodes[1..] {
            let url = stage.url(*node);
            let layout = Layout::read(&stage.client(), url).await?;
            ensure(layout == first, || format!("{first:?}, got {layout:?} from {url}"))?;
        }
        Ok(())
    })
    .await
}

/// What one node says must stay what it was.
pub(super) async fn unchanged(stage: &Stage, before: &Layout, node: usize) -> Result<(), Failure> {
    let after = Layout::read(&stage.client(), stage.url(node)).await?;
    ensure(*before == after, || format!("{before:?} unchanged, got {after:?}"))
}

/// Every one of `nodes` counts exactly `total` keys in all shards together, sooner or later; gives the last one's counts.
pub(super) async fn counted(stage: &Stage, nodes: &[usize], total: u64) -> Result<BTreeMap<String, u64>, Failure> {
    eventually(PATIENCE, "every node counts the keys exactly", || async {
        let mut counts = BTreeMap::new();
        for node in nodes {
            let url = stage.url(*node);
            counts = Layout::key_counts(&stage.client(), url).await?;
            ensure(counts.values().sum::<u64>() == total, || format!("{total} keys, got {counts:?} from {url}"))?;
        }
        Ok(counts)
    })
    .await
}

/// Each of these numbers of keys must be within a quarter of their mean.
pub(super) fn evenly_spread(counts: &BTreeMap<String, u64>) -> Result<(), Failure> {
    let mean = counts.values().sum::<u64>() / (counts.len() as u64).max(1);
    let range = mean * 3 / 4..=mean * 5 / 4;
    ensure(counts.values().all(|count| range.contains(count)), || {
        format!("{range:?} keys in every shard, got {counts:?}")
    })
}
