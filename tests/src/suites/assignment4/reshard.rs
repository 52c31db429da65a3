//! Contract, "Shard operations": `reshard`. Most of it on a shared cluster, which is brought back to two shards.

use reqwest::Method;
use serde_json::json;

use super::{
    FOUR_IN_TWO,
    placement::{counted, refused_for_too_few, unchanged, well_formed},
    topic,
};
use crate::{
    Failure, Layout, Scenario, Stage, ensure,
    stage::{PATIENCE, expect_all, fill},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("reshard");
    vec![
        topic
            .scenario(
                "a reshard must be 200 when every key is where it belongs",
                &["reshard", "two-members", "key-count", "causal-moving"],
                there_and_back,
            )
            .restores(),
        topic
            .scenario(
                "a reshard with fewer than two nodes a shard must be 400",
                &["reshard-too-few"],
                too_few_nodes,
            )
            .restores()
            .on_all_paths(),
        topic
            .scenario(
                "a reshard to a count that is not a positive integer must be 400",
                &["reshard-bad-count"],
                bad_count,
            )
            .strict()
            .restores()
            .on_all_paths(),
        topic
            .scenario(
                "a reshard to the same count with all members up must keep every node",
                &["reshard-same-count"],
                nothing_to_do,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a deleted key must stay deleted through reshards",
                &["causal-moving"],
                deleted_keys,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a version must be the same after a reshard",
                &["version-pure", "causal-moving"],
                same_versions,
            )
            .strict()
            .restores(),
        topic
            .scenario("a token from before must hold after reshards", &["causal-moving"], old_tokens)
            .restores(),
        topic
            .scenario(
                "a node that starts empty must take the placement there is, not its SHARD_COUNT",
                &["start-first-only"],
                shard_count_at_the_first_start_only,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a reshard must count the living, use the ungrouped, replace the dead, and be answered when all is in place",
                &["reshard-counts-up", "reshard-same-count", "reshard-ungrouped", "reshard", "reshard-too-few"],
                dead_and_ungrouped,
            )
            .strict()
            .on(FOUR_IN_TWO)
            .destroys(),
    ]
}

async fn there_and_back(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(30));
    let others: u64 = Layout::key_counts(&client, stage.url(0)).await?.values().sum();
    fill(&mut client, &stage.urls(), &keys).await?;
    for (asked, shards) in [(0, 3), (4, 1), (5, 2)] {
        stage.step(format!("reshard to {shards}"));
        let reply = client.reshard(stage.url(asked), shards).await?;
        reply.must_be(200)?.must_have("message", "Resharding done successfully")?;
        well_formed(stage, &stage.all(), shards).await?;
        counted(stage, &stage.all(), others + 30).await?;
        for url in stage.urls() {
            expect_all(&mut client, &url, &keys).await?;
        }
    }
    Ok(())
}

async fn too_few_nodes(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let before = Layout::read(&client, stage.url(0)).await?;
    for count in [4_u64, 10, 4_294_967_296] {
        refused_for_too_few(&client.reshard(stage.url(0), count).await?)?;
    }
    unchanged(stage, &before, 0).await
}

async fn bad_count(stage: &mut Stage) -> Result<(), Failure> {
    let bodies = [
        json!({}),
        json!({"shard-count": null}),
        json!({"shard-count": 0}),
        json!({"shard-count": -1}),
        json!({"shard-count": 1.5}),
        json!({"shard-count": "two"}),
        json!({"shard-count": true}),
        json!([2]),
    ];
    let (client, path) = (stage.client(), stage.dialect().shard_path("reshard"));
    let before = Layout::read(&client, stage.url(0)).await?;
    for body in bodies.into_iter().map(Some).chain([None]) {
        let reply = client.send(Method::PUT, stage.url(0), &path, body).await?;
        let error = reply.must_be(400)?.must_have("message", "Error in PUT")?.text("error")?;
        ensure(!error.is_empty(), || "`error` to say what is wrong")?;
    }
    unchanged(stage, &before, 0).await
}

async fn nothing_to_do(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let before = Layout::read(&client, stage.url(0)).await?;
    client.reshard(stage.url(0), 2).await?.must_succeed()?;
    unchanged(stage, &before, 0).await
}

