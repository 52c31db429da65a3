//! What a write costs must not grow with the nodes that have nothing to do with it.

use node_core::{Reply, Request};

use super::scene::Scene;
use crate::oracle::Context;

const WRITES: usize = 60;
const BETWEEN_MS: u64 = 20;

/// Messages that writes at a node, to its own shard, cause in a cluster of so many shards of three: without the heartbeats.
fn messages_of_writes(shards: u32) -> u64 {
    let mut scene = Scene::new(3 * shards as usize, Some(shards));
    let Reply::NodeShard(Some(own)) = scene.tell(0, Request::NodeShard) else { panic!("a node without a shard") };
    let keys: Vec<String> =
        (0..).map(|number| format!("course{number}")).filter(|text| scene.shard_of(text) == own).take(WRITES).collect();
    scene.pass(2_000);
    let mut context = Context::default();
    let (begun_ms, before) = (scene.run.cluster.now_ms, scene.run.cluster.tally.messages);
    for text in &keys {
        scene.put(0, text, &mut context);
        scene.pass(BETWEEN_MS);
    }
    // All that is still to be said of them.
    scene.pass(1_000);
    let (ended_ms, between) = (scene.run.cluster.now_ms, scene.run.cluster.tally.messages);
    scene.pass(ended_ms - begun_ms);
    let heartbeats = scene.run.cluster.tally.messages - between;
    (between - before).saturating_sub(heartbeats)
}

#[test]
fn a_write_must_not_cost_more_messages_where_there_are_more_shards() {
    let (few, many) = (messages_of_writes(2), messages_of_writes(5));
    assert!(few > 4 * WRITES as u64, "two replicas are sent each write and answer, and there were {few} messages");
    assert!(many <= few + few / 4, "{many} messages in five shards, {few} in two");
}
