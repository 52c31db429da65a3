//! The way through assignment 4 that the class's own script takes: everything that it asks, of every node, in its order.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::{
    membership::in_shard_everywhere,
    placement::{counted, evenly_spread, refused_for_too_few, unchanged, well_formed},
    topic,
};
use crate::{
    Client, Failure, Layout, Scenario, Stage,
    dialect::read_any_text,
    stage::{PATIENCE, expect_all, fill},
};

/// A store that takes a tenth of a second for each answer is slow, not wrong.
const LIMIT: Duration = Duration::from_secs(240);

pub(super) fn scenarios() -> Vec<Scenario> {
    let clauses = [
        "shard-ids",
        "shard-members",
        "node-shard-id",
        "two-members",
        "forwarding",
        "causal",
        "key-count",
        "spread",
        "start-ungrouped-view",
        "start-ungrouped-answers",
        "add-member",
        "reshard-too-few",
        "reshard",
        "causal-moving",
    ];
    let name = "600 keys must stay readable and evenly spread while a node joins and the shards become three";
    vec![topic("course").scenario(name, &clauses, course).destroys().within(LIMIT)]
}

async fn course(stage: &mut Stage) -> Result<(), Failure> {
    stage.step("every node tells the same two shards, and is in one of them");
    well_formed(stage, &stage.all(), 2).await?;
    own_shards(stage, &stage.all()).await?;

    stage.step("600 keys are put round robin with one token, and read through other nodes with it");
    // The cluster has no other keys, so these are named as the class names them.
    let keys: Vec<String> = (0..600).map(|index| format!("key{index}")).collect();
    let mut client = stage.client();
    fill(&mut client, &stage.urls(), &keys).await?;
    let early = client.clone();
    let count = stage.all().len();
    read_through(stage, &client, |node| every(&keys, count, node + 1)).await?;
    evenly_spread(&counted(stage, &stage.all(), 600).await?)?;

    stage.step("a node joins, gets into every view, and becomes a member of a shard");
    let joined = stage.add().await?;
    stage.await_view_at(&stage.all(), &stage.all(), PATIENCE).await?;
    expect_all(&mut client, stage.url(joined), &keys[..60]).await?;
    let layout = Layout::read(&client, stage.url(0)).await?;
    let (shard, address) = (layout.ids()[0], stage.address(joined));
    let added = client.add_member(stage.url(0), shard, address).await?;
    added.must_be(200)?.must_have("message", "Member added to the shard successfully")?;
    in_shard_everywhere(stage, address, shard).await?;
    well_formed(stage, &stage.all(), 2).await?;
    own_shards(stage, &stage.all()).await?;

    stage.step("ten shards of seven nodes are refused, three are not");
    let before = Layout::read(&client, stage.url(1)).await?;
    refused_for_too_few(&client.reshard(stage.url(1), 10).await?)?;
    unchanged(stage, &before, 1).await?;
    let done = client.reshard(stage.url(1), 3).await?;
    done.must_be(200)?.must_have("message", "Resharding done successfully")?;
    well_formed(stage, &stage.all(), 3).await?;
    own_shards(stage, &stage.all()).await?;

    stage.step("every key is read through every node, with the token from before");
    read_through(stage, &early, |_| keys.clone()).await?;
    evenly_spread(&counted(stage, &stage.all(), 600).await?)
}

/// Every `count`th of the keys, from the one at `first` on.
fn every(keys: &[String], count: usize, first: usize) -> Vec<String> {
    keys.iter().skip(first % count).step_by(count).cloned().collect()
}

/// Reads through all nodes at once, each with a copy of the client.
async fn read_through(stage: &Stage, client: &Client, keys: impl Fn(usize) -> Vec<String>) -> Result<(), Failure> {
    let readers = stage.all().into_iter().map(|node| {
        let (mut client, keys) = (client.clone(), keys(node));
        async move { expect_all(&mut client, stage.url(node), &keys).await }
    });
    try_join_all(readers).await?;
    Ok(())
}

/// What each node says of itself must be what the others say of it.
async fn own_shards(stage: &Stage, nodes: &[usize]) -> Result<(), Failure> {
    let client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    for node in nodes {
        let reply = client.shard(stage.url(*node), "node-shard-id").await?;
        reply.must_be(200)?.must_have("message", "Shard ID of the node retrieved successfully")?;
        let own = read_any_text(reply.field(client.dialect().node_shard_field())?);
        if own.as_deref() != layout.shard_of(stage.address(*node)) {
            return Err(reply.contradicts(format!("the shard that lists the node in {layout:?}")));
        }
    }
    Ok(())
}
