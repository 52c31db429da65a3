//! Disks that were replaced while others could not hear of it: what those still believe must not shorten tokens.

use super::scene::Scene;
use crate::oracle::{Context, Kind};

const HOUR_MS: i64 = 3_600_000;
/// Between two tries.
const STEP_MS: u64 = 10;
const STEPS: usize = 60;

/// Clients that know `client`'s past write again and again while news arrives: the checks of every reply look at what their
/// tokens lost.
fn write_while_news_arrives(scene: &mut Scene, nodes: &[usize], client: &Context) {
    for _ in 0..STEPS {
        for node in nodes {
            scene.begin(*node, Kind::Put, "course2", client);
        }
        scene.pass(STEP_MS);
    }
}

/// Rule 2: the old disk had the write, the new one copied from who had it not yet.
#[test]
fn a_write_must_not_become_stable_by_the_word_of_a_disk_that_was_replaced() {
    let mut scene = Scene::new(4, Some(1));
    scene.split(&[0]);
    let mut client = Context::default();
    scene.put(1, "course1", &mut client);
    scene.pass(2_000);
    scene.wipe(1);
    scene.heal();
    scene.split(&[0, 1]);
    scene.start(1);
    scene.eventually(30_000, "the new disk has a copy", |scene| scene.is_ready(1));
    scene.pass(2_000);
    scene.heal();
    scene.split(&[1]);
    scene.run.cluster.without_pings = vec![0];
    write_while_news_arrives(&mut scene, &[2, 3], &client);
    scene.run.cluster.without_pings.clear();
    scene.heal();
    scene.finish(&[&client]);
}

/// Rule 10: who was restarted meanwhile has not heard of the old disk, and whoever has takes the new one for older.
#[test]
fn a_new_disk_with_a_slow_clock_must_not_be_taken_for_the_one_it_replaced() {
    let mut scene = Scene::new(3, Some(1));
    scene.split(&[1]);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.pass(2_000);
    scene.wipe(0);
    scene.run.cluster.nodes[0].clock.jump(-HOUR_MS);
    scene.heal();
    scene.split(&[2]);
    scene.crash(1);
    scene.start(1);
    scene.start(0);
    scene.eventually(30_000, "the new disk has a copy", |scene| scene.is_ready(0));
    scene.pass(2_000);
    scene.crash(0);
    scene.heal();
    write_while_news_arrives(&mut scene, &[1, 2], &client);
    scene.start(0);
    scene.finish(&[&client]);
}

/// What the owners of a slot had deleted is not known on a new disk: a write there may lose against it or stand, but the same
/// everywhere.
#[test]
fn a_write_at_a_new_disk_must_not_divide_the_replicas_that_collected_a_deletion() {
    let mut scene = Scene::new(3, Some(1));
    scene.run.cluster.nodes[0].clock.jump(HOUR_MS);
    let mut deleter = Context::default();
    scene.put(0, "course1", &mut deleter);
    scene.delete(0, "course1", &mut deleter);
    scene
        .eventually(60_000, "the tombstone is collected", |scene| (0..3).all(|node| scene.stats(node).tombstones == 0));
    scene.wipe(1);
    scene.split(&[1]);
    scene.start(1);
    let mut client = Context::default();
    scene.put(1, "course1", &mut client);
    scene.heal();
    scene.finish(&[&client]);
}
