//! Disks that come back empty: copying before answering, provisional service, writes that are gone for ever.

use node_core::{Event, Reply, Request, ShardId, Token, TokenKey};

use super::scene::Scene;
use crate::{
    cluster::address,
    oracle::{Context, Kind},
};

/// A node with an empty disk at a known address copies at once, and never answers 404 for what it has not copied.
#[test]
fn a_wiped_replica_must_copy_all_before_it_answers() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    for number in 0..40 {
        scene.put(number % 3, &format!("key{number}"), &mut client);
    }
    scene.wipe(1);
    scene.pass(2_000);
    scene.start(1);
    for number in 0..40 {
        scene.finds(1, &format!("key{number}"), &mut Context::default());
    }
    scene.eventually(10_000, "the wiped node is ready", |scene| scene.is_ready(1));
    scene.split(&[1]);
    for number in 0..40 {
        scene.finds(1, &format!("key{number}"), &mut Context::default());
    }
    scene.heal();
    scene.finish(&[&client]);
}

/// Rules 3 and 7: who serves although others may have more does not answer those who may know more.
#[test]
fn a_provisional_replica_must_not_answer_a_pruned_token() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    let is_pruned = |context: &Context| Token::decode(&context.token, &TokenKey::new(None)).expect("a token").pruned;
    scene.put(0, "course1", &mut client);
    for _ in 0..10 {
        scene.pass(1_000);
        scene.put(0, "course2", &mut client);
    }
    assert!(is_pruned(&client), "in a healthy cluster what is stable leaves the token");
    scene.wipe(2);
    scene.split(&[2]);
    scene.start(2);
    scene.eventually(20_000, "the node alone serves", |scene| scene.stats(2).slots_provisional > 0);
    scene.misses(2, "course1", &mut Context::default());
    scene.unavailable(2, Kind::Get, "course1", &client);
    let mut alone = Context::default();
    scene.put(2, "course3", &mut alone);
    scene.heal();
    scene.eventually(15_000, "nothing is provisional", |scene| {
        (0..3).all(|node| scene.stats(node).slots_provisional == 0)
    });
    scene.finds(2, "course1", &mut client);
    scene.finish(&[&client, &alone]);
}

/// Rule 12: the only disk came back empty.
#[test]
fn a_write_lost_with_its_disk_must_not_block_its_slot_for_ever() {
    let mut scene = Scene::new(3, Some(1));
    let mut other = Context::default();
    scene.put(0, "course1", &mut other);
    scene.pass(1_000);
    scene.split(&[2]);
    let mut client = Context::default();
    scene.put(2, "course1", &mut client);
    scene.finds(2, "course1", &mut client);
    scene.wipe(2);
    scene.heal();
    scene.unavailable(0, Kind::Get, "course1", &client);
    scene.start(2);
    scene.eventually(15_000, "the node is ready again", |scene| scene.is_ready(2));
    scene.pass(5_000);
    for node in 0..3 {
        scene.finds(node, "course1", &mut client.clone());
    }
    let told = scene.run.cluster.events.iter().filter(|(_, event)| matches!(event, Event::WritesLost { .. })).count();
    assert!(told > 0, "the loss is told");
    assert!((0..3).map(|node| scene.stats(node).writes_lost).sum::<u64>() > 0, "the loss is counted");
    scene.finish(&[&client, &other]);
}

/// Rule 12: the only disk's node was deleted from the view.
#[test]
fn a_write_lost_with_its_node_must_not_block_its_slot_for_ever() {
    let mut scene = Scene::new(4, Some(1));
    let mut other = Context::default();
    scene.put(0, "course1", &mut other);
    scene.pass(1_000);
    scene.split(&[3]);
    let mut client = Context::default();
    scene.put(3, "course1", &mut client);
    scene.crash(3);
    scene.heal();
    scene.pass(8_000);
    scene.unavailable(1, Kind::Get, "course1", &client);
    // It is out of the view already, but its removal says that its disk is not waited for.
    assert_eq!(scene.tell(0, Request::RemoveFromView(address(3))), Reply::NotInView);
    scene.pass(8_000);
    for node in 0..3 {
        scene.finds(node, "course1", &mut client.clone());
    }
    // The disk comes back all the same: then what is on it counts again.
    scene.start(3);
    scene.finish(&[&client, &other]);
}

