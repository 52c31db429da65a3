//! Contract: every replica comes to have every write, and of two writes the same one wins everywhere.

use futures_util::future::try_join_all;

use super::{
    agreement::{agree, everywhere},
    topic,
};
use crate::{Failure, Scenario, Stage, ensure};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("replication");
    vec![
        topic.scenario("a write must reach every replica", &["convergent"], write_reaches_all),
        topic.scenario("a deletion must reach every replica", &["convergent"], deletion_reaches_all),
        topic.scenario("a later write must win everywhere", &["causal", "convergent"], later_write_wins),
        topic.scenario("concurrent writes must converge to one value", &["convergent"], concurrent_writes),
        topic
            .scenario(
                "concurrent writes must converge to one version",
                &["convergent", "version-pure"],
                concurrent_versions,
            )
            .strict(),
        topic
            .scenario(
                "a later write must have one version everywhere",
                &["convergent", "version-pure"],
                later_write_has_one_version,
            )
            .strict(),
    ]
}

async fn write_reaches_all(stage: &mut Stage) -> Result<(), Failure> {
    for (node, key) in stage.keys(3).iter().enumerate() {
        for value in ["first", "second"] {
            stage.client().put(stage.url(node), key, value).await?.must_succeed()?;
            everywhere(stage, key, Some(value.into())).await?;
        }
    }
    Ok(())
}

async fn deletion_reaches_all(stage: &mut Stage) -> Result<(), Failure> {
    for (node, key) in stage.keys(3).iter().enumerate() {
        let mut client = stage.client();
        client.put(stage.url(node), key, 1).await?.must_succeed()?;
        client.delete(stage.url((node + 1) % 3), key).await?.must_succeed()?;
        everywhere(stage, key, None).await?;
    }
    Ok(())
}

/// A write that knew the other wins on every replica, however the clocks of the nodes stand.
async fn later_write_wins(stage: &mut Stage) -> Result<(), Failure> {
    for key in write_in_turn(stage).await? {
        everywhere(stage, &key, Some(5.into())).await?;
    }
    Ok(())
}

async fn later_write_has_one_version(stage: &mut Stage) -> Result<(), Failure> {
    for key in write_in_turn(stage).await? {
        everywhere(stage, &key, Some(5.into())).await?;
        agree(stage, &key, &["value", "version"]).await?;
    }
    Ok(())
}

/// Writes 0 to 5 to some keys, each by another node than the one before, with one token a key.
async fn write_in_turn(stage: &Stage) -> Result<Vec<String>, Failure> {
    let keys = stage.keys(8);
    for (index, key) in keys.iter().enumerate() {
        let mut client = stage.client();
        for value in 0..=5 {
            client.put(stage.url((index + value) % 3), key, value).await?.must_succeed()?;
        }
    }
    Ok(keys)
}

async fn concurrent_writes(stage: &mut Stage) -> Result<(), Failure> {
    for key in write_at_once(stage).await? {
        let won = agree(stage, &key, &["value"]).await?;
        let value = won.must_be(200)?.field("value")?.as_u64();
        ensure(value.is_some_and(|value| value < 3), || "one of the values written")
            .map_err(|wrong| wrong.with(won))?;
    }
    Ok(())
}

async fn concurrent_versions(stage: &mut Stage) -> Result<(), Failure> {
    for key in write_at_once(stage).await? {
        agree(stage, &key, &["value", "version"]).await?.must_be(200)?;
    }
    Ok(())
}

/// Writes some keys through all nodes at once, by clients that know nothing of each other.
async fn write_at_once(stage: &Stage) -> Result<Vec<String>, Failure> {
    let keys = stage.keys(8);
    for key in &keys {
        let puts = (0..3).map(|node| async move { stage.client().put(stage.url(node), key, node).await });
        for put in try_join_all(puts).await? {
            put.must_succeed()?;
        }
    }
    Ok(keys)
}
