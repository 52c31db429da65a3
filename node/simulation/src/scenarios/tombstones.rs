//! Deleted keys do not come back, and what remembers them goes away.

use node_core::{Request, ShardId};

use super::scene::Scene;
use crate::{cluster::address, oracle::Context};

fn no_tombstones(scene: &Scene) -> bool {
    (0..scene.run.cluster.nodes.len()).all(|node| scene.stats(node).tombstones == 0)
}

/// Rule 6: in a healthy cluster tombstones are collected.
#[test]
fn tombstones_must_be_collected() {
    let mut scene = Scene::new(4, Some(2));
    let mut client = Context::default();
    for number in 0..20 {
        scene.put(number % 4, &format!("key{number}"), &mut client);
    }
    for number in 0..20 {
        scene.delete((number + 1) % 4, &format!("key{number}"), &mut client);
    }
    scene.eventually(60_000, "no tombstone is left", no_tombstones);
    for number in 0..20 {
        scene.misses(number % 4, &format!("key{number}"), &mut client);
    }
    scene.finish(&[&client]);
}

/// Rule 6 and invariant 11: who was away has not forgotten, so the others must not.
#[test]
fn a_replica_that_was_away_must_not_bring_deleted_keys_back() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    for number in 0..10 {
        scene.put(number % 3, &format!("key{number}"), &mut client);
    }
    scene.pass(2_000);
    scene.crash(2);
    for number in 0..10 {
        scene.delete(number % 2, &format!("key{number}"), &mut client);
    }
    scene.pass(60_000);
    assert!(scene.stats(0).tombstones > 0, "rule 6: not all members are in view");
    scene.start(2);
    scene.pass(5_000);
    for number in 0..10 {
        for node in 0..3 {
            scene.misses(node, &format!("key{number}"), &mut Context::default());
        }
    }
    scene.eventually(60_000, "no tombstone is left", no_tombstones);
    scene.finish(&[&client]);
}

/// Rules 5 and 6: a replica that was removed from the view copies all when it returns, and takes the others' word.
#[test]
fn a_removed_replica_must_not_bring_deleted_keys_back() {
    let mut scene = Scene::new(4, Some(1));
    let mut client = Context::default();
    for number in 0..10 {
        scene.put(number % 4, &format!("key{number}"), &mut client);
    }
    scene.pass(2_000);
    scene.crash(3);
    scene.pass(6_000);
    scene.tell(0, Request::RemoveFromView(address(3)));
    for number in 0..10 {
        scene.delete(number % 3, &format!("key{number}"), &mut client);
    }
    scene.pass(20_000);
    scene.start(3);
    scene.eventually(15_000, "it is ready", |scene| scene.is_ready(3));
    scene.run.cluster.removed[3] = false;
    scene.eventually(60_000, "no tombstone is left", no_tombstones);
    for number in 0..10 {
        for node in 0..4 {
            scene.misses(node, &format!("key{number}"), &mut Context::default());
        }
    }
    scene.finish(&[&client]);
}

/// Rule 4 and invariant 4: the reason of a 404 may be forgotten, but not that what follows comes after it.
#[test]
fn a_404_after_a_collection_must_still_have_a_past() {
    let mut scene = Scene::new(3, Some(1));
    let mut reader = Context::default();
    scene.put(0, "course1", &mut reader);
    let mut deleter = reader.clone();
    scene.run.cluster.nodes[1].clock.jump(3_000_000);
    scene.put(1, "course2", &mut deleter);
    scene.delete(1, "course1", &mut deleter);
    scene.eventually(60_000, "no tombstone is left", no_tombstones);
    scene.misses(0, "course1", &mut reader);
    // Depends, by way of the 404, on the other client's write: it must win.
    scene.put(2, "course2", &mut reader);
    scene.pass(1_000);
    assert_eq!(scene.finds(0, "course2", &mut Context::default()), reader.token);
    scene.put(2, "course3", &mut reader);
    scene.finish(&[&deleter, &reader]);
}

/// Rules 5 and 9: deletions move with their slots.
#[test]
fn a_reshard_must_not_bring_deleted_keys_back() {
    let mut scene = Scene::with_ungrouped(6, 2);
    let mut client = Context::default();
    for number in 0..30 {
        scene.put(number % 7, &format!("key{number}"), &mut client);
    }
    for number in 0..30 {
        if number % 2 == 0 {
            scene.delete(number % 7, &format!("key{number}"), &mut client);
        }
    }
    scene.done(1, Request::Reshard { shard_count: 3 });
    scene.done(1, Request::Reshard { shard_count: 1 });
    for number in 0..30 {
        let text = format!("key{number}");
        if number % 2 == 0 {
            scene.misses((number + 2) % 7, &text, &mut client);
        } else {
            scene.finds((number + 2) % 7, &text, &mut client);
        }
    }
    assert_eq!(scene.tell(3, Request::KeyCount(ShardId(1))), node_core::Reply::KeyCount(15));
    scene.finish(&[&client]);
}
