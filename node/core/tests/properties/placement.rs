//! [`Placement`]: lawful whatever is asked (invariant 8), and no more movement than needed.

use std::collections::BTreeSet;

use node_core::{Address, Placement, PlacementError, SLOTS, ShardId, SlotId};
use proptest::{collection::vec, prelude::*};

fn address(node: u8) -> Address {
    Address::from(([10, 10, 0, node + 2], 8080))
}

/// What an operator asks of a placement.
#[derive(Clone, Debug)]
enum Step {
    Reshard { shard_count: u32, live: Vec<Address> },
    Join { shard: ShardId, node: Address, live: Vec<Address> },
}

fn live() -> impl Strategy<Value = Vec<Address>> {
    prop::sample::subsequence((0u8..10).collect::<Vec<_>>(), 0..10)
        .prop_map(|nodes| nodes.into_iter().map(address).collect())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let reshard = (1u32..5, live()).prop_map(|(shard_count, live)| Step::Reshard { shard_count, live });
    let join = (1u32..5, 0u8..10, live()).prop_map(|(shard, node, live)| Step::Join {
        shard: ShardId(shard),
        node: address(node),
        live,
    });
    vec(prop_oneof![reshard, join], 0..6)
}

fn bootstraps() -> impl Strategy<Value = Placement> {
    (2u8..8).prop_flat_map(|nodes| (Just(nodes), proptest::option::of(1u32..=u32::from(nodes) / 2))).prop_map(
        |(nodes, shard_count)| {
            let view: Vec<Address> = (0..nodes).map(address).collect();
            Placement::bootstrap(&view, shard_count)
        },
    )
}

fn apply(placement: &Placement, step: &Step) -> Result<Placement, PlacementError> {
    match step {
        Step::Reshard { shard_count, live } => placement.reshard(*shard_count, live, address(0)),
        Step::Join { shard, node, live } => placement.with_member(*shard, *node, live, address(0)),
    }
}

/// Invariant 8, and each node in at most one shard.
fn lawful(placement: &Placement) -> Result<(), TestCaseError> {
    let mut seen = BTreeSet::new();
    for shard in placement.shards() {
        prop_assert!(shard.members.len() >= 2);
        prop_assert!(shard.members.is_sorted());
        prop_assert!(shard.members.iter().all(|member| seen.insert(*member)));
        prop_assert_eq!(placement.members(shard.id), &shard.members);
    }
    let slots: usize = placement.shards().iter().map(|shard| placement.slots(shard.id).count()).sum();
    prop_assert_eq!(slots, SLOTS);
    Ok(())
}

proptest! {
    #[test]
    fn every_placement_must_be_lawful_and_above_the_one_before(first in bootstraps(), steps in steps()) {
        let mut placement = first;
        lawful(&placement)?;
        for step in &steps {
            let Ok(next) = apply(&placement, step) else { continue };
            lawful(&next)?;
            prop_assert!(next.id() > placement.id());
            prop_assert_eq!(apply(&placement, step), Ok(next.clone()));
            placement = next;
        }
    }

    #[test]
    fn a_reshard_must_balance_and_move_only_the_surplus(first in bootstraps(), steps in steps(), shard_count in 1u32..5, live in live()) {
        let before = steps.iter().fold(first, |placement, step| apply(&placement, step).unwrap_or(placement));
        let result = before.reshard(shard_count, &live, address(1));
        if live.len() < 2 * shard_count as usize {
            prop_assert_eq!(result, Err(PlacementError::NotEnoughNodes));
            return Ok(());
        }
        let after = result.expect("there are nodes enough");
        prop_assert_eq!(after.shards().len(), shard_count as usize);
        let members: BTreeSet<Address> = after.shards().iter().flat_map(|shard| shard.members.iter().copied()).collect();
        prop_assert_eq!(members, live.iter().copied().collect::<BTreeSet<_>>());
        let sizes: Vec<usize> = after.shards().iter().map(|shard| shard.members.len()).collect();
        prop_assert!(sizes.iter().max().zip(sizes.iter().min()).is_some_and(|(most, least)| most - least <= 1));
        for shard in after.shards() {
            let (had, has) = (before.slots(shard.id).count(), after.slots(shard.id).count());
            let kept = after.slots(shard.id).filter(|slot| before.shard(*slot) == shard.id).count();
            prop_assert!(has == SLOTS / shard_count as usize || has == SLOTS.div_ceil(shard_count as usize));
            prop_assert_eq!(kept, had.min(has), "shard {} had {}, has {}, and kept {}", shard.id, had, has, kept);
            let had = before.members(shard.id).iter().filter(|member| live.contains(member)).count();
            let kept = shard.members.iter().filter(|member| before.shard_of(**member) == Some(shard.id)).count();
            prop_assert_eq!(kept, had.min(shard.members.len()));
        }
    }

    #[test]
    fn a_join_must_change_nothing_else(first in bootstraps(), shard in 1u32..4, node in 0u8..10) {
        let live: Vec<Address> = (0..10).map(address).collect();
        let (shard, node) = (ShardId(shard), address(node));
        match first.with_member(shard, node, &live, address(0)) {
            Ok(next) => {
                prop_assert_eq!(next.shard_of(node), Some(shard));
                prop_assert!(SlotId::all().all(|slot| next.shard(slot) == first.shard(slot)));
                prop_assert!((0..10).map(address).filter(|other| *other != node).all(|other| next.shard_of(other) == first.shard_of(other)));
            }
            Err(PlacementError::NoSuchShard) => prop_assert!(first.members(shard).is_empty()),
            Err(PlacementError::AlreadyThere) => prop_assert_eq!(first.shard_of(node), Some(shard)),
            Err(PlacementError::NotEnoughNodes) => {
                let left = first.shard_of(node).map_or(0, |shard| first.members(shard).len());
                prop_assert!(left == 2);
            }
        }
    }

    #[test]
    fn the_first_placement_must_not_depend_on_the_order_of_the_view(nodes in 2u8..8, turn in 0usize..8, shard_count in proptest::option::of(1u32..4)) {
        let view: Vec<Address> = (0..nodes).map(address).collect();
        let mut turned = view.clone();
        turned.rotate_left(turn % view.len());
        prop_assert_eq!(Placement::bootstrap(&view, shard_count), Placement::bootstrap(&turned, shard_count));
    }

    #[test]
    fn the_order_of_placements_must_be_total(first in bootstraps(), one in steps(), other in steps()) {
        let follow = |steps: &[Step]| steps.iter().fold(first.clone(), |placement, step| apply(&placement, step).unwrap_or(placement));
        let (one, other) = (follow(&one), follow(&other));
        prop_assert_eq!(one.id() == other.id(), one == other);
    }
}

#[test]
fn one_that_was_asked_for_must_stand_above_one_that_was_not() {
    let view: Vec<Address> = (0..7).map(address).collect();
    assert!(Placement::bootstrap(&view[..2], Some(1)).id() > Placement::bootstrap(&view, None).id());
}

#[test]
fn six_nodes_must_make_two_shards_of_three() {
    let view: Vec<Address> = (0..6).map(address).collect();
    let placement = Placement::bootstrap(&view, Some(2));
    assert_eq!(placement.members(ShardId(1)), &view[..3]);
    assert_eq!(placement.members(ShardId(2)), &view[3..]);
    assert_eq!(placement.slots(ShardId(1)).count(), 128);
}
