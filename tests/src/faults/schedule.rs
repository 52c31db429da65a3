//! Which faults come, in which order, to which nodes, and after how many operations of the clients: a pure function of the
//! seed and of what the cluster is. Never of time, so that a slow machine has the same schedule.
//!
//! It has no end unless nothing is left to come; whoever follows it has one. Every kind that is asked for and that the cluster
//! can suffer comes once before any comes again.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use super::kind::Kind;
use crate::dice::Dice;

/// Of 100 faults that may begin while the one before is on, so many do.
const OVERLAP_PERCENT: usize = 50;
/// Operations, in units, before a fault, while one is on, while the network is cut, where they take longer, and while a
/// node is away for long. A gap is shorter than what it may fall into.
const GAP: RangeInclusive<u64> = 1..=3;
const ON: RangeInclusive<u64> = 4..=20;
const CUT: RangeInclusive<u64> = 4..=6;
const LONG: RangeInclusive<u64> = 30..=40;

/// What a cluster is when the first fault comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// How many nodes it has, at least 4.
    pub(super) nodes: usize,
    /// How many shards, at most half as many.
    pub(super) shards: u32,
    /// How many nodes can be added.
    pub(super) spare: usize,
    /// Whether its network can be cut.
    pub(super) partitions: bool,
}

/// One fault to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) kind: Kind,
    /// The node it is about, or the first group of a cut, the others being the second; for a bridge, that node and then the
    /// first group. All nodes in their order for what is done to all; for a change, the node that is asked to make it.
    pub(super) nodes: Vec<usize>,
    /// How many shards there are to be from then on.
    pub(super) shards: u32,
    /// Whether it begins while the one before is on.
    pub(super) overlaps: bool,
    /// Operations until it begins: since the one before was made, if they overlap, or else since all was undone.
    pub(super) gap: u64,
    /// Operations from when it was made until it is undone.
    pub(super) lasts: u64,
}

/// The faults to come.
pub(super) struct Schedule {
    dice: Dice,
    kinds: Vec<Kind>,
    ground: Ground,
    /// The least that a gap has.
    unit: u64,
    /// What is left of this round, the next at the end.
    round: Vec<Kind>,
    before: Option<Planned>,
}

impl Schedule {
    /// Of these kinds. A shard more and a shard less come together, whichever of them is asked for.
    pub(super) fn new(seed: u64, kinds: &[Kind], ground: Ground, unit: u64) -> Self {
        Self { dice: Dice::new(seed, 0), kinds: kinds.to_vec(), ground, unit, round: Vec::new(), before: None }
    }

    fn is_asked_for(&self, kind: Kind) -> bool {
        match kind {
            Kind::ReshardUp | Kind::ReshardDown => {
                self.kinds.contains(&Kind::ReshardUp) || self.kinds.contains(&Kind::ReshardDown)
            }
            _ => self.kinds.contains(&kind),
        }
    }

    /// Whether a round has this kind.
    fn comes(&self, kind: Kind) -> bool {
        let Ground { nodes, shards, spare, partitions } = self.ground;
        match kind {
            _ if !self.is_asked_for(kind) => false,
            Kind::Add => spare > 0,
            // Both or none, so that a round ends with as many shards as it began with.
            Kind::ReshardUp | Kind::ReshardDown => shards > 1 || most_shards(nodes) > shards,
            _ => partitions || !kind.is_cut(),
        }
    }

    fn next_kind(&mut self) -> Option<Kind> {
        if self.round.is_empty() {
            self.round = Kind::ALL.into_iter().filter(|kind| self.comes(*kind)).collect();
            shuffle(&mut self.round, &mut self.dice);
            self.put_possible_reshard_first();
        }
        self.round.pop()
    }

    fn put_possible_reshard_first(&mut self) {
        let place = |kind: Kind| self.round.iter().rposition(|other| *other == kind);
        let (Some(up), Some(down)) = (place(Kind::ReshardUp), place(Kind::ReshardDown)) else { return };
        let up_is_first = up > down;
        let possible =
            if up_is_first { self.ground.shards < most_shards(self.ground.nodes) } else { self.ground.shards > 1 };
        if !possible {
            self.round.swap(up, down);
        }
    }

    fn choose_nodes(&mut self, kind: Kind, taken: &[usize]) -> Vec<usize> {
        let mut nodes: Vec<usize> = (0..self.ground.nodes).collect();
        shuffle(&mut nodes, &mut self.dice);
        let half = nodes.len() / 2;
        match kind {
            Kind::Partition | Kind::OneWay => nodes.truncate(self.amount(&(2..=half as u64)) as usize),
            Kind::Bridge => nodes.truncate(1 + half),
            Kind::RollingRestart | Kind::KillAll => {}
            _ => {
                nodes.retain(|node| !taken.contains(node));
                nodes.truncate(1);
            }
        }
        nodes
    }

    fn amount(&mut self, range: &RangeInclusive<u64>) -> u64 {
        range.start() + self.dice.below((range.end() - range.start() + 1) as usize) as u64
    }

    /// So many operations, not a round number of units.
    fn operations(&mut self, units: &RangeInclusive<u64>) -> u64 {
        self.amount(&(units.start() * self.unit..=units.end() * self.unit))
    }
}

impl Iterator for Schedule {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        let kind = self.next_kind()?;
        // Two at a time at most: what has joined another is not joined.
        let joinable = self.before.as_ref().is_some_and(|before| !before.overlaps && before.kind.may_overlap(kind));
        let overlaps = joinable && self.dice.below(100) < OVERLAP_PERCENT;
        let taken = self.before.take().filter(|_| overlaps).map(|before| before.nodes).unwrap_or_default();
        // The groups of a cut leave no node untouched.
        let taken = if taken.len() == 1 { taken } else { Vec::new() };
        let nodes = self.choose_nodes(kind, &taken);
        match kind {
            Kind::Add => (self.ground.nodes, self.ground.spare) = (self.ground.nodes + 1, self.ground.spare - 1),
            Kind::ReshardUp => self.ground.shards += 1,
            Kind::ReshardDown => self.ground.shards -= 1,
            _ => {}
        }
        let gap = self.operations(&GAP);
        let lasts = match kind {
            Kind::Stop => self.operations(&LONG),
            _ if kind.is_cut() => self.operations(&CUT),
            _ if kind.lasts() => self.operations(&ON),
            _ => 0,
        };
        let planned = Planned { kind, nodes, shards: self.ground.shards, overlaps, gap, lasts };
        self.before = Some(planned.clone());
        Some(planned)
    }
}

/// With two nodes each.
fn most_shards(nodes: usize) -> u32 {
    (nodes / 2) as u32
}

fn shuffle<T>(items: &mut [T], dice: &mut Dice) {
    for index in (1..items.len()).rev() {
        items.swap(index, dice.below(index + 1));
    }
}
