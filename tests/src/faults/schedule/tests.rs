//! What must be so of every schedule.

use std::collections::BTreeSet;

use super::*;

const GROUND: Ground = Ground { nodes: 7, shards: 3, spare: 1, partitions: true };
const SEEDS: std::ops::Range<u64> = 0..200;
const UNIT: u64 = 100;

fn faults(seed: u64, ground: Ground, count: usize) -> Vec<Planned> {
    Schedule::new(seed, &Kind::ALL, ground, UNIT).take(count).collect()
}

fn kinds(faults: &[Planned]) -> BTreeSet<Kind> {
    faults.iter().map(|fault| fault.kind).collect()
}

#[test]
fn a_seed_repeats_its_schedule_and_another_has_another() {
    assert_eq!(faults(7, GROUND, 50), faults(7, GROUND, 50));
    assert_ne!(faults(7, GROUND, 50), faults(8, GROUND, 50));
}

#[test]
fn every_kind_comes_before_any_comes_again() {
    for seed in SEEDS {
        let faults = faults(seed, GROUND, 2 * Kind::ALL.len());
        assert_eq!(kinds(&faults[..Kind::ALL.len()]).len(), Kind::ALL.len(), "seed {seed}");
        // The second round has no node to add.
        assert_eq!(kinds(&faults[Kind::ALL.len()..][..Kind::ALL.len() - 1]).len(), Kind::ALL.len() - 1, "seed {seed}");
    }
}

#[test]
fn where_nothing_can_be_cut_nothing_is() {
    for seed in SEEDS {
        let faults = faults(seed, Ground { partitions: false, ..GROUND }, 50);
        assert!(faults.iter().all(|fault| fault.kind.needs().is_none()), "seed {seed}");
        assert_eq!(kinds(&faults).len(), Kind::ALL.len() - 4, "seed {seed}");
    }
}

#[test]
fn there_is_always_a_lawful_number_of_shards() {
    for (seed, shards) in SEEDS.zip([1, 2, 3].into_iter().cycle()) {
        for fault in faults(seed, Ground { shards, ..GROUND }, 50) {
            assert!((1..=4).contains(&fault.shards), "seed {seed}: {fault:?}");
        }
    }
}

#[test]
fn two_faults_at_a_time_are_such_that_may_be_and_of_different_nodes() {
    let mut pairs = BTreeSet::new();
    for seed in SEEDS {
        for pair in faults(seed, GROUND, 60).windows(2).filter(|pair| pair[1].overlaps) {
            let [first, second] = pair else { continue };
            assert!(first.kind.may_overlap(second.kind), "seed {seed}: {first:?}, {second:?}");
            assert!(!first.overlaps, "seed {seed}: three at a time with {second:?}");
            assert!(
                !first.kind.lasts() || second.gap < first.lasts,
                "seed {seed}: {first:?} is over before {second:?}"
            );
            if let ([one], [other]) = (&first.nodes[..], &second.nodes[..]) {
                assert_ne!(one, other, "seed {seed}: {first:?}, {second:?}");
            }
            pairs.insert((first.kind, second.kind));
        }
    }
    assert!(
        pairs.contains(&(Kind::ReshardUp, Kind::Kill)) && pairs.contains(&(Kind::Pause, Kind::OneWay)),
        "{pairs:?}"
    );
    assert!(!pairs.iter().any(|(first, second)| [*first, *second].contains(&Kind::Wipe)), "{pairs:?}");
}

#[test]
fn nodes_are_there_and_both_sides_of_a_cut_have_some() {
    for seed in SEEDS {
        let mut nodes = GROUND.nodes;
        for fault in faults(seed, GROUND, 60) {
            assert!(fault.nodes.iter().all(|node| *node < nodes), "seed {seed}: {fault:?}");
            let expected = match fault.kind {
                Kind::RollingRestart | Kind::KillAll => nodes..=nodes,
                Kind::Bridge => 2..=nodes - 2,
                Kind::Partition | Kind::OneWay => 2..=nodes - 2,
                _ => 1..=1,
            };
            assert!(expected.contains(&fault.nodes.len()), "seed {seed}: {fault:?}");
            nodes += usize::from(fault.kind == Kind::Add);
        }
    }
}

#[test]
fn only_what_is_asked_for_comes_and_reshards_come_together() {
    let of = |asked: &[Kind]| Schedule::new(1, asked, GROUND, UNIT).take(20).collect::<Vec<_>>();
    assert_eq!(kinds(&of(&[Kind::Kill, Kind::Wipe])), [Kind::Kill, Kind::Wipe].into());
    assert_eq!(kinds(&of(&[Kind::ReshardUp])), [Kind::ReshardUp, Kind::ReshardDown].into());
}

#[test]
fn a_schedule_ends_when_nothing_is_left_to_come() {
    assert_eq!(Schedule::new(1, &[Kind::Add], GROUND, UNIT).count(), 1);
    let uncut = Ground { partitions: false, ..GROUND };
    assert_eq!(Schedule::new(1, &[Kind::Isolate], uncut, UNIT).count(), 0);
}
