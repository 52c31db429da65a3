//! Contract, "Starting a node": the node without a shard.

use conformance::{Cluster, Dialect, Failure, Layout, ensure};
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::{class_keys, expect_all, fill},
};

/// Nobody's `VIEW` lists it: it announces itself, and within five seconds it is in every view.
#[tokio::test]
async fn it_is_in_every_view_within_five_seconds() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    cluster.add().await?;
    cluster.await_view(&cluster.all()).await
}

#[tokio::test]
async fn it_belongs_to_no_shard() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let mut cluster = InProcess::start(Shape::sharded(4, 2).speaking(dialect)).await?;
        let node = cluster.add().await?;
        cluster.await_view(&cluster.all()).await?;
        let client = cluster.client();
        let none = match dialect {
            Dialect::Seed2019 => json!(""),
            Dialect::Spring2021 | Dialect::Fall2021 => json!(null),
        };
        let reply = client.shard(cluster.url(node), "node-shard-id").await?;
        let message = "Shard ID of the node retrieved successfully";
        reply.must_be(200)?.must_have("message", message)?.must_have(dialect.node_shard_field(), none)?;
        for url in cluster.urls() {
            let layout = Layout::read(&client, &url).await?;
            ensure(layout.shard_of(cluster.address(node)).is_none(), || {
                format!("{} in no shard, got {layout:?} from {url}", cluster.address(node))
            })?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn it_forwards_key_value_requests() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(20);
    fill(&mut client, &cluster.urls(), &keys).await?;
    let node = cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    expect_all(&mut client, cluster.url(node), &keys).await?;
    for key in &keys {
        client.put(cluster.url(node), key, 2).await?.must_be(200)?;
        client.get(cluster.url(0), key).await?.must_have("value", 2)?;
        client.delete(cluster.url(node), key).await?.must_be(200)?;
        client.get(cluster.url(node), key).await?.must_be(404)?;
    }
    Ok(())
}

#[tokio::test]
async fn it_answers_every_shard_operation() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let node = cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    let mut client = cluster.client();
    fill(&mut client, &cluster.urls(), &class_keys(40)).await?;
    let (own, other) = (cluster.url(node), cluster.url(0));
    let (seen, expected) = (Layout::read(&client, own).await?, Layout::read(&client, other).await?);
    ensure(seen == expected, || format!("{expected:?}, got {seen:?}"))?;
    let counts = Layout::key_counts(&client, own).await?;
    ensure(counts.values().sum::<u64>() == 40, || format!("40 keys, got {counts:?}"))?;
    client.add_member(own, "1", cluster.address(node)).await?.must_be(200)?;
    client.reshard(own, 1).await?.must_be(200)?;
    Ok(())
}

/// Its first requests come before it knows who has the keys.
#[tokio::test]
async fn a_request_to_it_as_it_starts_is_not_a_wrong_404() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(30);
    fill(&mut client, &cluster.urls(), &keys).await?;
    let node = cluster.add().await?;
    for key in &keys {
        let get = cluster.client().get(cluster.url(node), key).await?;
        if get.status != 503 {
            get.must_be(200)?;
        }
    }
    cluster.await_view(&cluster.all()).await?;
    expect_all(&mut client, cluster.url(node), &keys).await
}
