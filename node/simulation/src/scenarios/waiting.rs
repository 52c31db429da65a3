//! Reads wait for what the token names; a 404 has a past; a DELETE decides existence.

use node_core::{Dot, Origin, Reply, Request, ShardId, Token};

use super::scene::{Scene, key};
use crate::{
    cluster::address,
    oracle::{Context, Kind},
};

#[test]
fn a_fresh_cluster_must_become_ready_and_serve() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    for node in 0..3 {
        let text = format!("course{node}");
        let (replaced, replicas) = scene.put(node, &text, &mut client);
        assert!(!replaced);
        assert!(replicas >= 2, "invariant 6: a healthy cluster acknowledges from two replicas");
        for reader in 0..3 {
            scene.finds(reader, &text, &mut client);
            scene.pass(50);
            scene.finds(reader, &text, &mut Context::default());
        }
    }
    assert!(scene.put(1, "course0", &mut client).0);
    scene.delete(2, "course0", &mut client);
    scene.misses(0, "course0", &mut client);
    assert_eq!(scene.tell(0, Request::NodeShard), Reply::NodeShard(Some(ShardId(1))));
    assert_eq!(scene.view(2), [address(0), address(1), address(2)]);
    scene.finish(&[&client]);
}

/// Assignment 3: no shard count anywhere is one shard of all nodes.
#[test]
fn nodes_without_a_shard_count_must_form_one_shard() {
    let mut scene = Scene::new(3, None);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.finds(2, "course1", &mut client);
    assert_eq!(scene.tell(1, Request::ShardIds), Reply::ShardIds(vec![ShardId(1)]));
    scene.finish(&[&client]);
}

/// Invariant 3: the token decides, not the replica.
#[test]
fn a_read_at_a_replica_that_missed_the_write_must_wait_for_it() {
    let mut scene = Scene::new(3, Some(1));
    scene.split(&[2]);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.unavailable(2, Kind::Get, "course1", &client);
    let waiting = scene.begin(2, Kind::Get, "course1", &client);
    scene.pass(500);
    scene.heal();
    let reply = scene.end(waiting, &mut client);
    assert!(matches!(reply, Reply::Value { .. }), "{reply:?}");
    scene.finish(&[&client]);
}

/// Contract, fact 3: the token is caught up with before 200 or 201 is decided.
#[test]
fn a_write_at_a_replica_that_missed_the_key_must_say_updated() {
    let mut scene = Scene::new(3, Some(1));
    scene.split(&[2]);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.pass(8_000);
    scene.heal();
    assert!(scene.put(2, "course1", &mut client).0, "the client knows of the key");
    scene.finish(&[&client]);
}

/// Rule 14.
#[test]
fn a_delete_at_an_uncovered_replica_must_be_503_and_never_404() {
    let mut scene = Scene::new(3, Some(1));
    scene.split(&[2]);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.unavailable(2, Kind::Delete, "course1", &client);
    scene.pass(8_000);
    scene.unavailable(2, Kind::Delete, "course1", &client);
    scene.heal();
    scene.pass(3_000);
    scene.delete(2, "course1", &mut client);
    scene.finish(&[&client]);
}

/// Rule 4: who has read of a deletion never reads the value again, at any replica.
#[test]
fn a_404_must_carry_the_deletion_in_its_token() {
    let mut scene = Scene::new(3, Some(1));
    let mut writer = Context::default();
    scene.put(0, "course1", &mut writer);
    scene.pass(2_000);
    scene.split(&[2]);
    scene.delete(0, "course1", &mut writer);
    let mut reader = Context::default();
    scene.misses(1, "course1", &mut reader);
    // Tokenless it is still there; for the reader of the deletion it is not.
    scene.finds(2, "course1", &mut Context::default());
    scene.unavailable(2, Kind::Get, "course1", &reader);
    scene.heal();
    scene.pass(3_000);
    scene.misses(2, "course1", &mut reader);
    scene.finish(&[&writer, &reader]);
}

/// Rule 4, for DELETE: its 404 is a read too.
#[test]
fn a_404_to_a_delete_must_carry_the_deletion_in_its_token() {
    let mut scene = Scene::new(3, Some(1));
    let mut writer = Context::default();
    scene.put(0, "course1", &mut writer);
    scene.pass(2_000);
    scene.split(&[2]);
    scene.delete(0, "course1", &mut writer);
    let mut other = Context::default();
    let reply = scene.ask(1, Kind::Delete, "course1", &mut other);
    assert!(matches!(reply, Reply::Missing { .. }), "{reply:?}");
    scene.unavailable(2, Kind::Get, "course1", &other);
    scene.heal();
    scene.finish(&[&writer, &other]);
}

