//! Contract, "Shard operations": `reshard`.

use std::collections::BTreeSet;

use conformance::{Cluster, Dialect, Failure, Layout, ensure};
use reqwest::Method;
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::{class_keys, expect_all, fill},
};

const NOT_ENOUGH: &str = "Not enough nodes to provide fault-tolerance with the given shard count!";

/// Exactly `nodes` in `shards` shards, each with two or more, each node in one; as every one of `nodes` tells it.
async fn well_formed(cluster: &InProcess, nodes: &[usize], shards: usize) -> Result<(), Failure> {
    let expected: BTreeSet<&str> = nodes.iter().map(|node| cluster.address(*node)).collect();
    for node in nodes {
        let layout = Layout::read(&cluster.client(), cluster.url(*node)).await?;
        let all: Vec<&str> = layout.members.values().flatten().map(String::as_str).collect();
        let good = layout.members.len() == shards
            && layout.members.values().all(|members| members.len() >= 2)
            && all.len() == expected.len()
            && all.iter().copied().collect::<BTreeSet<_>>() == expected;
        ensure(good, || format!("{expected:?} in {shards} shards of two or more, got {layout:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn it_is_200_and_every_key_is_where_it_belongs() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(200);
    fill(&mut client, &cluster.urls(), &keys).await?;
    for (asked, shards) in [(0, 3), (4, 1), (5, 2)] {
        let reply = client.reshard(cluster.url(asked), shards).await?;
        reply.must_be(200)?.must_have("message", "Resharding done successfully")?;
        well_formed(&cluster, &cluster.all(), shards).await?;
        for url in cluster.urls() {
            let counts = Layout::key_counts(&client, &url).await?;
            ensure(counts.values().sum::<u64>() == 200, || format!("200 keys, got {counts:?}"))?;
            expect_all(&mut client, &url, &keys).await?;
        }
    }
    Ok(())
}

/// "Answered when every key is where it belongs": so one node of each shard may go at once, and nobody misses anything.
#[tokio::test]
async fn every_owner_holds_its_keys_when_it_is_answered() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(100);
    fill(&mut client, &cluster.urls(), &keys).await?;
    client.reshard(cluster.url(1), 3).await?.must_be(200)?;
    let layout = Layout::read(&client, cluster.url(1)).await?;
    let gone: Vec<usize> = ["1", "2", "3"].map(|id| cluster.members(&layout, id)[0]).to_vec();
    cluster.kill_all(gone.iter().copied()).await?;
    for node in cluster.others(&gone) {
        expect_all(&mut client, cluster.url(node), &keys).await?;
    }
    Ok(())
}

#[tokio::test]
async fn keys_stay_spread_within_a_quarter_of_the_mean() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    fill(&mut client, &cluster.urls(), &class_keys(600)).await?;
    for shards in [3_u64, 2] {
        client.reshard(cluster.url(0), shards).await?.must_be(200)?;
        let counts = Layout::key_counts(&client, cluster.url(5)).await?;
        let mean = 600 / shards;
        let range = mean * 3 / 4..=mean * 5 / 4;
        ensure(counts.values().all(|count| range.contains(count)), || {
            format!("{range:?} keys in every shard, got {counts:?}")
        })?;
    }
    Ok(())
}

#[tokio::test]
async fn fewer_than_two_nodes_a_shard_is_400() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let cluster = InProcess::start(Shape::sharded(5, 2).speaking(dialect)).await?;
        let client = cluster.client();
        let before = Layout::read(&client, cluster.url(0)).await?;
        for count in [3_u64, 10, 4_294_967_296] {
            let reply = client.reshard(cluster.url(0), count).await?;
            reply.must_be(400)?.must_have("message", NOT_ENOUGH)?;
        }
        let after = Layout::read(&client, cluster.url(0)).await?;
        ensure(before == after, || format!("{before:?} unchanged, got {after:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_count_that_is_not_a_positive_integer_is_400() -> Result<(), Failure> {
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
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let client = cluster.client();
    for dialect in [Dialect::Seed2019, Dialect::Fall2021] {
        let path = dialect.shard_path("reshard");
        for body in bodies.iter().cloned().map(Some).chain([None]) {
            let reply = client.send(Method::PUT, cluster.url(0), &path, body).await?;
            let error = reply.must_be(400)?.text("error")?;
            ensure(!error.is_empty(), || "`error` to say what is wrong")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn it_counts_only_nodes_that_are_up() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    cluster.kill(5).await?;
    cluster.await_view(&[0, 1, 2, 3, 4]).await?;
    let reply = cluster.client().reshard(cluster.url(0), 3).await?;
    reply.must_be(400)?.must_have("message", NOT_ENOUGH)?;
    Ok(())
}

#[tokio::test]
async fn it_puts_ungrouped_nodes_to_use() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(60);
    fill(&mut client, &cluster.urls(), &keys).await?;
    cluster.add().await?;
    cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    client.reshard(cluster.url(0), 3).await?.must_be(200)?;
    well_formed(&cluster, &cluster.all(), 3).await?;
    for url in cluster.urls() {
        expect_all(&mut client, &url, &keys).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_same_count_replaces_dead_members() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(60);
    fill(&mut client, &cluster.urls(), &keys).await?;
    cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    cluster.kill(3).await?;
    let alive = [0, 1, 2, 4];
    cluster.await_view(&alive).await?;
    client.reshard(cluster.url(0), 2).await?.must_be(200)?;
    for node in alive {
        let own = client.shard(cluster.url(node), "node-shard-id").await?;
        let shard = own.must_be(200)?.text("shard-id")?;
        let layout = Layout::read(&client, cluster.url(node)).await?;
        let live = cluster.members(&layout, shard).iter().filter(|node| **node != 3).count();
        ensure(live == 2, || format!("two live members in shard {shard} of {layout:?}"))?;
        expect_all(&mut client, cluster.url(node), &keys).await?;
    }
    Ok(())
}

/// A reshard to what there is already is done at once, and changes nothing.
#[tokio::test]
async fn the_same_count_with_all_members_up_keeps_every_node() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let client = cluster.client();
    let before = Layout::read(&client, cluster.url(0)).await?;
    client.reshard(cluster.url(0), 2).await?.must_be(200)?;
    let after = Layout::read(&client, cluster.url(0)).await?;
    ensure(before == after, || format!("{before:?} unchanged, got {after:?}"))
}

#[tokio::test]
async fn deleted_keys_stay_deleted() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(60);
    fill(&mut client, &cluster.urls(), &keys).await?;
    for key in &keys[..30] {
        client.delete(cluster.url(2), key).await?.must_be(200)?;
    }
    for shards in [3, 1] {
        client.reshard(cluster.url(0), shards).await?.must_be(200)?;
        for url in cluster.urls() {
            for key in &keys[..30] {
                client.get(&url, key).await?.must_be(404)?;
            }
            expect_all(&mut client, &url, &keys[30..]).await?;
        }
    }
    Ok(())
}

/// A node that restarts empty takes the placement that there is, not the `SHARD_COUNT` of the first start.
#[tokio::test]
async fn shard_count_matters_at_the_first_start_only() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    cluster.client().reshard(cluster.url(0), 1).await?.must_be(200)?;
    cluster.kill(0).await?;
    cluster.await_view(&[1, 2, 3]).await?;
    cluster.restart_empty(0).await?;
    cluster.await_view(&[0, 1, 2, 3]).await?;
    well_formed(&cluster, &[0, 1, 2, 3], 1).await
}
