//! Contract, "Shard operations": `add-member`.

use conformance::{Cluster, Dialect, Failure, Layout, ensure};
use reqwest::Method;
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::{class_keys, expect_all, fill},
};

/// Four nodes in two shards, and one more in none.
async fn with_ungrouped(dialect: Dialect) -> Result<InProcess, Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2).speaking(dialect)).await?;
    cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    Ok(cluster)
}

#[tokio::test]
async fn an_ungrouped_node_becomes_a_member() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let cluster = with_ungrouped(dialect).await?;
        let client = cluster.client();
        let reply = client.add_member(cluster.url(0), "2", cluster.address(4)).await?;
        let message = "Member added to the shard successfully";
        reply.must_be(200)?.must_have("message", message)?;
        for url in cluster.urls() {
            let layout = Layout::read(&client, &url).await?;
            ensure(layout.shard_of(cluster.address(4)) == Some("2"), || {
                format!("{} in shard 2, got {layout:?} from {url}", cluster.address(4))
            })?;
        }
        let own = client.shard(cluster.url(4), "node-shard-id").await?;
        own.must_be(200)?.must_have(dialect.node_shard_field(), "2")?;
    }
    Ok(())
}

/// "Answered when the node holds the shard's keys": so the old members may go at once.
#[tokio::test]
async fn the_new_member_holds_the_shards_keys_when_it_is_answered() -> Result<(), Failure> {
    let mut cluster = with_ungrouped(Dialect::Seed2019).await?;
    let mut client = cluster.client();
    let keys = class_keys(100);
    fill(&mut client, &cluster.urls(), &keys).await?;
    let mut in_shard = Vec::new();
    for key in keys {
        let get = client.get(cluster.url(0), &key).await?;
        if get.must_be(200)?.text("shard-id")? == "1" {
            in_shard.push(key);
        }
    }
    client.add_member(cluster.url(3), "1", cluster.address(4)).await?.must_be(200)?;
    let layout = Layout::read(&client, cluster.url(0)).await?;
    let mut old = cluster.members(&layout, "1");
    old.retain(|node| *node != 4);
    cluster.kill_all(old).await?;
    expect_all(&mut client, cluster.url(4), &in_shard).await
}

#[tokio::test]
async fn an_address_that_is_not_in_the_view_is_404() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let cluster = with_ungrouped(dialect).await?;
        let reply = cluster.client().add_member(cluster.url(0), "1", "10.10.0.99:8080").await?;
        reply
            .must_be(404)?
            .must_have("error", "Socket address does not exist in the view")?
            .must_have("message", "Error in PUT")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_a_member_already_is_404() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let cluster = with_ungrouped(dialect).await?;
        let client = cluster.client();
        let layout = Layout::read(&client, cluster.url(0)).await?;
        for (id, members) in &layout.members {
            let reply = client.add_member(cluster.url(4), id, &members[0]).await?;
            reply
                .must_be(404)?
                .must_have("error", "Socket address already exists in the shard")?
                .must_have("message", "Error in PUT")?;
        }
    }
    Ok(())
}

const NOT_ENOUGH: &str = "Not enough nodes to provide fault-tolerance with the given shard count!";

#[tokio::test]
async fn a_member_of_a_shard_of_two_stays_there() -> Result<(), Failure> {
    let cluster = with_ungrouped(Dialect::Seed2019).await?;
    let client = cluster.client();
    let before = Layout::read(&client, cluster.url(0)).await?;
    for address in &before.members["2"] {
        let reply = client.add_member(cluster.url(0), "1", address).await?;
        reply.must_be(400)?.must_have("message", NOT_ENOUGH)?;
    }
    let after = Layout::read(&client, cluster.url(0)).await?;
    ensure(before == after, || format!("{before:?} unchanged, got {after:?}"))
}

#[tokio::test]
async fn a_member_of_a_shard_of_three_moves() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(5, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(60);
    fill(&mut client, &cluster.urls(), &keys).await?;
    let before = Layout::read(&client, cluster.url(0)).await?;
    let (large, members) = before
        .members
        .iter()
        .find(|(_, members)| members.len() == 3)
        .ok_or_else(|| Failure::new(format!("a shard of three, got {before:?}")))?;
    let small = if large == "1" { "2" } else { "1" };
    let reply = client.add_member(cluster.url(0), small, &members[0]).await?;
    reply.must_be(200)?;
    let after = Layout::read(&client, cluster.url(4)).await?;
    ensure(after.shard_of(&members[0]) == Some(small), || format!("{} in shard {small}, got {after:?}", members[0]))?;
    for url in cluster.urls() {
        expect_all(&mut client, &url, &keys).await?;
        let counts = Layout::key_counts(&client, &url).await?;
        ensure(counts.values().sum::<u64>() == 60, || format!("60 keys, got {counts:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_or_malformed_address_is_400() -> Result<(), Failure> {
    let cluster = with_ungrouped(Dialect::Seed2019).await?;
    let client = cluster.client();
    for dialect in [Dialect::Seed2019, Dialect::Fall2021] {
        let path = dialect.shard_path("add-member/1");
        for body in [json!({}), json!({"socket-address": 7}), json!({"socket-address": "node7"})] {
            let reply = client.send(Method::PUT, cluster.url(0), &path, Some(body)).await?;
            reply.must_be(400)?.must_have("message", "Error in PUT")?.text("error")?;
        }
    }
    Ok(())
}

/// The class's example adds node7 by another port than it listens on.
#[tokio::test]
async fn another_port_is_taken_for_the_only_node_of_that_ip() -> Result<(), Failure> {
    let cluster = with_ungrouped(Dialect::Seed2019).await?;
    let client = cluster.client();
    let other_port = other_port(cluster.address(4));
    client.add_member(cluster.url(0), "1", &other_port).await?.must_be(200)?;
    let layout = Layout::read(&client, cluster.url(0)).await?;
    ensure(layout.shard_of(cluster.address(4)) == Some("1"), || {
        format!("{} in shard 1, got {layout:?}", cluster.address(4))
    })?;
    let again = client.add_member(cluster.url(0), "1", &other_port).await?;
    let error = "Socket address already exists in the shard";
    again.must_be(404)?.must_have("error", error)?;
    Ok(())
}

#[tokio::test]
async fn another_port_is_not_in_the_view_where_nodes_share_the_ip() -> Result<(), Failure> {
    let shape = Shape { one_ip: true, ..Shape::sharded(4, 2) };
    let mut cluster = InProcess::start(shape).await?;
    cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    let other_port = other_port(cluster.address(4));
    let reply = cluster.client().add_member(cluster.url(0), "1", &other_port).await?;
    let error = "Socket address does not exist in the view";
    reply.must_be(404)?.must_have("error", error)?;
    Ok(())
}

/// The same IP with a port that no node listens on: those of the tests are far above 1.
fn other_port(address: &str) -> String {
    let (ip, _) = address.split_once(':').unwrap_or((address, ""));
    format!("{ip}:1")
}
