//! Contract: what happens to shards when their nodes die or hang.

use std::time::Duration;

use tokio::try_join;

use super::{FOUR_IN_TWO, topic};
use crate::{
    Client, Dialect, Failure, Layout, Scenario, Stage, ensure,
    stage::{ALONE_LIMIT, PATIENCE, VIEW_LIMIT, expect_all, fill, put_into_shard, value_of},
    throughout,
};

/// In which a node that returns empty is to hold everything again.
const REFILL_LIMIT: Duration = Duration::from_secs(10);

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("failures");
    let scenarios = vec![
        topic
            .scenario(
                "keys of a hanging node must be served by all others, to clients with long tokens too",
                &["forwarding", "view-failed-leave", "token-32k", "causal"],
                hanging,
            )
            .restores(),
        topic
            .scenario(
                "nodes must stay in their shards when others die, and a dead shard must be 503",
                &["no-self-reshard", "unavailable-503", "key-count"],
                dead_shard,
            )
            .destroys(),
        topic
            .scenario(
                "a node that has just lost all others must answer within a second",
                &["isolated-writes", "isolated-others-503", "put-new", "put-existing", "delete-existing"],
                isolated,
            )
            .destroys(),
        topic
            .scenario(
                "a killed node must be replaced for clients within a second, and by itself when it returns empty",
                &["forwarding", "view-failed-leave", "view-return-empty", "causal-moving"],
                killed_and_returned,
            )
            .destroys(),
        topic
            .scenario(
                "after all nodes were killed and started again every acknowledged write must be there",
                &["kept-on-disk", "causal-moving"],
                all_killed,
            )
            .restores(),
        topic
            .scenario(
                "a rolling stop and start of all nodes must lose nothing",
                &["kept-on-disk", "view-failed-leave", "causal-moving"],
                rolling,
            )
            .restores(),
    ];
    scenarios.into_iter().map(|scenario| scenario.strict().on(FOUR_IN_TWO)).collect()
}

/// A node that hangs is not found out by a closed connection: what is forwarded to it must find another way. While it is
/// away tokens grow.
async fn hanging(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(20));
    fill(&mut client, &stage.urls(), &keys).await?;
    let (away, others) = (1, stage.others(&[1]));
    let urls: Vec<String> = others.iter().map(|node| stage.url(*node).to_owned()).collect();
    stage.pause(away).await?;
    for url in &urls {
        expect_all(&mut client, url, &keys).await?;
    }
    stage.step("before it is detected a write forwarded to it may be 503; afterwards all are done");
    stage.await_view(&others).await?;
    for (index, key) in keys.iter().enumerate() {
        client.put(&urls[index % urls.len()], key, 2).await?.must_succeed()?;
    }
    stage.step("one token of many writes");
    let many = stage.keys_named("many", 150);
    fill(&mut client, &urls, &many).await?;
    expect_all(&mut client, &urls[0], &many).await?;
    stage.resume(away).await?;
    stage.await_view(&stage.all()).await?;
    expect_all(&mut client, stage.url(away), &many).await?;
    stage.await_whole(away, &many, PATIENCE).await
}