async fn deleted_keys(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, kept, gone) = (stage.client(), stage.keys_named("kept", 15), stage.keys_named("gone", 15));
    fill(&mut client, &stage.urls(), &kept).await?;
    fill(&mut client, &stage.urls(), &gone).await?;
    for key in &gone {
        client.delete(stage.url(2), key).await?.must_succeed()?;
    }
    for shards in [3, 2] {
        client.reshard(stage.url(0), shards).await?.must_succeed()?;
        for url in stage.urls() {
            for key in &gone {
                client.get(&url, key).await?.must_miss()?;
            }
            expect_all(&mut client, &url, &kept).await?;
        }
    }
    Ok(())
}

async fn same_versions(stage: &mut Stage) -> Result<(), Failure> {
    let mut client = stage.client();
    let mut versions = Vec::new();
    for key in stage.keys(15) {
        let put = client.put(stage.url(0), &key, 1).await?;
        versions.push((key, put.text("version")?.to_owned()));
    }
    for shards in [1, 2] {
        client.reshard(stage.url(1), shards).await?.must_succeed()?;
        for (key, version) in &versions {
            for url in stage.urls() {
                client.clone().get(&url, key).await?.must_have("version", version.as_str())?;
            }
        }
    }
    Ok(())
}

/// Tokens name no shard and no set of nodes.
async fn old_tokens(stage: &mut Stage) -> Result<(), Failure> {
    let (mut writer, urls, keys) = (stage.client(), stage.urls(), stage.keys(24));
    let mut tokens = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        writer.put(&urls[index % urls.len()], key, 1).await?.must_succeed()?;
        writer.put(&urls[(index + 1) % urls.len()], key, 2).await?.must_succeed()?;
        tokens.push(writer.token().cloned().unwrap_or_default());
    }
    for shards in [3, 1, 2] {
        writer.reshard(&urls[shards], shards).await?.must_succeed()?;
        for (key, token) in keys.iter().zip(&tokens) {
            for url in &urls {
                writer.with_token(token.clone()).get(url, key).await?.must_have("value", 2)?;
            }
        }
    }
    Ok(())
}

async fn shard_count_at_the_first_start_only(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    client.reshard(stage.url(0), 1).await?.must_succeed()?;
    stage.kill(0).await?;
    stage.restart_empty(0).await?;
    stage.await_view(&stage.all()).await?;
    well_formed(stage, &stage.all(), 1).await?;
    client.reshard(stage.url(1), 2).await?.must_succeed()?;
    Ok(())
}

/// On a cluster whose shards have two members each.
async fn dead_and_ungrouped(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(60));
    fill(&mut client, &stage.urls(), &keys).await?;

    stage.step("a member dies: two shards are too many for the three that are up");
    stage.kill(3).await?;
    stage.await_view_at(&[0, 1, 2], &[0, 1, 2], PATIENCE).await?;
    let before = Layout::read(&client, stage.url(0)).await?;
    refused_for_too_few(&client.reshard(stage.url(0), 2).await?)?;
    unchanged(stage, &before, 0).await?;

    stage.step("a node without a shard comes, and takes the dead one's place in a reshard to the same count");
    let added = stage.add().await?;
    let living = [0, 1, 2, added];
    stage.await_view_at(&living, &living, PATIENCE).await?;
    client.reshard(stage.url(0), 2).await?.must_be(200)?;
    for node in living {
        let layout = Layout::read(&client, stage.url(node)).await?;
        let shard = layout.shard_of(stage.address(node)).unwrap_or_default();
        let members = stage.members(&layout, shard).iter().filter(|member| living.contains(member)).count();
        ensure(members == 2, || format!("node {node} in a shard of two living members, got {layout:?}"))?;
        expect_all(&mut client, stage.url(node), &keys).await?;
    }

    stage.step("one living member of each shard dies at once: the other holds every key");
    let layout = Layout::read(&client, stage.url(0)).await?;
    let beside = stage.members(&layout, layout.shard_of(stage.address(added)).unwrap_or_default());
    let gone: Vec<usize> = [beside.iter().copied().find(|node| living.contains(node) && *node != added)]
        .into_iter()
        .chain([living.iter().copied().find(|node| !beside.contains(node))])
        .flatten()
        .collect();
    stage.kill_all(gone.iter().copied()).await?;
    let left: Vec<usize> = living.into_iter().filter(|node| !gone.contains(node)).collect();
    for node in &left {
        expect_all(&mut client, stage.url(*node), &keys).await?;
    }

    stage.step("one shard of the two that are left: each of them holds every key when that is answered");
    stage.await_view_at(&left, &left, PATIENCE).await?;
    client.reshard(stage.url(left[0]), 1).await?.must_be(200)?;
    stage.kill(left[0]).await?;
    expect_all(&mut client, stage.url(left[1]), &keys).await
}
