//! Slots that move: add-member, reshard, both at once, with nodes dying on the way.

use node_core::{Address, Key, Placement, PlacementId, Reply, Request, ShardId};

use super::scene::{Scene, key};
use crate::{
    client::Clients,
    cluster::address,
    oracle::{Context, Kind},
    random::Random,
};

fn filled(scene: &mut Scene, client: &mut Context, keys: usize) {
    for number in 0..keys {
        let node = number % scene.run.cluster.nodes.len();
        scene.put(node, &format!("key{number}"), client);
    }
}

fn placement(scene: &Scene, node: usize) -> Option<PlacementId> {
    Some(scene.run.cluster.nodes[node].core.as_ref()?.placement().id())
}

/// Contract: "answered when the node is a member and holds the shard's keys".
#[test]
fn add_member_must_be_answered_only_when_the_node_has_the_data() {
    let mut scene = Scene::with_ungrouped(4, 2);
    let mut client = Context::default();
    filled(&mut scene, &mut client, 40);
    scene.done(2, Request::AddMember { shard: ShardId(1), address: address(4) });
    assert_eq!(scene.tell(4, Request::NodeShard), Reply::NodeShard(Some(ShardId(1))));
    scene.split(&[4]);
    for text in (0..40).map(|number| format!("key{number}")) {
        if scene.shard_of(&text) == ShardId(1) {
            scene.finds(4, &text, &mut Context::default());
        }
    }
    scene.heal();
    scene.finish(&[&client]);
}

#[test]
fn add_member_must_refuse_what_makes_no_sense() {
    let mut scene = Scene::with_ungrouped(4, 2);
    let stranger = address(9);
    assert_eq!(scene.tell(1, Request::AddMember { shard: ShardId(1), address: stranger }), Reply::NotInView);
    assert_eq!(scene.tell(1, Request::AddMember { shard: ShardId(1), address: address(0) }), Reply::AlreadyThere);
    assert_eq!(scene.tell(3, Request::AddMember { shard: ShardId(7), address: address(4) }), Reply::NoSuchShard);
    assert_eq!(scene.tell(4, Request::AddMember { shard: ShardId(1), address: address(2) }), Reply::NotEnoughNodes);
    assert_eq!(scene.tell(4, Request::Reshard { shard_count: 3 }), Reply::NotEnoughNodes);
    assert_eq!(scene.tell(4, Request::KeyCount(ShardId(3))), Reply::NoSuchShard);
    assert_eq!(scene.tell(4, Request::ShardMembers(ShardId(3))), Reply::NoSuchShard);
    scene.finish(&[]);
}

/// Contract: reads and writes are served during a reshard; and invariant 9 after it.
#[test]
fn a_reshard_must_not_disturb_clients() {
    let mut scene = Scene::with_ungrouped(6, 2);
    let mut client = Context::default();
    filled(&mut scene, &mut client, 60);
    let keys: Vec<Key> = (0..60).map(|number| key(&format!("key{number}"))).collect();
    scene.run.clients = Clients::start(&mut scene.run.cluster, 20, keys, Random::new(2));
    scene.pass(4_000);
    for shard_count in [3, 1, 2] {
        scene.done(5, Request::Reshard { shard_count });
        let counted = scene.tell(0, Request::ShardIds);
        assert_eq!(counted, Reply::ShardIds((1..=shard_count).map(ShardId).collect()));
        scene.pass(500);
    }
    scene.run.clients.stopped = true;
    scene.pass(4_000);
    let contexts: Vec<Context> = scene.run.clients.contexts().cloned().collect();
    let unavailable = scene.run.replies.get("unavailable");
    assert_eq!(unavailable, None, "no client was refused: {:?}", scene.run.replies);
    let contexts: Vec<&Context> = contexts.iter().collect();
    scene.finish(&contexts);
}

/// The coordinator may die at any point.
#[test]
fn a_reshard_must_survive_the_death_of_its_coordinator() {
    for after_ms in [2, 5, 8, 12, 20, 40, 80, 160, 320, 640] {
        let mut scene = Scene::new(6, Some(2));
        let mut client = Context::default();
        filled(&mut scene, &mut client, 30);
        scene.order(0, Request::Reshard { shard_count: 3 });
        scene.pass(after_ms);
        scene.crash(0);
        scene.pass(9_000);
        for number in 0..30 {
            scene.finds(1 + number % 5, &format!("key{number}"), &mut client);
        }
        let first = placement(&scene, 1);
        assert!((2..6).all(|node| placement(&scene, node) == first), "one placement after {after_ms} ms");
        scene.start(0);
        scene.finish(&[&client]);
    }
}