/// Contract: requests for keys of other shards go to a member, and come back with its answer.
#[test]
fn any_node_must_answer_for_every_shard() {
    let mut scene = Scene::with_ungrouped(6, 2);
    let mut client = Context::default();
    for number in 0..20 {
        let text = format!("key{number}");
        scene.put(number % 7, &text, &mut client);
        scene.finds((number + 3) % 7, &text, &mut client);
    }
    assert_eq!(scene.tell(6, Request::NodeShard), Reply::NodeShard(None));
    scene.finish(&[&client]);
}

/// A replica without room takes no writes, goes on with reads, and catches up when it has room, also when the others were out
/// of reach for a while.
#[test]
fn a_replica_without_room_must_refuse_writes_and_catch_up_later() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.pass(500);
    scene.set_space(0, false);
    scene.unavailable(0, Kind::Put, "course1", &client);
    scene.unavailable(0, Kind::Delete, "course1", &client);
    scene.finds(0, "course1", &mut client);
    let (_, replicas) = scene.put(1, "course2", &mut client);
    assert_eq!(replicas, 2, "the two replicas with room have it");
    scene.pass(500);
    scene.split(&[0]);
    scene.set_space(0, true);
    scene.pass(2_000);
    scene.heal();
    scene.finish(&[&client]);
}

/// A token that nobody can satisfy, of so many entries.
fn of_nobody(entries: u64) -> Token {
    let mut token = Token::default();
    for uuid in 0..entries {
        token.observe(Dot { slot: key("course1").slot(), origin: Origin { uuid, epoch: 1 }, seq: 1 });
    }
    token
}

/// Asks one of three nodes for `count` reads with such a token at once, and for a write while they wait. Says how many reads were
/// refused for want of room, and how the write was answered.
fn reads_at_once(count: usize, token: &Token) -> (usize, Reply) {
    let mut scene = Scene::new(3, Some(1));
    scene.split(&[2]);
    let reads: Vec<_> =
        (0..count).map(|_| scene.order(0, Request::Get { key: key("course1"), token: token.clone() })).collect();
    scene.pass(10);
    let write = scene.ask(0, Kind::Put, "course1", &mut Context::default());
    let mut refused = 0;
    for id in reads {
        match scene.end(id, &mut Context::default()) {
            Reply::Unavailable { reason } => refused += usize::from(reason.contains("too many requests")),
            other => scene.fail(None, &format!("a read was answered {other:?}")),
        }
    }
    scene.put(0, "course1", &mut Context::default());
    scene.heal();
    scene.finish(&[]);
    (refused, write)
}

#[test]
fn reads_that_wait_must_leave_room_up_to_ten_thousand() {
    let (refused, write) = reads_at_once(9_999, &of_nobody(1));
    assert!(refused == 0 && matches!(write, Reply::Written { .. }), "{refused} refused, {write:?}");
    let (refused, write) = reads_at_once(10_100, &of_nobody(1));
    assert!(refused == 100 && matches!(write, Reply::Unavailable { .. }), "{refused} refused, {write:?}");
}

#[test]
fn the_tokens_of_reads_that_wait_must_be_bounded_together() {
    // Some 240 KB each: 64 MiB are about 280 of them.
    let (refused, _) = reads_at_once(500, &of_nobody(5_000));
    assert!((200..300).contains(&refused), "{refused}");
}

#[test]
fn a_read_among_thousands_that_wait_must_be_answered() {
    let mut scene = Scene::new(4, Some(1));
    // While a node is away nobody can say that the write of the others does not exist.
    scene.crash(3);
    scene.split(&[2]);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    let hopeless = Request::Get { key: key("course1"), token: of_nobody(1) };
    for _ in 0..9_000 {
        scene.order(2, hopeless.clone());
    }
    let waiting = scene.begin(2, Kind::Get, "course1", &client);
    scene.pass(200);
    scene.heal();
    let healed_ms = scene.run.cluster.now_ms;
    let reply = scene.end(waiting, &mut client);
    assert!(matches!(reply, Reply::Value { .. }), "{reply:?}");
    let after_ms = scene.run.cluster.now_ms - healed_ms;
    assert!(after_ms < 1_500, "answered {after_ms} ms after it could be");
    scene.start(3);
    scene.finish(&[&client]);
}
