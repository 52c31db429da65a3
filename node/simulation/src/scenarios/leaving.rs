//! Nodes that stop when they are asked to: those that passed something on to them are answered.

use node_core::Reply;

use super::scene::Scene;
use crate::oracle::{Context, Kind};

/// Writes at the node without a shard, which passes all of them on, to another of the three owners each.
const WRITES: usize = 30;

/// The answers must all be of a write that was taken.
#[track_caller]
fn all_are_taken(scene: &mut Scene, begun: Vec<node_core::RequestId>) {
    for id in begun {
        let reply = scene.end(id, &mut Context::default());
        assert!(matches!(reply, Reply::Written { .. }), "{reply:?}");
    }
}

fn begin_writes(scene: &mut Scene) -> Vec<node_core::RequestId> {
    (0..WRITES).map(|number| scene.begin(3, Kind::Put, &format!("course{number}"), &Context::default())).collect()
}

#[test]
fn what_a_node_was_passed_before_it_leaves_must_be_answered() {
    for after_ms in 0..12 {
        let mut scene = Scene::with_ungrouped(3, 1);
        let begun = begin_writes(&mut scene);
        scene.pass(after_ms);
        scene.leave(0);
        all_are_taken(&mut scene, begun);
        scene.start(0);
        scene.finish(&[]);
    }
}

#[test]
fn a_node_that_has_left_must_be_passed_nothing_at_all() {
    let mut scene = Scene::with_ungrouped(3, 1);
    let mut begun = Vec::new();
    scene.leave_while(0, |scene| begun.extend(begin_writes(scene)));
    all_are_taken(&mut scene, begun);
    scene.start(0);
    scene.finish(&[]);
}
