//! Wall clocks that are wrong must not matter.

use std::sync::Arc;

use node_core::{Hlc, Reply, Request, Token};

use super::scene::{Scene, key};
use crate::oracle::Context;

const HOUR_MS: i64 = 3_600_000;

/// Invariant 4 and rule 13: last-writer-wins extends causal order whatever the clocks do.
#[test]
fn a_later_write_must_win_whatever_the_clocks_say() {
    let mut scene = Scene::new(3, Some(1));
    scene.run.cluster.nodes[0].clock.jump(HOUR_MS);
    scene.run.cluster.nodes[2].clock.jump(-HOUR_MS);
    let mut client = Context::default();
    for round in 0..9 {
        let node = round % 3;
        scene.put(node, "course1", &mut client);
        let version = client.token.clone();
        for reader in 0..3 {
            assert_eq!(scene.finds(reader, "course1", &mut client.clone()), version);
        }
        if round == 4 {
            scene.run.cluster.nodes[0].clock.jump(-2 * HOUR_MS);
        }
    }
    // Without a token too, for the stored version is a dependency of what replaces it.
    scene.put(2, "course1", &mut Context::default());
    scene.pass(1_000);
    assert_ne!(scene.finds(0, "course1", &mut Context::default()), client.token);
    scene.finish(&[&client]);
}

/// Rule 13: a clock that a deleted key had is not forgotten with its tombstone.
#[test]
fn a_write_after_a_collected_tombstone_must_be_above_it() {
    let mut scene = Scene::new(3, Some(1));
    scene.run.cluster.nodes[0].clock.jump(HOUR_MS);
    let mut client = Context::default();
    scene.put(0, "course1", &mut client);
    scene.delete(0, "course1", &mut client);
    scene.run.cluster.nodes[0].clock.jump(-HOUR_MS);
    scene
        .eventually(60_000, "the tombstone is collected", |scene| (0..3).all(|node| scene.stats(node).tombstones == 0));
    let mut other = Context::default();
    scene.put(2, "course1", &mut other);
    scene.pass(1_000);
    for node in 0..3 {
        scene.finds(node, "course1", &mut client.clone());
    }
    scene.finish(&[&client, &other]);
}

/// Rule 13: one bad token must not push the clocks of all into the future.
#[test]
fn a_token_from_the_far_future_must_be_refused() {
    let mut scene = Scene::new(3, Some(1));
    let wall_ms = scene.run.cluster.nodes[0].clock.now(scene.run.cluster.now_ms).wall_ms;
    let mut token = Token::default();
    token.clock = Hlc::from_wall_ms(wall_ms + 30 * 24 * HOUR_MS as u64);
    let requests = [
        Request::Get { key: key("course1"), token: token.clone() },
        Request::Put { key: key("course1"), value: Arc::from(*b"1"), token: token.clone() },
        Request::Delete { key: key("course1"), token },
    ];
    for request in requests {
        let reply = scene.tell(1, request);
        assert!(matches!(reply, Reply::Invalid { .. }), "{reply:?}");
    }
    scene.finish(&[]);
}
