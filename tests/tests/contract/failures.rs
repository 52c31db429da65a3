//! Contract: what happens when nodes die or hang.

use std::time::Duration;

use conformance::{Cluster, Dialect, Failure, Layout, ensure, throughout};

use crate::{
    cluster::{InProcess, Shape},
    stage::{ALONE_LIMIT, VIEW_LIMIT, class_keys, expect_all, fill, put_into_shard, value_of},
};

#[tokio::test]
async fn a_killed_node_leaves_every_view_within_five_seconds() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    cluster.kill(2).await?;
    cluster.await_view(&cluster.others(&[2])).await
}

#[tokio::test]
async fn a_stopped_node_leaves_every_view_within_five_seconds() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    cluster.stop(1).await?;
    cluster.await_view(&cluster.others(&[1])).await
}

/// Its connections stay open, and nothing comes out of them.
#[tokio::test]
async fn a_hanging_node_leaves_every_view_within_five_seconds_and_returns() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    cluster.pause(3).await;
    cluster.await_view(&[0, 1, 2]).await?;
    cluster.resume(3);
    cluster.await_view(&[0, 1, 2, 3]).await
}

#[tokio::test]
async fn two_nodes_killed_at_once_leave_every_view_within_five_seconds() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    cluster.kill_all([0, 5]).await?;
    cluster.await_view(&[1, 2, 3, 4]).await
}

/// No wait for detection: the other members of the shard take over for the client at once.
#[tokio::test]
async fn keys_of_a_killed_node_are_served_within_a_second_by_all_others() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(60);
    fill(&mut client, &cluster.urls(), &keys).await?;
    cluster.kill(1).await?;
    for node in cluster.others(&[1]) {
        for key in &keys {
            let get = client.get(cluster.url(node), key).await?;
            get.must_be(200)?.must_have("value", value_of(key))?.must_come_within(ALONE_LIMIT)?;
        }
    }
    Ok(())
}

/// A node that hangs is not found out by a closed connection: what is forwarded to it must find another way.
#[tokio::test]
async fn keys_of_a_hanging_node_are_served_by_all_others() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(30);
    fill(&mut client, &cluster.urls(), &keys).await?;
    cluster.pause(1).await;
    for node in cluster.others(&[1]) {
        expect_all(&mut client, cluster.url(node), &keys).await?;
    }
    // Before it is detected, a write that was forwarded to it is neither done nor undone, and 503 is the honest answer.
    let others = cluster.others(&[1]);
    cluster.await_view(&others).await?;
    for (index, key) in keys.iter().enumerate() {
        let put = client.put(cluster.url(others[index % 5]), key, 2).await?;
        put.must_be(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_shard_without_live_members_is_503() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let mut cluster = InProcess::start(Shape::sharded(4, 2).speaking(dialect)).await?;
        let mut client = cluster.client();
        let key = put_into_shard(&mut client, cluster.url(0), "2", "x").await?;
        let layout = Layout::read(&client, cluster.url(0)).await?;
        let lost = cluster.members(&layout, "2");
        cluster.kill_all(lost.iter().copied()).await?;
        for node in cluster.others(&lost) {
            let url = cluster.url(node);
            for (reply, message) in [
                (client.get(url, &key).await?, "Error in GET"),
                (client.put(url, &key, 1).await?, "Error in PUT"),
                (client.delete(url, &key).await?, "Error in DELETE"),
                (client.without_token().get(url, &key).await?, "Error in GET"),
            ] {
                reply.must_be(503)?.must_have("message", message)?.header("retry-after")?;
                ensure(!reply.text("error")?.is_empty(), || "`error` to say which")?;
                reply.must_come_within(ALONE_LIMIT)?;
            }
            client.shard(url, "key-count/2").await?.must_be(503)?;
            client.shard(url, "key-count/1").await?.must_be(200)?;
        }
        cluster.await_view(&cluster.others(&lost)).await?;
        client.shard(cluster.url(cluster.others(&lost)[0]), "key-count/2").await?.must_be(503)?;
    }
    Ok(())
}

