//! Both sides of a cut go on for the keys that they have, and meet again.

use node_core::Reply;

use super::scene::Scene;
use crate::oracle::{Context, Kind};

/// Contract: an isolated replica accepts reads and writes at once; invariant 9: then all converge.
#[test]
fn an_isolated_replica_must_go_on_and_converge_afterwards() {
    let mut scene = Scene::new(3, Some(1));
    let (mut here, mut there) = (Context::default(), Context::default());
    scene.put(0, "course1", &mut here);
    scene.pass(1_000);
    scene.split(&[2]);
    let (_, replicas) = scene.put(2, "course1", &mut there);
    assert_eq!(replicas, 1, "invariant 6: nobody else has it");
    scene.put(0, "course1", &mut here);
    scene.put(2, "course2", &mut there);
    scene.finds(2, "course2", &mut there);
    scene.pass(10_000);
    scene.put(2, "course3", &mut there);
    scene.heal();
    scene.pass(3_000);
    let one = scene.finds(0, "course1", &mut Context::default());
    let other = scene.finds(2, "course1", &mut Context::default());
    assert_eq!(one, other);
    scene.finish(&[&here, &there]);
}

/// Contract: "keys of other shards: 503 within 1 s".
#[test]
fn an_isolated_node_must_refuse_keys_of_other_shards_in_time() {
    let mut scene = Scene::new(4, Some(2));
    let own =
        scene.run.cluster.nodes[3].core.as_ref().and_then(|core| core.placement().shard_of(crate::cluster::address(3)));
    let foreign = (0..20)
        .map(|number| format!("key{number}"))
        .find(|text| Some(scene.shard_of(text)) != own)
        .expect("a key of the other shard");
    scene.split(&[3]);
    for _ in 0..2 {
        scene.unavailable(3, Kind::Put, &foreign, &Context::default());
        let asked_ms = scene.run.cluster.now_ms;
        scene.unavailable(3, Kind::Get, &foreign, &Context::default());
        let took_ms = scene.run.cluster.now_ms - asked_ms;
        assert!(took_ms <= 1_050, "{took_ms} ms");
        scene.pass(10_000);
    }
    scene.heal();
    scene.finish(&[]);
}

/// The loss of all replicas but one: it serves alone, and within a second.
#[test]
fn the_last_replica_must_serve_alone() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.pass(500);
    scene.crash(1);
    scene.crash(2);
    let asked_ms = scene.run.cluster.now_ms;
    assert!(scene.put(0, "course1", &mut client).0);
    assert!(scene.run.cluster.now_ms - asked_ms <= 1_000);
    scene.finds(0, "course1", &mut client);
    scene.pass(10_000);
    let asked_ms = scene.run.cluster.now_ms;
    scene.put(0, "course2", &mut client);
    assert!(scene.run.cluster.now_ms - asked_ms <= 100, "suspected peers are not waited for");
    scene.start(1);
    scene.start(2);
    scene.finish(&[&client]);
}

/// Rule 1 and invariant 6: what was acknowledged is on the disks.
#[test]
fn acknowledged_writes_must_survive_a_crash_of_all() {
    let mut scene = Scene::new(6, Some(2));
    let mut client = Context::default();
    for number in 0..30 {
        scene.put(number % 6, &format!("key{number}"), &mut client);
    }
    for node in 0..6 {
        scene.crash(node);
    }
    for node in 0..6 {
        scene.start(node);
    }
    scene.eventually(15_000, "all nodes are ready", |scene| (0..6).all(|node| scene.is_ready(node)));
    for number in 0..30 {
        scene.finds((number + 1) % 6, &format!("key{number}"), &mut client);
    }
    scene.finish(&[&client]);
}

/// Messages in one direction only: nothing stale, nothing late, and all is well afterwards.
#[test]
fn a_one_way_cut_must_not_confuse_anybody() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    for (from, to) in [(0, 2), (1, 2)] {
        scene.run.cluster.cut(from, to);
    }
    for number in 0..10 {
        let text = format!("key{}", number % 3);
        scene.put(number % 3, &text, &mut client);
        let reply = scene.get((number + 1) % 3, &text, &mut client);
        assert!(matches!(reply, Reply::Value { .. } | Reply::Unavailable { .. }), "{reply:?}");
        scene.pass(700);
    }
    for (from, to) in [(0, 2), (1, 2)] {
        scene.run.cluster.mend(from, to);
    }
    scene.finish(&[&client]);
}

/// A node that served alone before it met the others is not ready until it is complete: cut off again right then, it
/// answers for what it writes itself, also to who comes with a token that the others have shortened.
#[test]
fn a_ready_replica_must_answer_for_its_own_writes_when_it_is_isolated() {
    let mut scene = Scene::begun_alone(3, None);
    assert_eq!(scene.stats(2).slots_provisional, 0, "a node that is ready among all others is complete");
    let mut client = Context::default();
    for number in 0..5 {
        scene.put(0, &format!("key{number}"), &mut client);
    }
    for node in 0..3 {
        scene.finds(node, "key0", &mut client);
    }
    scene.split(&[2]);
    for number in 0..5 {
        let key = format!("own{number}");
        scene.put(2, &key, &mut client);
        scene.finds(2, &key, &mut client);
    }
    scene.heal();
    scene.finish(&[&client]);
}
