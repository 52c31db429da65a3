//! Contract: a node that returns at its address with an empty disk holds all keys again.

use std::time::Duration;

use super::{
    agreement::{everywhere, never_wrong},
    restored, topic,
};
use crate::{
    Failure, Layout, Scenario, Stage, ensure,
    stage::{PATIENCE, expect_all, fill, value_of},
};

/// In which a node that returns empty is to hold everything again.
const REFILL_LIMIT: Duration = Duration::from_secs(10);

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("returning");
    vec![
        topic
            .scenario(
                "a killed replica must leave every view, and get everything again when it returns empty",
                &["view-failed-leave", "view-return", "view-return-empty"],
                gets_everything,
            )
            .restores(),
        topic
            .scenario(
                "replicas that restart in turn must keep every key and answer nothing wrong",
                &["view-return-empty", "causal-moving"],
                in_turn,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a replica that returned empty must hold everything alone",
                &["view-return-empty", "key-count"],
                alone,
            )
            .strict()
            .destroys(),
    ]
}

async fn gets_everything(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, before, during) = (stage.client(), stage.keys_named("before", 10), stage.keys_named("during", 10));
    fill(&mut client, &stage.urls(), &before).await?;
    stage.step("one replica is killed, and removed from the view: by the others, who notice, and by request");
    stage.kill(1).await?;
    stage.await_view_at(&[0, 2], &[0, 2], PATIENCE).await?;
    client.delete_view(stage.url(0), stage.address(1)).await?;
    stage.step("the others are written to");
    fill(&mut client, &[stage.url(0).to_owned(), stage.url(2).to_owned()], &during).await?;
    client.delete(stage.url(0), &before[0]).await?.must_succeed()?;
    stage.step("it returns empty");
    stage.restart_empty(1).await?;
    restored(stage, &during).await?;
    everywhere(stage, &before[0], None).await?;
    for key in before[1..].iter().chain(&during) {
        everywhere(stage, key, Some(value_of(key))).await?;
    }
    Ok(())
}

/// Too soon for anyone to notice. From its first answer on each says nothing wrong.
async fn in_turn(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(20));
    fill(&mut client, &stage.urls(), &keys).await?;
    for node in [0, 1] {
        stage.kill(node).await?;
        stage.restart_empty(node).await?;
        never_wrong(stage, &client, node, &keys).await?;
        stage.await_whole(node, &keys, REFILL_LIMIT).await?;
    }
    for url in stage.urls() {
        expect_all(&mut client, &url, &keys).await?;
    }
    restored(stage, &[]).await
}

async fn alone(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, before, during) = (stage.client(), stage.keys_named("before", 40), stage.keys_named("during", 40));
    fill(&mut client, &stage.urls(), &before).await?;
    stage.kill(0).await?;
    fill(&mut client, &[stage.url(1).to_owned(), stage.url(2).to_owned()], &during).await?;
    client.delete(stage.url(1), &before[0]).await?.must_succeed()?;
    stage.restart_empty(0).await?;
    stage.await_whole(0, &during, REFILL_LIMIT).await?;
    stage.await_view(&[0, 1, 2]).await?;
    stage.kill_all([1, 2]).await?;
    expect_all(&mut client, stage.url(0), &before[1..]).await?;
    expect_all(&mut client, stage.url(0), &during).await?;
    client.get(stage.url(0), &before[0]).await?.must_be(404)?;
    let counts = Layout::key_counts(&client, stage.url(0)).await?;
    ensure(counts.values().sum::<u64>() == 79, || format!("79 keys, got {counts:?}"))
}