/// The living stay where they are, and the one without a shard stays without.
async fn dead_shard(stage: &mut Stage) -> Result<(), Failure> {
    let ungrouped = stage.add().await?;
    stage.await_view_at(&stage.all(), &stage.all(), PATIENCE).await?;
    let mut client = stage.client();
    let before = Layout::read(&client, stage.url(0)).await?;
    let (Some(living), Some(dead)) = (before.shard_of(stage.address(0)), before.shard_of(stage.address(3))) else {
        return Err(Failure::new(format!("every node but the last in a shard, got {before:?}")));
    };
    ensure(living != dead, || format!("the first and the fourth node in two shards, got {before:?}"))?;
    let key = put_into_shard(&mut client, stage.url(0), dead, &stage.key("x")).await?;

    stage.step("one node dies: nobody moves");
    stage.kill(3).await?;
    stage.await_view_at(&stage.others(&[3]), &stage.others(&[3]), PATIENCE).await?;
    let (here, known) = (&*stage, &before);
    throughout(VIEW_LIMIT, || async move {
        for observer in [0, 1, 2, ungrouped] {
            let layout = Layout::read(&here.client(), here.url(observer)).await?;
            for node in [0, 1, 2, ungrouped] {
                let (is, was) = (layout.shard_of(here.address(node)), known.shard_of(here.address(node)));
                ensure(is == was, || format!("node {} to stay in {was:?}, got {layout:?}", node + 1))?;
            }
        }
        Ok(())
    })
    .await?;

    stage.step("so does the other of its shard: its keys are 503");
    let lost = stage.members(&before, dead);
    stage.kill_all(lost.iter().copied().filter(|node| *node != 3)).await?;
    let left = stage.others(&lost);
    for (node, dialect) in left.iter().zip([stage.dialect(), Dialect::Fall2021, stage.dialect()]) {
        let client = stage.client_speaking(dialect).with_token(client.token().cloned().unwrap_or_default());
        unavailable(&client, stage.url(*node), &key).await?;
        count(&client, stage.url(*node), dead, 503).await?;
        count(&client, stage.url(*node), living, 200).await?;
    }
    stage.await_view_at(&left, &left, PATIENCE).await?;
    count(&client, stage.url(left[0]), dead, 503).await
}

/// Every operation is 503, for clients with and without a past; all are asked at once, since each may wait.
async fn unavailable(client: &Client, url: &str, key: &str) -> Result<(), Failure> {
    let [mut reader, mut writer, mut deleter] = [client.clone(), client.clone(), client.clone()];
    let mut stranger = client.without_token();
    let replies =
        try_join!(reader.get(url, key), writer.put(url, key, 1), deleter.delete(url, key), stranger.get(url, key))?;
    for (reply, message) in [
        (replies.0, "Error in GET"),
        (replies.1, "Error in PUT"),
        (replies.2, "Error in DELETE"),
        (replies.3, "Error in GET"),
    ] {
        reply.must_be(503)?.must_have("message", message)?.header("retry-after")?;
        ensure(!reply.text("error")?.is_empty(), || "`error` to say which").map_err(|wrong| wrong.with(&reply))?;
        reply.must_come_within(ALONE_LIMIT)?;
    }
    Ok(())
}

async fn count(client: &Client, url: &str, shard: &str, status: u16) -> Result<(), Failure> {
    client.shard(url, &format!("key-count/{shard}")).await?.must_be(status).map(|_| ())
}

async fn isolated(stage: &mut Stage) -> Result<(), Failure> {
    let (url, mut client) = (stage.url(0).to_owned(), stage.client());
    let layout = Layout::read(&client, &url).await?;
    let own = layout.shard_of(stage.address(0)).unwrap_or_default();
    let other = layout.ids().into_iter().find(|id| *id != own).unwrap_or_default();
    let own_key = put_into_shard(&mut client, &url, own, &stage.key("own")).await?;
    let other_key = put_into_shard(&mut client, &url, other, &stage.key("other")).await?;
    stage.kill_all([1, 2, 3]).await?;
    let mut fresh = stage.client();
    for client in [&mut client, &mut fresh] {
        client.put(&url, &own_key, 2).await?.must_be(200)?.must_come_within(ALONE_LIMIT)?;
        let get = client.get(&url, &own_key).await?;
        get.must_be(200)?.must_have("value", 2)?.must_come_within(ALONE_LIMIT)?;
        client.put(&url, &other_key, 2).await?.must_be(503)?.must_come_within(ALONE_LIMIT)?;
        client.get(&url, &other_key).await?.must_be(503)?.must_come_within(ALONE_LIMIT)?;
    }
    let new = new_key(&mut client, &url, &stage.key("new")).await?;
    client.delete(&url, &new).await?.must_be(200)?.must_come_within(ALONE_LIMIT)?;
    stage.await_view_at(&[0], &[0], PATIENCE).await?;
    new_key(&mut client, &url, &stage.key("later")).await.map(|_| ())
}

