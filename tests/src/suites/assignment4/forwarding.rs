//! Contract: each key lives in exactly one shard, and any node answers for any key.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{
    placement::{counted, evenly_spread},
    topic,
};
use crate::{
    Failure, Layout, Scenario, Stage, ensure,
    stage::{expect_all, fill},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("forwarding");
    vec![
        topic
            .scenario("any node must read, write and delete any key", &["forwarding"], any_node_any_key)
            .on_all_paths(),
        topic.scenario(
            "600 keys must be readable through every node, and spread over the shards",
            &["forwarding", "spread", "key-count"],
            spread,
        ),
        topic
            .scenario(
                "every node must name the same shard for a key",
                &["one-shard-per-key", "dialect-shard-ids"],
                same_shard,
            )
            .strict(),
        topic
            .scenario(
                "a key must be counted in the shard that its answers name",
                &["one-shard-per-key", "key-count", "dialect-shard-ids"],
                counted_where_it_is,
            )
            .strict(),
    ]
}

async fn any_node_any_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, urls) = (stage.client(), stage.urls());
    for (index, key) in stage.keys(24).iter().enumerate() {
        let at = |hop: usize| &urls[(index + hop) % urls.len()];
        client.put(at(0), key, 1).await?.must_succeed()?;
        client.put(at(1), key, 2).await?.must_succeed()?;
        client.get(at(2), key).await?.must_have("value", 2)?;
        client.delete(at(3), key).await?.must_succeed()?;
        client.get(at(4), key).await?.must_miss()?;
    }
    Ok(())
}

/// Each node takes its part of the keys from a client of its own, whose token another node is then asked with.
async fn spread(stage: &mut Stage) -> Result<(), Failure> {
    let (urls, keys) = (stage.urls(), stage.keys(600));
    let before = Layout::key_counts(&stage.client(), &urls[0]).await?;
    let clients = keys.chunks(keys.len().div_ceil(urls.len())).enumerate().map(|(index, keys)| {
        let (mut client, urls) = (stage.client(), &urls);
        async move {
            fill(&mut client, &urls[index..=index], keys).await?;
            expect_all(&mut client, &urls[(index + 1) % urls.len()], keys).await
        }
    });
    try_join_all(clients).await?;
    let total = before.values().sum::<u64>() + keys.len() as u64;
    let mut counts = counted(stage, &stage.all(), total).await?;
    for (id, count) in &mut counts {
        *count -= before.get(id).copied().unwrap_or_default();
    }
    evenly_spread(&counts)
}

async fn same_shard(stage: &mut Stage) -> Result<(), Failure> {
    let mut client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    for key in stage.keys(24) {
        let put = client.put(stage.url(0), &key, 1).await?;
        let shard = put.text("shard-id")?.to_owned();
        ensure(layout.members.contains_key(&shard), || format!("shard {shard} of {key} to be one of {layout:?}"))?;
        for url in stage.urls() {
            client.get(&url, &key).await?.must_have("shard-id", shard.as_str())?;
            client.put(&url, &key, 2).await?.must_have("shard-id", shard.as_str())?;
        }
    }
    Ok(())
}

async fn counted_where_it_is(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, urls) = (stage.client(), stage.urls());
    let mut expected: BTreeMap<String, u64> = Layout::key_counts(&client, &urls[0]).await?;
    for (index, key) in stage.keys(40).iter().enumerate() {
        let put = client.put(&urls[index % urls.len()], key, 1).await?;
        *expected.entry(put.text("shard-id")?.to_owned()).or_default() += 1;
    }
    for url in &urls {
        let counts = Layout::key_counts(&client, url).await?;
        ensure(counts == expected, || format!("{expected:?}, got {counts:?} from {url}"))?;
    }
    Ok(())
}