/// Contract: not finished within 60 s, it is 503 that says how far it is, and goes on in the background.
#[test]
fn a_reshard_that_is_not_done_in_time_must_say_so_and_go_on() {
    let mut scene = Scene::new(6, Some(2));
    let mut client = Context::default();
    filled(&mut scene, &mut client, 30);
    // The last node is heard, so it is up; but it hears nobody, so it cannot do its part.
    for node in 0..5 {
        scene.run.cluster.cut(node, 5);
    }
    let Reply::Unavailable { reason } = scene.tell(0, Request::Reshard { shard_count: 3 }) else {
        panic!("a reshard that is not done")
    };
    assert_eq!(reason, "5 of 6 live nodes have the new placement");
    for node in 0..5 {
        scene.run.cluster.mend(node, 5);
    }
    scene.eventually(5_000, "the last node has the new placement too", |scene| {
        placement(scene, 5) == placement(scene, 0)
    });
    for number in 0..30 {
        scene.finds(number % 6, &format!("key{number}"), &mut client);
    }
    scene.finish(&[&client]);
}

/// One placement loses, its data does not.
#[test]
fn two_reshards_on_two_sides_of_a_partition_must_merge() {
    let mut scene = Scene::new(6, Some(2));
    let (mut left, mut right) = (Context::default(), Context::default());
    filled(&mut scene, &mut left, 40);
    right.clone_from(&left);
    scene.pass(1_000);
    // Each side has members of both shards.
    scene.split(&[0, 1, 3]);
    scene.pass(9_000);
    let one = scene.order(0, Request::Reshard { shard_count: 1 });
    let other = scene.order(5, Request::Reshard { shard_count: 1 });
    for number in 0..40 {
        let text = format!("key{number}");
        scene.ask([0, 1, 3][number % 3], Kind::Put, &text, &mut left);
        scene.ask([2, 4, 5][number % 3], Kind::Put, &text, &mut right);
    }
    let one = scene.end(one, &mut Context::default());
    let other = scene.end(other, &mut Context::default());
    assert_eq!((one, other), (Reply::Done, Reply::Done));
    scene.heal();
    scene.finish(&[&left, &right]);
}

/// Reshard counts only nodes that are up, and may keep the count to replace the dead.
#[test]
fn a_reshard_to_the_same_count_must_replace_a_dead_member() {
    let mut scene = Scene::with_ungrouped(6, 2);
    let mut client = Context::default();
    filled(&mut scene, &mut client, 30);
    scene.pass(1_000);
    scene.crash(1);
    scene.eventually(5_000, "the dead node is out of the view", |scene| scene.stats(0).view == 6);
    scene.done(3, Request::Reshard { shard_count: 2 });
    let Reply::ShardMembers(members) = scene.tell(3, Request::ShardMembers(ShardId(1))) else { panic!("members") };
    assert_eq!(members, [address(0), address(2), address(6)]);
    for number in 0..30 {
        scene.finds(6, &format!("key{number}"), &mut client);
    }
    scene.start(1);
    scene.finish(&[&client]);
}

/// Rule 11: a slot that goes away and comes back is written to under a fresh origin.
#[test]
fn dots_must_not_be_used_again_when_a_slot_comes_back() {
    let mut scene = Scene::new(6, Some(2));
    let mut client = Context::default();
    for shard_count in [3, 2, 1, 3, 2] {
        for number in 0..48 {
            scene.put(number % 6, &format!("key{number}"), &mut client);
        }
        scene.done(0, Request::Reshard { shard_count });
    }
    filled(&mut scene, &mut client, 48);
    scene.finish(&[&client]);
}

