//! Contract: two sides of a partition work on, and become one again.

use conformance::{Client, Failure, eventually};

use crate::{
    cluster::{InProcess, Shape},
    stage::{ALONE_LIMIT, PATIENCE, class_keys},
};

/// Three replicas of one shard that can be cut from each other.
async fn replicas() -> Result<InProcess, Failure> {
    InProcess::start(Shape { gates: true, ..Shape::sharded(3, 1) }).await
}

/// The same keys are written on both sides, by clients that know nothing of each other.
#[tokio::test]
async fn both_sides_take_writes_and_converge_after_healing() -> Result<(), Failure> {
    let mut cluster = replicas().await?;
    let keys = class_keys(20);
    cluster.only(&[0]).await;
    let mut left = cluster.client();
    for key in &keys {
        let put = left.put(cluster.url(0), key, "left").await?;
        put.must_be(201)?.must_come_within(ALONE_LIMIT)?;
    }
    cluster.only(&[1, 2]).await;
    let mut right = cluster.client();
    for (index, key) in keys.iter().enumerate() {
        let put = right.put(cluster.url(1 + index % 2), key, "right").await?;
        put.must_be(201)?.must_come_within(ALONE_LIMIT)?;
    }
    cluster.only(&[0, 1, 2]).await;
    for key in &keys {
        agree(&cluster, key).await?;
    }
    for client in [&left, &right] {
        settled_for(&cluster, client, &keys).await?;
    }
    Ok(())
}

/// All replicas give clients without a past the same value and the same version.
async fn agree(cluster: &InProcess, key: &str) -> Result<(), Failure> {
    eventually(PATIENCE, "all replicas agree", || async {
        let first = cluster.client().get(cluster.url(0), key).await?;
        first.must_be(200)?;
        for node in [1, 2] {
            let get = cluster.client().get(cluster.url(node), key).await?;
            get.must_be(200)?
                .must_have("value", first.field("value")?.clone())?
                .must_have("version", first.field("version")?.clone())?;
        }
        Ok(())
    })
    .await
}

/// The tokens of both sides hold everywhere.
async fn settled_for(cluster: &InProcess, client: &Client, keys: &[String]) -> Result<(), Failure> {
    for key in keys {
        for url in cluster.urls() {
            client.clone().get(&url, key).await?.must_be(200)?;
        }
    }
    Ok(())
}

/// The write that came later on the clock, in a partition, against a deletion on the other side: one of the two, everywhere.
#[tokio::test]
async fn a_deletion_on_one_side_and_a_write_on_the_other_converge() -> Result<(), Failure> {
    let mut cluster = replicas().await?;
    let mut client = cluster.client();
    for key in class_keys(10) {
        client.put(cluster.url(0), &key, 1).await?.must_be(201)?;
        for node in [1, 2] {
            client.get(cluster.url(node), &key).await?.must_be(200)?;
        }
    }
    cluster.only(&[0]).await;
    for key in class_keys(10) {
        client.clone().delete(cluster.url(0), &key).await?.must_be(200)?;
    }
    cluster.only(&[1, 2]).await;
    for key in class_keys(10) {
        client.clone().put(cluster.url(1), &key, 2).await?.must_be(200)?;
    }
    cluster.only(&[0, 1, 2]).await;
    for key in class_keys(10) {
        eventually(PATIENCE, "all replicas agree", || async {
            let first = cluster.client().get(cluster.url(0), &key).await?;
            for node in [1, 2] {
                let get = cluster.client().get(cluster.url(node), &key).await?;
                get.must_be(first.status)?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// A replica that missed writes does not show its old values to who has seen newer ones, nor after it has caught up to anybody.
#[tokio::test]
async fn a_replica_that_missed_writes_catches_up_after_healing() -> Result<(), Failure> {
    let mut cluster = replicas().await?;
    let mut client = cluster.client();
    let keys = class_keys(20);
    for key in &keys {
        client.put(cluster.url(0), key, 1).await?.must_be(201)?;
        client.get(cluster.url(2), key).await?.must_be(200)?;
    }
    cluster.only(&[0, 1]).await;
    for key in &keys {
        client.put(cluster.url(0), key, 2).await?.must_be(200)?;
    }
    cluster.only(&[0, 1, 2]).await;
    for key in &keys {
        let get = client.clone().get(cluster.url(2), key).await?;
        get.must_be(200)?.must_have("value", 2)?;
    }
    Ok(())
}
