//! Contract, "Key-value operations": the three facts about `version` and `causal-metadata`, and what a token is.

use conformance::{Dialect, Failure, Layout, ensure, eventually};
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::{PATIENCE, Stage, class_keys, fill},
};

/// Fact 1.
#[tokio::test]
async fn version_is_the_same_from_every_replica_now_and_later() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(5, 2)).await?;
    let mut writer = cluster.client();
    let mut versions = Vec::new();
    for key in class_keys(20) {
        let put = writer.put(cluster.url(0), &key, 1).await?;
        versions.push((key, put.must_be(201)?.opaque("version")?.to_owned()));
    }
    let check = async || {
        for (key, version) in &versions {
            for url in cluster.urls() {
                let get = writer.clone().get(&url, key).await?;
                get.must_be(200)?.must_have("version", version.as_str())?;
            }
        }
        Ok::<(), Failure>(())
    };
    check().await?;
    fill(&mut cluster.client(), &cluster.urls(), &later_keys()).await?;
    check().await?;
    writer.reshard(cluster.url(1), 1).await?.must_be(200)?;
    check().await
}

fn later_keys() -> Vec<String> {
    (0..50).map(|index| format!("later{index}")).collect()
}

/// Fact 2, of writes.
#[tokio::test]
async fn put_answers_version_equal_to_causal_metadata() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    for (index, key) in class_keys(20).iter().enumerate() {
        for value in 0..2 {
            let put = client.put(cluster.url(index % 4), key, value).await?;
            put.must_have("version", put.opaque("causal-metadata")?)?;
        }
    }
    Ok(())
}

/// Fact 2, of reads: also when the write has a long past.
#[tokio::test]
async fn get_without_metadata_answers_causal_metadata_equal_to_version() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(40);
    fill(&mut client, &cluster.urls(), &keys).await?;
    for key in &keys {
        for url in cluster.urls() {
            let get = eventually(PATIENCE, "the replica has the key", || async {
                let get = cluster.client().get(&url, key).await?;
                get.must_be(200)?;
                Ok(get)
            });
            let get = get.await?;
            get.must_have("version", get.opaque("causal-metadata")?)?;
        }
    }
    Ok(())
}

/// Fact 3: at the other replicas, at once.
#[tokio::test]
async fn a_put_with_a_token_catches_up_before_it_decides() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    for (index, key) in class_keys(60).iter().enumerate() {
        let mut client = cluster.client();
        client.put(cluster.url(index % 3), key, 1).await?.must_be(201)?;
        let put = client.put(cluster.url((index + 1) % 3), key, 2).await?;
        put.must_be(200)?.must_have("replaced", true)?;
        client.delete(cluster.url((index + 2) % 3), key).await?.must_be(200)?;
        let put = client.put(cluster.url(index % 3), key, 3).await?;
        put.must_be(201)?.must_have("replaced", false)?;
    }
    Ok(())
}

/// "404 has a past": who was told that a key is gone does not get its old value elsewhere.
#[tokio::test]
async fn the_404_of_a_deleted_key_carries_the_deletion() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    for (index, key) in class_keys(60).iter().enumerate() {
        let at = |hop: usize| cluster.url((index + hop) % 3);
        let mut writer = cluster.client();
        writer.put(at(0), key, 1).await?.must_be(201)?;
        writer.delete(at(0), key).await?.must_be(200)?;
        let mut reader = cluster.client();
        reader.get(at(0), key).await?.must_be(404)?;
        reader.get(at(1), key).await?.must_be(404)?;
        reader.get(at(2), key).await?.must_be(404)?;
        let put = reader.put(at(1), key, 2).await?;
        put.must_be(201)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_token_may_be_used_again_and_by_anybody() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut writer = cluster.client();
    writer.put(cluster.url(0), "x", 1).await?.must_be(201)?;
    let token = writer.token().cloned().unwrap_or_default();
    for _ in 0..3 {
        for url in cluster.urls() {
            let mut other = cluster.client().with_token(token.clone());
            other.get(&url, "x").await?.must_be(200)?;
        }
    }
    Ok(())
}

/// A token of one dialect's paths is one of the other's too.
#[tokio::test]
async fn a_token_holds_across_dialects() -> Result<(), Failure> {
    let mut stage = Stage::new(Dialect::Seed2019).await?;
    stage.client.put(&stage.url, "x", 1).await?.must_be(201)?;
    let token = stage.client.token().cloned().unwrap_or_default();
    let mut fall = conformance::Client::new(Dialect::Fall2021).with_token(token);
    let get = fall.get(stage.cluster.url(1), "x").await?;
    get.must_be(200)?.must_have("value", 1)?;
    Ok(())
}

/// A "few hundred" bytes, read generously, in a healthy cluster of seven.
const TOKEN_BYTES_MAX: usize = 600;

#[tokio::test]
async fn tokens_stay_small_in_a_healthy_cluster_of_seven() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(7, 2)).await?;
    let mut client = cluster.client();
    fill(&mut client, &cluster.urls(), &class_keys(300)).await?;
    let (url, token) = (cluster.url(3), client.token().cloned());
    eventually(PATIENCE, "tokens are small again after 300 writes", || async {
        let mut client = cluster.client().with_token(token.clone().unwrap_or_default());
        let put = client.put(url, "x", json!(1)).await?;
        for field in ["version", "causal-metadata"] {
            let length = put.opaque(field)?.len();
            ensure(length <= TOKEN_BYTES_MAX, || format!("{field} of {length} bytes to be short"))?;
        }
        Ok(())
    })
    .await
}

/// Tokens name no shard and no set of nodes: they hold after members and shards have changed.
#[tokio::test]
async fn tokens_from_before_hold_after_add_member_and_reshard() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut writer = cluster.client();
    let keys = class_keys(60);
    let mut tokens = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        writer.put(cluster.url(index % 6), key, 1).await?.must_be(201)?;
        writer.put(cluster.url((index + 1) % 6), key, 2).await?.must_be(200)?;
        tokens.push(writer.token().cloned().unwrap_or_default());
    }
    for count in [3, 1, 2] {
        writer.reshard(cluster.url(count), count).await?.must_be(200)?;
        for (key, token) in keys.iter().zip(&tokens) {
            for url in cluster.urls() {
                let get = writer.with_token(token.clone()).get(&url, key).await?;
                get.must_be(200)?.must_have("value", 2)?;
            }
        }
    }
    Layout::read(&writer, cluster.url(0)).await.map(|_| ())
}