/// Rule 11, where it matters most: given a slot back, the node is cut off before it has copied it, and writes (rule 15).
#[test]
fn a_slot_given_back_to_a_node_that_is_cut_off_must_have_a_fresh_origin() {
    let mut scene = Scene::new(6, Some(2));
    let live: Vec<Address> = (0..6).map(address).collect();
    let made = |placement: &Placement, count| placement.reshard(count, &live, live[0]).expect("there are nodes enough");
    let first = scene.run.cluster.nodes[0].core.as_ref().map(|core| core.placement().clone()).expect("node1 is up");
    let second = made(&first, 3);
    let third = made(&second, 2);
    let owns = |placement: &Placement, text: &str| placement.owners(key(text).slot()).contains(&live[0]);
    let text = (0..200)
        .map(|number| format!("key{number}"))
        .find(|text| owns(&first, text) && !owns(&second, text) && owns(&third, text))
        .expect("a key that goes away and comes back");
    let (mut client, mut alone) = (Context::default(), Context::default());
    for _ in 0..3 {
        scene.put(0, &text, &mut client);
    }
    scene.done(0, Request::Reshard { shard_count: 3 });
    scene.order(5, Request::Reshard { shard_count: 2 });
    let before = placement(&scene, 0);
    while placement(&scene, 0) == before {
        scene.pass(1);
    }
    scene.split(&[0]);
    scene.pass(3_000);
    for _ in 0..2 {
        scene.ask(0, Kind::Put, &text, &mut alone);
    }
    scene.heal();
    scene.pass(3_000);
    scene.finds(3, &text, &mut client);
    scene.finish(&[&client, &alone]);
}

/// Rule 9: a former owner that was away keeps what only it has until the owners have it.
#[test]
fn a_former_owner_that_comes_back_must_drain() {
    let mut scene = Scene::new(6, Some(2));
    let mut client = Context::default();
    filled(&mut scene, &mut client, 20);
    scene.pass(1_000);
    scene.split(&[2]);
    let mut alone = Context::default();
    let own: Vec<String> =
        (0..20).map(|number| format!("key{number}")).filter(|text| scene.shard_of(text) == ShardId(1)).collect();
    for text in &own {
        scene.put(2, text, &mut alone);
    }
    scene.crash(2);
    scene.heal();
    scene.pass(8_000);
    scene.done(4, Request::Reshard { shard_count: 2 });
    scene.start(2);
    scene.pass(10_000);
    assert_eq!(scene.stats(2).slots_draining, 0);
    for text in &own {
        scene.finds(5, text, &mut alone);
    }
    scene.finish(&[&client, &alone]);
}

/// Requests for placements while one is under way.
#[test]
fn a_storm_of_reshards_must_end_in_one_placement() {
    let mut scene = Scene::with_ungrouped(6, 2);
    let mut client = Context::default();
    filled(&mut scene, &mut client, 30);
    let orders: Vec<_> = [(0, 3), (1, 1), (2, 2), (3, 3), (6, 1), (5, 2)]
        .iter()
        .map(|(node, shard_count)| scene.order(*node, Request::Reshard { shard_count: *shard_count }))
        .collect();
    let joined = scene.order(4, Request::AddMember { shard: ShardId(1), address: address(6) });
    for id in orders.into_iter().chain([joined]) {
        let reply = scene.end(id, &mut Context::default());
        let told = matches!(reply, Reply::Done | Reply::AlreadyThere | Reply::Unavailable { .. });
        assert!(told, "one that was overtaken says so: {reply:?}");
    }
    for number in 0..30 {
        scene.finds(number % 7, &format!("key{number}"), &mut client);
    }
    scene.finish(&[&client]);
}

/// Invariant 7: while a member of the new shard is removed, one disk is all that would be left.
#[test]
fn a_former_owner_must_keep_its_data_until_two_owners_have_it() {
    let mut scene = Scene::new(6, Some(2));
    let text = (0..).map(|number| format!("key{number}")).find(|text| scene.shard_of(text) == ShardId(2));
    let text = text.expect("a key of the second shard");
    scene.split(&[3]);
    let mut client = Context::default();
    assert_eq!(scene.put(4, &text, &mut client).1, 2);
    scene.order(0, Request::AddMember { shard: ShardId(1), address: address(5) });
    scene.pass(500);
    scene.done(0, Request::RemoveFromView(address(3)));
    scene.pass(3_000);
    scene.wipe(4);
    scene.heal();
    scene.start(4);
    scene.done(0, Request::AddToView(address(3)));
    scene.eventually(30_000, "the shard is served again", |scene| scene.is_ready(3) && scene.is_ready(4));
    scene.finds(4, &text, &mut client);
    scene.finish(&[&client]);
}