/// Puts new keys at an isolated node: 201 for those of its shard, 503 for the others, each within a second. Gives the first
/// that it took.
async fn new_key(client: &mut Client, url: &str, prefix: &str) -> Result<String, Failure> {
    for index in 0..100 {
        let key = format!("{prefix}-{index}");
        let put = client.put(url, &key, 1).await?;
        put.must_come_within(ALONE_LIMIT)?;
        if put.status != 503 {
            put.must_be(201)?;
            return Ok(key);
        }
    }
    Err(Failure::new("one of 100 new keys to be in the node's shard"))
}

/// No wait for detection: the other members of its shard take over at once.
async fn killed_and_returned(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(100));
    fill(&mut client, &stage.urls(), &keys).await?;
    let (victim, others) = (3, stage.others(&[3]));
    let layout = Layout::read(&client, stage.url(0)).await?;
    let shard = layout.shard_of(stage.address(victim)).unwrap_or_default();

    stage.step("it is killed: every other node reads every key at once");
    stage.kill(victim).await?;
    let mut in_shard = Vec::new();
    for key in &keys {
        for node in &others {
            let get = client.get(stage.url(*node), key).await?;
            get.must_be(200)?.must_have("value", value_of(key))?.must_come_within(ALONE_LIMIT)?;
            if *node == others[0] && get.text("shard-id")? == shard {
                in_shard.push(key.clone());
            }
        }
    }
    stage.await_view(&others).await?;

    stage.step("it returns empty: it alone holds every key of its shard");
    stage.restart_empty(victim).await?;
    stage.await_whole(victim, &in_shard, REFILL_LIMIT).await?;
    stage.await_view(&stage.all()).await?;
    let gone = stage.members(&layout, shard);
    stage.kill_all(gone.into_iter().filter(|node| *node != victim)).await?;
    for mut reader in [client.clone(), stage.client()] {
        expect_all(&mut reader, stage.url(victim), &in_shard).await?;
    }
    Ok(())
}

/// Nobody is left who could know better than the disks.
async fn all_killed(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(60));
    fill(&mut client, &stage.urls(), &keys).await?;
    let deleted = stage.key("deleted");
    client.put(stage.url(0), &deleted, 1).await?.must_succeed()?;
    client.delete(stage.url(1), &deleted).await?.must_be(200)?;
    let layout = Layout::read(&client, stage.url(0)).await?;
    let version = client.get(stage.url(0), &keys[0]).await?.text("version")?.to_owned();

    stage.kill_all(stage.all()).await?;
    for node in stage.all() {
        stage.start(node).await?;
    }
    stage.await_view_at(&stage.all(), &stage.all(), PATIENCE).await?;
    for node in stage.all() {
        stage.await_whole(node, &keys, PATIENCE).await?;
        for mut reader in [client.clone(), stage.client()] {
            expect_all(&mut reader, stage.url(node), &keys).await?;
            reader.get(stage.url(node), &deleted).await?.must_miss()?;
        }
        client.get(stage.url(node), &keys[0]).await?.must_have("version", version.as_str())?;
        let now = Layout::read(&client, stage.url(node)).await?;
        ensure(now == layout, || format!("the shards to be as before, {layout:?}, got {now:?}"))?;
    }
    client.put(stage.url(0), &keys[0], value_of(&keys[0])).await?.must_be(200).map(|_| ())
}

/// Each node has what was written while it was away before the next goes.
async fn rolling(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, mut keys) = (stage.client(), stage.keys(30));
    fill(&mut client, &stage.urls(), &keys).await?;
    for node in stage.all() {
        stage.stop(node).await?;
        let others = stage.others(&[node]);
        stage.await_view(&others).await?;
        let more = stage.keys_named(&format!("without{node}-"), 10);
        let urls: Vec<String> = others.iter().map(|node| stage.url(*node).to_owned()).collect();
        fill(&mut client, &urls, &more).await?;
        keys.extend(more);
        stage.start(node).await?;
        stage.await_view_at(&stage.all(), &stage.all(), PATIENCE).await?;
        stage.await_whole(node, &keys, PATIENCE).await?;
    }
    for url in stage.urls() {
        expect_all(&mut client.clone(), &url, &keys).await?;
    }
    Ok(())
}
