//! Contract, "Starting a node": in any order, seconds apart, and what is answered meanwhile.

use std::time::Duration;

use super::{REPLICAS, agreement::never_wrong, topic};
use crate::{
    Failure, Layout, Reply, Scenario, Stage, ensure, eventually,
    stage::{ALONE_LIMIT, PATIENCE, expect_all, value_of},
};

/// A start that takes longer than this is not "as soon as it listens".
const FIRST_ANSWER_LIMIT: Duration = Duration::from_secs(2);

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("startup");
    vec![
        topic.scenario("nodes without SHARD_COUNT must be one shard of all", &["start-one-shard"], one_shard).strict(),
        topic
            .scenario(
                "nodes that start one by one must answer at once and never wrongly",
                &[
                    "start-any-order",
                    "start-answers-at-once",
                    "start-listens",
                    "put-new",
                    "put-existing",
                    "view-failed-leave",
                ],
                one_by_one,
            )
            .strict()
            .destroys()
            .on(REPLICAS.unstarted()),
    ]
}

async fn one_shard(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    for node in stage.all() {
        let layout = Layout::read(&client, stage.url(node)).await?;
        let shards: Vec<&String> = layout.members.keys().collect();
        ensure(shards.len() == 1, || format!("one shard, got {layout:?}"))?;
        let members = stage.members(&layout, shards[0]);
        ensure(members == stage.all(), || format!("all nodes in it, got {layout:?}"))?;
        let own = client.shard(stage.url(node), "node-shard-id").await?;
        own.must_be(200)?.must_have(client.dialect().node_shard_field(), shards[0].as_str())?;
    }
    Ok(())
}

/// Availability first: alone of three, a replica takes writes; those who come later have them, from their first answer on.
async fn one_by_one(stage: &mut Stage) -> Result<(), Failure> {
    stage.step("the second node starts alone");
    stage.start(1).await?;
    first_answer(stage, 1).await?.must_be(200)?.must_come_within(FIRST_ANSWER_LIMIT)?;
    let (mut client, url, key) = (stage.client(), stage.url(1).to_owned(), stage.key("alone"));
    for operation in ["ids", "node-shard-id"] {
        let reply = client.shard(&url, operation).await?;
        reply.must_be(200)?.must_come_within(FIRST_ANSWER_LIMIT)?;
    }
    eventually(PATIENCE, "a node alone takes a write", || async {
        stage.client().put(&url, &key, 1).await?.must_be(201).map(|_| ())
    })
    .await?;
    client.put(&url, &key, value_of(&key)).await?.must_be(200)?.must_come_within(ALONE_LIMIT)?;
    let mut written = vec![key];
    for (node, started) in [(0, &[0, 1][..]), (2, &[0, 1, 2])] {
        stage.step(format!("node {} starts, and is asked before it can know the others", node + 1));
        stage.start(node).await?;
        first_answer(stage, node).await?.must_be(200)?.must_come_within(FIRST_ANSWER_LIMIT)?;
        never_wrong(stage, &client, node, &written).await?;
        for key in stage.keys_named(&format!("node{node}"), 8) {
            let put = client.put(stage.url(node), &key, value_of(&key)).await?;
            if put.status != 503 {
                put.must_be(201)?;
                written.push(key);
            }
        }
        stage.await_view(started).await?;
    }
    for url in stage.urls() {
        expect_all(&mut client, &url, &written).await?;
    }
    Ok(())
}

/// What a node that has been started says of its view, as soon as it says anything.
pub(in crate::suites) async fn first_answer(stage: &Stage, node: usize) -> Result<Reply, Failure> {
    let client = stage.client();
    eventually(PATIENCE, "the node listens", || client.view(stage.url(node))).await
}