/// Nodes never reshard by themselves: the living stay where they are, the one without a shard stays without.
#[tokio::test]
async fn nodes_never_reshard_by_themselves() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let ungrouped = cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    let before = Layout::read(&cluster.client(), cluster.url(0)).await?;
    cluster.kill(3).await?;
    cluster.await_view(&[0, 1, 2, ungrouped]).await?;
    let (now, before) = (&cluster, &before);
    throughout(VIEW_LIMIT, || async move {
        for observer in [0, 1, 2, ungrouped] {
            let layout = Layout::read(&now.client(), now.url(observer)).await?;
            for node in [0, 1, 2, ungrouped] {
                let (is, was) = (layout.shard_of(now.address(node)), before.shard_of(now.address(node)));
                ensure(is == was, || format!("node {node} to stay in {was:?}, got {layout:?}"))?;
            }
        }
        Ok(())
    })
    .await
}

/// Writes go on while a member hangs, from the first moment on, and it catches up when it goes on.
#[tokio::test]
async fn writes_go_on_beside_a_hanging_member() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    let mut client = cluster.client();
    cluster.pause(2).await;
    let keys = class_keys(30);
    fill(&mut client, &[cluster.url(0).to_owned(), cluster.url(1).to_owned()], &keys).await?;
    cluster.resume(2);
    expect_all(&mut client, cluster.url(2), &keys).await
}

/// During a partition tokens may grow; a request that carries one of up to 32 KiB is accepted.
#[tokio::test]
async fn long_tokens_are_accepted_while_a_member_is_away() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    cluster.pause(3).await;
    cluster.await_view(&[0, 1, 2]).await?;
    let mut client = cluster.client();
    let urls: Vec<String> = cluster.urls()[..3].to_vec();
    let keys = class_keys(400);
    fill(&mut client, &urls, &keys).await?;
    expect_all(&mut client, &urls[0], &keys).await?;
    cluster.resume(3);
    cluster.await_view(&[0, 1, 2, 3]).await?;
    expect_all(&mut client, cluster.url(3), &keys).await
}

/// A client is answered although the node that answers has only just lost all others.
#[tokio::test]
async fn an_isolated_replica_takes_writes_of_its_shard_within_a_second() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let layout = Layout::read(&client, cluster.url(0)).await?;
    let own = layout.shard_of(cluster.address(0)).unwrap_or_default().to_owned();
    let other = if own == "1" { "2" } else { "1" };
    let (own_key, other_key) = (
        put_into_shard(&mut client, cluster.url(0), &own, "own").await?,
        put_into_shard(&mut client, cluster.url(0), other, "other").await?,
    );
    cluster.kill_all([1, 2, 3]).await?;
    let mut fresh = cluster.client();
    for client in [&mut client, &mut fresh] {
        let url = cluster.url(0);
        let put = client.put(url, &own_key, 2).await?;
        put.must_be(200)?.must_come_within(ALONE_LIMIT)?;
        let get = client.get(url, &own_key).await?;
        get.must_be(200)?.must_have("value", 2)?.must_come_within(ALONE_LIMIT)?;
        let put = client.put(url, &other_key, 2).await?;
        put.must_be(503)?.must_come_within(ALONE_LIMIT)?;
        let get = client.get(url, &other_key).await?;
        get.must_be(503)?.must_come_within(ALONE_LIMIT)?;
    }
    let new = new_key_of(&mut client, cluster.url(0)).await?;
    client.delete(cluster.url(0), &new).await?.must_be(200)?.must_come_within(ALONE_LIMIT)?;
    cluster.await_view(&[0]).await?;
    new_key_of(&mut client, cluster.url(0)).await.map(|_| ())
}

/// Puts new keys at an isolated node: 201 for those of its shard, 503 for the others, each within a second.
async fn new_key_of(client: &mut conformance::Client, url: &str) -> Result<String, Failure> {
    for index in 0..200 {
        let key = format!("new{index}");
        let put = client.put(url, &key, 1).await?;
        put.must_come_within(Duration::from_secs(1))?;
        match put.status {
            201 => return Ok(key),
            200 => {}
            _ => drop(put.must_be(503)?),
        }
    }
    Err(Failure::new("one of 200 new keys to be in the node's shard"))
}
