//! Contract, "Consistency and availability": the sides of a partition work on, and become one again.

use std::time::Duration;

use super::{
    agreement::{agree, everywhere},
    topic,
};
use crate::{
    Client, Failure, Reply, Scenario, Shape, Stage, eventually,
    stage::{ALONE_LIMIT, PATIENCE},
};

/// Three replicas again, told so by `SHARD_COUNT`; and so another cluster, on which networks are cut beside the rest.
const CUT: Shape = Shape::sharded(3, 1);

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("isolation");
    let scenarios = vec![
        topic.scenario("isolated replicas must take reads and writes", &["isolated-writes"], isolated),
        topic.scenario(
            "both sides of a partition must converge after it heals",
            &["heals", "convergent", "isolated-writes"],
            both_sides,
        ),
        topic.scenario(
            "a replica that missed a write must never show its past to who has seen the write",
            &["causal", "heals"],
            missed_write,
        ),
        topic
            .scenario(
                "an isolated replica must answer within a second",
                &["isolated-writes", "put-new", "put-existing"],
                isolated_in_time,
            )
            .strict(),
        topic
            .scenario(
                "a deletion on one side and a write on the other must converge",
                &["heals", "convergent"],
                deletion_and_write,
            )
            .strict(),
        topic
            .scenario(
                "a replica that missed a write must catch up before it answers a token",
                &["put-catches-up", "causal"],
                catches_up,
            )
            .strict(),
    ];
    scenarios.into_iter().map(|scenario| scenario.restores().partitions().on(CUT)).collect()
}

/// Everybody is cut off from everybody.
async fn isolated(stage: &mut Stage) -> Result<(), Failure> {
    work_alone(stage, PATIENCE, false).await
}

/// Also for those who have only just lost all others.
async fn isolated_in_time(stage: &mut Stage) -> Result<(), Failure> {
    work_alone(stage, ALONE_LIMIT, true).await
}

/// Puts, reads and deletes through every replica on its own, each within `limit`; exactly as the table says, or so that it
/// works.
async fn work_alone(stage: &mut Stage, limit: Duration, exactly: bool) -> Result<(), Failure> {
    let (key, mut client) = (stage.key("old"), stage.client());
    client.put(stage.url(0), &key, "old").await?.must_succeed()?;
    everywhere(stage, &key, Some("old".into())).await?;
    stage.partition(&[&[0], &[1], &[2]]).await?;
    for node in stage.all() {
        let (url, own) = (stage.url(node), stage.key(&format!("own{node}")));
        let mut client = client.clone();
        for (key, existing) in [(&own, 201), (&own, 200), (&key, 200)] {
            let put = client.put(url, key, "new").await?;
            if exactly { put.must_be(existing)? } else { put.must_succeed()? }.must_come_within(limit)?;
            let get = client.get(url, key).await?;
            get.must_be(200)?.must_have("value", "new")?.must_come_within(limit)?;
        }
        client.delete(url, &own).await?.must_succeed()?.must_come_within(limit)?;
        client.get(url, &own).await?.must_be(404)?.must_come_within(limit)?;
    }
    stage.heal().await?;
    everywhere(stage, &key, Some("new".into())).await
}

/// The same keys are written on both sides, by clients that know nothing of each other.
async fn both_sides(stage: &mut Stage) -> Result<(), Failure> {
    let (keys, mut left, mut right) = (stage.keys(6), stage.client(), stage.client());
    stage.partition(&[&[0], &[1, 2]]).await?;
    for (index, key) in keys.iter().enumerate() {
        left.put(stage.url(0), key, "left").await?.must_succeed()?;
        right.put(stage.url(1 + index % 2), key, "right").await?.must_succeed()?;
    }
    for key in &keys {
        left.get(stage.url(0), key).await?.must_have("value", "left")?;
        right.get(stage.url(1), key).await?.must_have("value", "right")?;
    }
    stage.heal().await?;
    for key in &keys {
        agree(stage, key, &["value", "version"]).await?.must_be(200)?;
    }
    for client in [&left, &right] {
        hold_everywhere(stage, client, &keys).await?;
    }
    Ok(())
}

/// A token must be answered at every node.
async fn hold_everywhere(stage: &Stage, client: &Client, keys: &[String]) -> Result<(), Failure> {
    for key in keys {
        for url in stage.urls() {
            client.clone().get(&url, key).await?.must_be(200)?;
        }
    }
    Ok(())
}

/// One of the two wins, everywhere.
async fn deletion_and_write(stage: &mut Stage) -> Result<(), Failure> {
    let (keys, mut client) = (stage.keys(6), stage.client());
    for key in &keys {
        client.put(stage.url(0), key, 1).await?.must_succeed()?;
        everywhere(stage, key, Some(1.into())).await?;
    }
    stage.partition(&[&[0], &[1, 2]]).await?;
    for key in &keys {
        client.clone().delete(stage.url(0), key).await?.must_succeed()?;
        client.clone().put(stage.url(1), key, 2).await?.must_succeed()?;
    }
    stage.heal().await?;
    for key in &keys {
        agree(stage, key, &["value", "version"]).await?;
    }
    Ok(())
}

async fn missed_write(stage: &mut Stage) -> Result<(), Failure> {
    let (keys, new, mut client) = (stage.keys(3), stage.key("new"), stage.client());
    for key in &keys {
        client.put(stage.url(0), key, 1).await?.must_succeed()?;
        everywhere(stage, key, Some(1.into())).await?;
    }
    stage.step("the first two nodes take writes while the third is cut off");
    stage.partition(&[&[0, 1], &[2]]).await?;
    for key in keys.iter().chain([&new]) {
        client.put(stage.url(0), key, 2).await?.must_succeed()?;
    }
    stage.step("the third is asked with the token of those writes");
    for key in [&keys[0], &new] {
        if let Ok(get) = client.clone().get(stage.url(2), key).await {
            not_the_past(&get)?;
        }
    }
    stage.step("the network heals, and it is asked until it answers");
    stage.heal().await?;
    for key in keys.iter().chain([&new]) {
        eventually(PATIENCE, "the third node answers the token", || async {
            let get = client.clone().get(stage.url(2), key).await?;
            match not_the_past(&get) {
                Ok(()) => get.must_be(200).map(|_| Ok(())),
                Err(wrong) => Ok(Err(wrong)),
            }
        })
        .await??;
    }
    Ok(())
}

/// No answer yet is right, an answer without the write is not.
fn not_the_past(get: &Reply) -> Result<(), Failure> {
    match get.status {
        200 => get.must_have("value", 2).map(|_| ()),
        404 => Err(get.contradicts("an answer that knows of the write, or none")),
        _ => Ok(()),
    }
}

/// The third node does not hear the first, who takes the write, but the second, who has it too.
async fn catches_up(stage: &mut Stage) -> Result<(), Failure> {
    let (put_keys, get_keys, mut client) = (stage.keys_named("put", 5), stage.keys_named("get", 5), stage.client());
    stage.partition(&[&[0], &[2]]).await?;
    for key in &put_keys {
        client.put(stage.url(0), key, 1).await?.must_succeed()?;
        let put = client.clone().put(stage.url(2), key, 2).await?;
        put.must_be(200)?.must_have("replaced", true)?;
    }
    for key in &get_keys {
        client.put(stage.url(0), key, 1).await?.must_succeed()?;
        let get = client.clone().get(stage.url(2), key).await?;
        get.must_be(200)?.must_have("value", 1)?;
    }
    stage.heal().await
}