/// Rule 12: a disk that others have not heard of yet is not a lost one.
#[test]
fn a_write_of_an_unknown_origin_must_not_be_given_up() {
    let mut scene = Scene::new(4, Some(1));
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.pass(1_000);
    scene.wipe(3);
    scene.split(&[0, 3]);
    scene.start(3);
    scene.eventually(2_000, "the node is back", |scene| scene.is_ready(3));
    scene.put(3, "course1", &mut client);
    for _ in 0..3 {
        scene.unavailable(1, Kind::Get, "course1", &client);
    }
    scene.heal();
    scene.pass(3_000);
    scene.finds(1, "course1", &mut client);
    scene.finish(&[&client]);
}

/// Rule 7: when every live node says that it has nothing, an operator's reshard ends the waiting.
#[test]
fn a_reshard_must_revive_a_shard_whose_disks_are_all_gone() {
    let mut scene = Scene::new(4, Some(2));
    let mut client = Context::default();
    for number in 0..20 {
        scene.put(number % 4, &format!("key{number}"), &mut client);
    }
    scene.pass(1_000);
    scene.wipe(0);
    scene.wipe(1);
    scene.start(0);
    scene.start(1);
    scene.pass(15_000);
    scene.done(2, Request::Reshard { shard_count: 2 });
    assert!((0..4).all(|node| scene.is_ready(node)));
    for number in 0..20 {
        scene.get(number % 4, &format!("key{number}"), &mut Context::default());
    }
    scene.finish(&[]);
}

/// Rule 11: an origin of an earlier boot, or of another disk, is never continued.
#[test]
fn dots_must_not_be_used_again_after_crashes() {
    let mut scene = Scene::new(3, Some(1));
    let mut client = Context::default();
    // Slow enough that the others have a write which its origin loses.
    scene.run.cluster.sync_ms = (60, 60);
    for round in 0..9 {
        let node = round % 3;
        scene.begin(node, Kind::Put, "course1", &client);
        scene.pass(30);
        scene.crash(node);
        scene.start(node);
        scene.put(node, "course1", &mut client);
        scene.put((node + 1) % 3, "course1", &mut client);
        scene.pass(1_000);
    }
    scene.finish(&[&client]);
}

/// Rule 12, of a node that lives: it has handed its writes over, and both that took them have lost their disks.
#[test]
fn writes_that_a_live_node_has_handed_over_must_be_given_up_with_the_disks_that_had_them() {
    let mut scene = Scene::new(5, Some(2));
    let text = (0..).map(|number| format!("key{number}")).find(|text| scene.shard_of(text) == ShardId(2));
    let text = text.expect("a key of the second shard");
    let mut client = Context::default();
    scene.put(2, &text, &mut client);
    scene.done(0, Request::AddMember { shard: ShardId(1), address: address(2) });
    scene.wipe(3);
    scene.wipe(4);
    scene.start(3);
    scene.start(4);
    scene.eventually(30_000, "the shard is served again", |scene| scene.is_ready(3) && scene.is_ready(4));
    scene.pass(2_000);
    scene.misses(4, &text, &mut client);
    scene.finish(&[&client]);
}

/// What is stable is known also to nodes that do not hold it. Lost with its disks, it must not keep one of them from completing
/// its copy later, at a time when not every member can be asked.
#[test]
fn a_new_owner_must_not_wait_for_what_was_lost_before() {
    let mut scene = Scene::new(6, Some(2));
    let Reply::NodeShard(Some(shard)) = scene.tell(0, Request::NodeShard) else { panic!("a node without a shard") };
    let Reply::ShardMembers(members) = scene.tell(0, Request::ShardMembers(shard)) else { panic!("no such shard") };
    let (owners, others): (Vec<usize>, Vec<usize>) = (0..6).partition(|node| members.contains(&address(*node)));
    let mut client = Context::default();
    for number in 0..40 {
        scene.put(owners[0], &format!("course{number}"), &mut client);
    }
    scene.pass(2_000);
    for owner in &owners {
        scene.wipe(*owner);
    }
    for owner in &owners {
        scene.start(*owner);
    }
    scene.eventually(20_000, "the empty disks are served", |scene| owners.iter().all(|owner| scene.is_ready(*owner)));
    scene.pass(5_000);
    scene.crash(others[2]);
    scene.pass(5_000);
    let reshard = scene.order(others[0], Request::Reshard { shard_count: 1 });
    scene.eventually(20_000, "all that live have all slots", |scene| {
        (0..6).filter(|node| *node != others[2]).all(|node| scene.stats(node).slots_complete == 256)
    });
    scene.start(others[2]);
    scene.end(reshard, &mut Context::default());
}
