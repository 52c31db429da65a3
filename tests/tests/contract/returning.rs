//! Contract: a node that returns at its address with an empty disk holds all keys of its shard again.

use conformance::{Cluster, Failure, Layout, ensure};

use crate::{
    cluster::{InProcess, Shape},
    stage::{ALONE_LIMIT, REFILL_LIMIT, class_keys, expect_all, fill, value_of},
};

/// Assignment 3: kill one of three, write, start it again empty; then it alone has everything.
#[tokio::test]
async fn it_alone_holds_everything_in_assignment_3() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::replicated(3)).await?;
    let mut client = cluster.client();
    let (before, during) = (class_keys(40), later_keys());
    fill(&mut client, &cluster.urls(), &before).await?;
    cluster.kill(1).await?;
    let urls = [cluster.url(0).to_owned(), cluster.url(2).to_owned()];
    fill(&mut client, &urls, &during).await?;
    client.delete(&urls[0], "key0").await?.must_be(200)?;
    cluster.restart_empty(1).await?;
    cluster.await_ready(cluster.url(1), REFILL_LIMIT).await?;
    cluster.await_view(&[0, 1, 2]).await?;
    cluster.kill_all([0, 2]).await?;
    expect_all(&mut client, cluster.url(1), &before[1..]).await?;
    expect_all(&mut client, cluster.url(1), &during).await?;
    client.get(cluster.url(1), "key0").await?.must_be(404)?;
    let counts = Layout::key_counts(&client, cluster.url(1)).await?;
    ensure(counts.values().sum::<u64>() == 79, || format!("79 keys, got {counts:?}"))
}

fn later_keys() -> Vec<String> {
    (0..40).map(|index| format!("later{index}")).collect()
}

/// From its first answer on: never a wrong 404, never an old value.
#[tokio::test]
async fn it_never_answers_wrongly_while_it_copies() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(100);
    fill(&mut client, &cluster.urls(), &keys).await?;
    cluster.kill(0).await?;
    cluster.restart_empty(0).await?;
    for key in &keys {
        for mut reader in [client.clone(), cluster.client()] {
            let get = reader.get(cluster.url(0), key).await?;
            if get.status != 503 {
                get.must_be(200)?.must_have("value", value_of(key))?;
            }
        }
    }
    cluster.await_view(&[0, 1, 2, 3]).await?;
    expect_all(&mut client, cluster.url(0), &keys).await
}

#[tokio::test]
async fn a_node_that_restarts_before_anyone_noticed_is_refilled() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(2, 1)).await?;
    let mut client = cluster.client();
    let keys = class_keys(40);
    fill(&mut client, &cluster.urls(), &keys).await?;
    for node in [0, 1] {
        cluster.kill(node).await?;
        cluster.restart_empty(node).await?;
        cluster.await_ready(cluster.url(node), REFILL_LIMIT).await?;
    }
    for url in cluster.urls() {
        expect_all(&mut client, &url, &keys).await?;
    }
    Ok(())
}

/// Done-criterion 6, for one node of a shard of three.
async fn criterion_six(victim: usize) -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(1000);
    fill(&mut client, &cluster.urls(), &keys).await?;
    let layout = Layout::read(&client, cluster.url(0)).await?;
    let shard = layout.shard_of(cluster.address(victim)).unwrap_or_default().to_owned();
    ensure(layout.members[&shard].len() == 3, || format!("a shard of three, got {layout:?}"))?;

    let others = cluster.others(&[victim]);
    cluster.kill(victim).await?;
    let mut in_shard = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let get = client.get(cluster.url(others[index % 5]), key).await?;
        get.must_be(200)?.must_have("value", value_of(key))?.must_come_within(ALONE_LIMIT)?;
        if get.text("shard-id")? == shard {
            in_shard.push(key.clone());
        }
    }
    cluster.await_view(&others).await?;

    cluster.restart_empty(victim).await?;
    cluster.await_ready(cluster.url(victim), REFILL_LIMIT).await?;
    cluster.await_view(&cluster.all()).await?;
    let mut gone = cluster.members(&layout, &shard);
    gone.retain(|node| *node != victim);
    cluster.kill_all(gone).await?;
    expect_all(&mut client, cluster.url(victim), &in_shard).await?;
    expect_all(&mut cluster.client(), cluster.url(victim), &in_shard).await
}

#[tokio::test]
async fn criterion_six_holds_for_the_first_node() -> Result<(), Failure> {
    criterion_six(0).await
}

#[tokio::test]
async fn criterion_six_holds_for_the_last_node() -> Result<(), Failure> {
    criterion_six(5).await
}
