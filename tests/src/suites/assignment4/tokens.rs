//! Contract, "Key-value operations": the three facts about `version` and `causal-metadata`, and what a token is.

use super::topic;
use crate::{
    Failure, Layout, Scenario, Stage, eventually,
    stage::{PATIENCE, fill},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("tokens");
    vec![
        topic
            .scenario(
                "a version must be the same from every node, now and later",
                &["version-pure", "convergent"],
                same_version,
            )
            .strict(),
        topic
            .scenario("a PUT must answer version equal to causal-metadata", &["put-version"], put_version)
            .strict()
            .on_all_paths(),
        topic
            .scenario(
                "a GET without metadata must answer causal-metadata equal to version",
                &["get-version"],
                get_version,
            )
            .strict()
            .on_all_paths(),
        topic
            .scenario(
                "a PUT with a token must catch up before it decides",
                &["put-catches-up", "put-new", "put-existing"],
                put_catches_up,
            )
            .strict(),
        topic
            .scenario(
                "the 404 of a deleted key must carry the deletion",
                &["causal", "put-new"],
                the_404_carries_the_deletion,
            )
            .strict(),
        topic.scenario("a token must serve anybody, any number of times", &["causal", "token-first"], used_again),
    ]
}

/// Fact 1.
async fn same_version(stage: &mut Stage) -> Result<(), Failure> {
    let mut writer = stage.client();
    let mut versions = Vec::new();
    for key in stage.keys(20) {
        let put = writer.put(stage.url(0), &key, 1).await?;
        versions.push((key, put.text("version")?.to_owned()));
    }
    let check = async || {
        for (key, version) in &versions {
            for url in stage.urls() {
                let get = writer.clone().get(&url, key).await?;
                get.must_have("version", version.as_str())?;
            }
        }
        Ok::<(), Failure>(())
    };
    check().await?;
    stage.step("other keys are written");
    fill(&mut stage.client(), &stage.urls(), &stage.keys_named("later", 50)).await?;
    check().await
}

/// Fact 2, of writes: new keys and existing ones, at every node.
async fn put_version(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, urls) = (stage.client(), stage.urls());
    for (index, key) in stage.keys(12).iter().enumerate() {
        for value in 0..2 {
            let put = client.put(&urls[index % urls.len()], key, value).await?;
            put.must_have("version", put.text("causal-metadata")?)?;
        }
    }
    Ok(())
}

/// Fact 2, of reads: also when the write has a long past.
async fn get_version(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(24));
    fill(&mut client, &stage.urls(), &keys).await?;
    for key in &keys {
        for url in stage.urls() {
            let get = eventually(PATIENCE, "the replica has the key", || async {
                let get = stage.client().get(&url, key).await?;
                get.must_succeed()?;
                Ok(get)
            });
            let get = get.await?;
            get.must_have("version", get.text("causal-metadata")?)?;
        }
    }
    Ok(())
}

/// Fact 3: at the other members of the key's shard, at once.
async fn put_catches_up(stage: &mut Stage) -> Result<(), Failure> {
    let layout = Layout::read(&stage.client(), stage.url(0)).await?;
    for (index, key) in stage.keys(24).iter().enumerate() {
        let mut client = stage.client();
        let put = client.put(stage.url(index % 6), key, 1).await?;
        let members = stage.members(&layout, put.text("shard-id")?);
        for (value, member) in members.iter().enumerate() {
            let put = client.put(stage.url(*member), key, value).await?;
            put.must_be(200)?.must_have("replaced", true)?;
        }
        client.delete(stage.url(members[0]), key).await?.must_succeed()?;
        let put = client.put(stage.url(members[1]), key, 3).await?;
        put.must_be(201)?.must_have("replaced", false)?;
    }
    Ok(())
}

/// "404 has a past": who was told that a key is gone does not get its old value elsewhere.
async fn the_404_carries_the_deletion(stage: &mut Stage) -> Result<(), Failure> {
    let layout = Layout::read(&stage.client(), stage.url(0)).await?;
    for (index, key) in stage.keys(24).iter().enumerate() {
        let (mut writer, mut reader) = (stage.client(), stage.client());
        let put = writer.put(stage.url(index % 6), key, 1).await?;
        let members = stage.members(&layout, put.text("shard-id")?);
        writer.delete(stage.url(members[0]), key).await?.must_succeed()?;
        for member in &members {
            reader.get(stage.url(*member), key).await?.must_miss()?;
        }
        reader.put(stage.url(members[1]), key, 2).await?.must_be(201)?;
    }
    Ok(())
}

async fn used_again(stage: &mut Stage) -> Result<(), Failure> {
    let (mut writer, key) = (stage.client(), stage.key("x"));
    writer.put(stage.url(0), &key, 1).await?.must_succeed()?;
    let token = writer.token().cloned().unwrap_or_default();
    for _ in 0..3 {
        for url in stage.urls() {
            let mut other = stage.client().with_token(token.clone());
            other.get(&url, &key).await?.must_have("value", 1)?;
        }
    }
    Ok(())
}
