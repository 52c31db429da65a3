//! The view: what is up, what was removed, what comes back.

use node_core::{Reply, Request, ShardId};

use super::scene::Scene;
use crate::{cluster::address, oracle::Context};

/// Contract: "detected failures leave it without anyone asking (in ≤ 5 s), returning nodes come back into it".
#[test]
fn a_dead_node_must_leave_every_view_and_come_back() {
    let mut scene = Scene::new(4, Some(2));
    scene.crash(3);
    scene.eventually(5_000, "it is out of every view", |scene| (0..3).all(|node| scene.stats(node).view == 3));
    assert!(!scene.sees(0, 3));
    scene.start(3);
    scene.eventually(5_000, "it is in every view", |scene| (0..4).all(|node| scene.stats(node).view == 4));
    scene.finish(&[]);
}

/// Contract: "Within 5 s every other node's view must contain it."
#[test]
fn an_ungrouped_node_must_enter_every_view() {
    let mut scene = Scene::with_ungrouped(6, 2);
    scene.eventually(5_000, "all seven are in every view", |scene| (0..7).all(|node| scene.stats(node).view == 7));
    assert_eq!(scene.tell(6, Request::NodeShard), Reply::NodeShard(None));
    assert_eq!(scene.tell(0, Request::AddToView(address(6))), Reply::AlreadyThere);
    scene.finish(&[]);
}

/// Contract: "Nodes start in any order, seconds apart": nobody asked for the placement of a node without `SHARD_COUNT`.
#[test]
fn an_ungrouped_node_that_starts_long_before_the_others_must_stay_ungrouped() {
    let mut scene = Scene::with_ungrouped(6, 2);
    for node in 0..7 {
        scene.wipe(node);
    }
    scene.start(6);
    scene.pass(3_000);
    for node in 0..6 {
        scene.start(node);
        scene.pass(200);
    }
    scene.eventually(10_000, "all are ready", |scene| (0..7).all(|node| scene.is_ready(node)));
    scene.eventually(5_000, "all have two shards", |scene| {
        let shards =
            |node: usize| scene.run.cluster.nodes[node].core.as_ref().map(|core| core.placement().shards().len());
        (0..7).all(|node| shards(node) == Some(2))
    });
    assert_eq!(scene.tell(6, Request::NodeShard), Reply::NodeShard(None));
    scene.finish(&[]);
}

#[test]
fn a_removed_live_node_must_stay_out_until_it_is_added() {
    let mut scene = Scene::new(4, Some(1));
    let mut client = Context::default();
    scene.put(3, "course1", &mut client);
    scene.done(0, Request::RemoveFromView(address(3)));
    scene.eventually(5_000, "it is out of every view", |scene| (0..3).all(|node| scene.stats(node).view == 3));
    assert_eq!(scene.tell(1, Request::RemoveFromView(address(3))), Reply::NotInView);
    for _ in 0..10 {
        scene.pass(2_000);
        assert!((0..3).all(|node| scene.stats(node).view == 3), "the failure detector does not bring it back");
    }
    // It forwards.
    scene.finds(3, "course1", &mut client);
    scene.put(3, "course2", &mut client);
    scene.done(1, Request::AddToView(address(3)));
    scene.eventually(5_000, "it is in every view", |scene| (0..4).all(|node| scene.stats(node).view == 4));
    assert_eq!(scene.tell(2, Request::AddToView(address(3))), Reply::AlreadyThere);
    scene.run.cluster.removed[3] = false;
    scene.finish(&[&client]);
}

#[test]
fn a_removed_node_must_be_back_when_it_starts_again() {
    for wiped in [false, true] {
        let mut scene = Scene::new(4, Some(1));
        let mut client = Context::default();
        for number in 0..20 {
            scene.put(number % 4, &format!("key{number}"), &mut client);
        }
        scene.done(0, Request::RemoveFromView(address(3)));
        scene.pass(3_000);
        if wiped {
            scene.wipe(3);
        } else {
            scene.crash(3);
        }
        scene.delete(0, "key1", &mut client);
        scene.pass(6_000);
        scene.start(3);
        scene.eventually(10_000, "it is in every view, and ready", |scene| {
            (0..4).all(|node| scene.stats(node).view == 4 && scene.is_ready(node))
        });
        scene.run.cluster.removed[3] = false;
        scene.split(&[3]);
        scene.finds(3, "key2", &mut client.clone());
        scene.misses(3, "key1", &mut Context::default());
        scene.heal();
        scene.finish(&[&client]);
    }
}

/// A node that was down when it was removed: the members are told once it asks.
#[test]
fn a_dead_node_that_was_removed_must_be_back_when_it_starts_again() {
    let mut scene = Scene::new(4, Some(2));
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.crash(3);
    scene.eventually(5_000, "it is out of the view", |scene| scene.stats(0).view == 3);
    assert!(matches!(scene.tell(0, Request::RemoveFromView(address(3))), Reply::Done | Reply::NotInView));
    scene.pass(3_000);
    scene.start(3);
    scene.eventually(8_000, "it is in every view", |scene| (0..4).all(|node| scene.stats(node).view == 4));
    scene.run.cluster.removed[3] = false;
    scene.finish(&[&client]);
}

/// Contract: the count is asked of any node, and exact.
#[test]
fn a_shard_without_live_members_must_not_be_counted() {
    let mut scene = Scene::new(4, Some(2));
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.crash(2);
    scene.crash(3);
    scene.pass(6_000);
    let reply = scene.tell(0, Request::KeyCount(ShardId(2)));
    assert!(matches!(reply, Reply::Unavailable { .. }), "{reply:?}");
    let reply = scene.tell(1, Request::KeyCount(ShardId(1)));
    assert!(matches!(reply, Reply::KeyCount(_)), "{reply:?}");
    scene.start(2);
    scene.start(3);
    scene.finish(&[&client]);
}

/// Found by a seed: what a removed node has is not taken while it is removed, and it does not announce it once more when it
/// is taken back.
#[test]
fn a_removed_node_that_owns_nothing_any_more_must_still_hand_over_what_only_it_has() {
    let mut scene = Scene::new(4, Some(1));
    let mut client = Context::default();
    scene.split(&[3]);
    scene.pass(1_000);
    let (_, replicas) = scene.put(3, "course1", &mut client);
    assert_eq!(replicas, 1);
    scene.done(0, Request::RemoveFromView(address(3)));
    scene.heal();
    scene.pass(2_000);
    scene.done(0, Request::Reshard { shard_count: 1 });
    scene.pass(2_000);
    scene.done(0, Request::AddToView(address(3)));
    scene.eventually(10_000, "it has handed over", |scene| scene.stats(3).slots_draining == 0);
    scene.finds(1, "course1", &mut client);
    scene.finish(&[&client]);
}
