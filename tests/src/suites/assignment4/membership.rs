//! Contract, "Shard operations": `add-member` of nodes that are members already, or nowhere. Of a node without a shard, see
//! `ungrouped` and `course`.

use reqwest::Method;
use serde_json::json;

use super::{
    placement::{counted, refused_for_too_few, unchanged},
    topic,
};
use crate::{
    Failure, Layout, Scenario, Stage, ensure, eventually,
    stage::{PATIENCE, expect_all, fill},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("membership");
    vec![
        topic
            .scenario(
                "an add-member of an address that is not in the view must be 404",
                &["add-member-unknown"],
                not_in_the_view,
            )
            .restores()
            .on_all_paths(),
        topic
            .scenario("an add-member of a member must be 404", &["add-member-again"], a_member_already)
            .restores()
            .on_all_paths(),
        topic
            .scenario("an add-member without a good address must be 400", &["add-member-bad-address"], no_good_address)
            .strict()
            .restores()
            .on_all_paths(),
        topic
            .scenario(
                "a member of a shard of three must be able to move, and one of a shard of two must stay",
                &["add-member", "add-member-too-few", "causal-moving", "key-count"],
                moves_while_three,
            )
            .strict()
            .restores(),
    ]
}

async fn not_in_the_view(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    let reply = client.add_member(stage.url(0), layout.ids()[0], "10.10.0.99:8080").await?;
    let error = "Socket address does not exist in the view";
    reply.must_be(404)?.must_have("error", error)?.must_have("message", "Error in PUT")?;
    unchanged(stage, &layout, 0).await
}

async fn a_member_already(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    for (id, members) in &layout.members {
        let reply = client.add_member(stage.url(1), id, &members[0]).await?;
        let error = "Socket address already exists in the shard";
        reply.must_be(404)?.must_have("error", error)?.must_have("message", "Error in PUT")?;
    }
    unchanged(stage, &layout, 0).await
}

async fn no_good_address(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    let path = client.dialect().shard_path(&format!("add-member/{}", layout.ids()[0]));
    for body in [json!({}), json!({"socket-address": 7}), json!({"socket-address": "node7"})] {
        let reply = client.send(Method::PUT, stage.url(0), &path, Some(body)).await?;
        reply.must_be(400)?.must_have("message", "Error in PUT")?.text("error")?;
    }
    Ok(())
}

async fn moves_while_three(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(40));
    let others: u64 = Layout::key_counts(&client, stage.url(0)).await?.values().sum();
    fill(&mut client, &stage.urls(), &keys).await?;

    let before = Layout::read(&client, stage.url(0)).await?;
    let shards: Vec<&str> = before.ids();
    let (from, to) = (shards[0], shards[1]);
    let mover = &before.members[from][0];
    stage.step(format!("{mover} moves from shard {from} to shard {to}"));
    let added = client.add_member(stage.url(0), to, mover).await?;
    added.must_be(200)?.must_have("message", "Member added to the shard successfully")?;
    in_shard_everywhere(stage, mover, to).await?;
    for url in stage.urls() {
        expect_all(&mut client, &url, &keys).await?;
    }
    counted(stage, &stage.all(), others + 40).await?;

    let moved = Layout::read(&client, stage.url(0)).await?;
    stage.step(format!("the two that shard {from} has left must stay"));
    for address in &moved.members[from] {
        refused_for_too_few(&client.add_member(stage.url(0), to, address).await?)?;
    }
    unchanged(stage, &moved, 0).await?;

    stage.step(format!("{mover} moves back"));
    client.add_member(stage.url(5), from, mover).await?.must_be(200)?;
    in_shard_everywhere(stage, mover, from).await?;
    for url in stage.urls() {
        expect_all(&mut client, &url, &keys).await?;
    }
    Ok(())
}

/// Every node lists `address` in `shard`, sooner or later.
pub(super) async fn in_shard_everywhere(stage: &Stage, address: &str, shard: &str) -> Result<(), Failure> {
    eventually(PATIENCE, "every node lists the new member", || async {
        for url in stage.urls() {
            let layout = Layout::read(&stage.client(), &url).await?;
            ensure(layout.shard_of(address) == Some(shard), || {
                format!("{address} in shard {shard}, got {layout:?} from {url}")
            })?;
        }
        Ok(())
    })
    .await
}
