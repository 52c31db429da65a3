//! Contract: each key lives in exactly one shard, and any node answers for any key.

use std::collections::BTreeMap;

use conformance::{Failure, Layout, ensure};

use crate::{
    cluster::{InProcess, Shape},
    stage::{class_keys, fill},
};

#[tokio::test]
async fn any_node_reads_writes_and_deletes_any_key() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    for (index, key) in class_keys(24).iter().enumerate() {
        let urls: Vec<&str> = (0..4).map(|hop| cluster.url((index + hop) % 4)).collect();
        client.put(urls[0], key, 1).await?.must_be(201)?;
        client.put(urls[1], key, 2).await?.must_be(200)?;
        let reply = client.get(urls[2], key).await?;
        reply.must_be(200)?.must_have("value", 2)?;
        client.delete(urls[3], key).await?.must_be(200)?;
        client.get(urls[0], key).await?.must_be(404)?;
    }
    Ok(())
}

#[tokio::test]
async fn every_node_names_the_same_shard_for_a_key() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let layout = Layout::read(&client, cluster.url(0)).await?;
    for key in class_keys(24) {
        let put = client.put(cluster.url(0), &key, 1).await?;
        let shard = put.must_be(201)?.text("shard-id")?.to_owned();
        ensure(layout.members.contains_key(&shard), || format!("shard {shard} of {key} to be one of {layout:?}"))?;
        for url in cluster.urls() {
            let get = client.get(&url, &key).await?;
            get.must_be(200)?.must_have("shard-id", shard.as_str())?;
            let put = client.put(&url, &key, 2).await?;
            put.must_be(200)?.must_have("shard-id", shard.as_str())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn each_key_is_counted_in_the_shard_that_its_answers_name() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for (index, key) in class_keys(40).iter().enumerate() {
        let put = client.put(cluster.url(index % 4), key, 1).await?;
        let shard = put.must_be(201)?.text("shard-id")?;
        *expected.entry(shard.to_owned()).or_default() += 1;
    }
    for url in cluster.urls() {
        let counts = Layout::key_counts(&client, &url).await?;
        ensure(counts == expected, || format!("{expected:?}, got {counts:?} from {url}"))?;
    }
    Ok(())
}

async fn spread(shards: u32) -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(shards as usize * 2, shards)).await?;
    let mut client = cluster.client();
    fill(&mut client, &cluster.urls(), &class_keys(600)).await?;
    let counts = Layout::key_counts(&client, cluster.url(0)).await?;
    ensure(counts.values().sum::<u64>() == 600, || format!("600 keys, got {counts:?}"))?;
    let mean = 600 / u64::from(shards);
    let (fewest, most) = (mean * 3 / 4, mean * 5 / 4);
    ensure(counts.values().all(|count| (fewest..=most).contains(count)), || {
        format!("{fewest} to {most} keys in every shard, got {counts:?}")
    })
}

#[tokio::test]
async fn keys_spread_over_two_shards_within_a_quarter_of_the_mean() -> Result<(), Failure> {
    spread(2).await
}

#[tokio::test]
async fn keys_spread_over_three_shards_within_a_quarter_of_the_mean() -> Result<(), Failure> {
    spread(3).await
}
