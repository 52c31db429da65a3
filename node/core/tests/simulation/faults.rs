//! The bad days: a seeded list of faults, each of which ends by itself after a while, or when all is healed.

use std::collections::BTreeMap;

use node_core::{Request, ShardId};

use crate::{
    cluster::{Alarm, Cluster, address},
    network::Network,
    random::Random,
    violation::Checked,
};

/// An hour, by which clocks jump.
const CLOCK_JUMP_MS: i64 = 3_600_000;
/// Disks destroyed in one run.
const WIPES_MAX: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Split,
    Isolate,
    OneWay,
    Noise,
    Flap,
    Crash,
    CrashAll,
    LongStop,
    Wipe,
    Pause,
    Clock,
    SlowDisk,
    RemoveFromView,
    Reshard,
    AddMember,
}

/// How often each is drawn.
const WEIGHTS: [(Fault, u64); 15] = [
    (Fault::Split, 12),
    (Fault::Isolate, 10),
    (Fault::OneWay, 8),
    (Fault::Noise, 10),
    (Fault::Flap, 6),
    (Fault::Crash, 16),
    (Fault::CrashAll, 2),
    (Fault::LongStop, 4),
    (Fault::Wipe, 6),
    (Fault::Pause, 8),
    (Fault::Clock, 5),
    (Fault::SlowDisk, 4),
    (Fault::RemoveFromView, 6),
    (Fault::Reshard, 18),
    (Fault::AddMember, 8),
];

#[derive(Debug)]
enum Undo {
    Mend(Vec<(usize, usize)>),
    Silence,
    Start(usize),
    Resume(usize),
    FastDisk,
    AddToView(usize),
}

pub(crate) struct Faults {
    random: Random,
    outstanding: BTreeMap<usize, Undo>,
    undone: usize,
    wipes: u32,
    /// How long syncs take without this module's doing.
    usual_sync_ms: (u64, u64),
    over: bool,
    pub(crate) counts: BTreeMap<Fault, u32>,
}

impl Faults {
    /// Spreads `count` faults over a stretch of virtual time.
    pub(crate) fn plan(cluster: &mut Cluster, count: usize, from_ms: u64, to_ms: u64, mut random: Random) -> Self {
        for fault in 0..count {
            cluster.set_alarm(random.between(from_ms, to_ms), Alarm::Fault(fault));
        }
        Self {
            random,
            outstanding: BTreeMap::new(),
            undone: 0,
            wipes: 0,
            usual_sync_ms: cluster.sync_ms,
            over: false,
            counts: BTreeMap::new(),
        }
    }

    /// Something goes wrong now.
    pub(crate) fn strike(&mut self, cluster: &mut Cluster) -> Checked {
        if self.over {
            return Ok(());
        }
        let total = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut drawn = self.random.below(total);
        for (fault, weight) in WEIGHTS {
            if drawn < weight {
                *self.counts.entry(fault).or_insert(0) += 1;
                cluster.trace.note(cluster.now_ms, || format!("FAULT {fault:?}"));
                return self.commit(cluster, fault);
            }
            drawn -= weight;
        }
        Ok(())
    }

    fn commit(&mut self, cluster: &mut Cluster, fault: Fault) -> Checked {
        let count = cluster.nodes.len();
        let node = self.random.index(count);
        match fault {
            Fault::Split => {
                let side: Vec<bool> = (0..count).map(|_| self.random.chance(500)).collect();
                self.cut(cluster, |from, to| side[from] != side[to]);
            }
            Fault::Isolate => self.cut(cluster, |from, to| from == node || to == node),
            Fault::OneWay => {
                let deaf = self.random.index(count);
                let to_all = self.random.chance(400);
                self.cut(cluster, |from, to| from == node && (to_all || to == deaf));
            }
            Fault::Noise => {
                cluster.network.loss_permille = self.random.between(10, 300);
                cluster.network.double_permille = self.random.between(0, 200);
                cluster.network.late_permille = self.random.between(0, 150);
                cluster.network.delay_ms = (1, self.random.between(2, 120));
                self.later(cluster, (1_000, 9_000), Undo::Silence);
            }
            Fault::Flap => {
                for peer in 0..count {
                    cluster.flap(node, peer);
                }
            }
            Fault::Crash => {
                let busy: Vec<usize> = (0..count).filter(|node| cluster.nodes[*node].disk.is_busy()).collect();
                let victim = if busy.is_empty() { node } else { *self.random.pick(&busy) };
                self.stop(cluster, victim, (0, 7_000))?;
            }
            Fault::CrashAll => {
                for node in 0..count {
                    self.stop(cluster, node, (0, 4_000))?;
                }
            }
            Fault::LongStop => self.stop(cluster, node, (20_000, 40_000))?,
            Fault::Wipe => {
                if self.wipes < WIPES_MAX {
                    self.wipes += 1;
                    cluster.wipe(node)?;
                    self.later(cluster, (100, 8_000), Undo::Start(node));
                }
            }
            Fault::Pause => {
                if cluster.nodes[node].is_up() {
                    cluster.pause(node);
                    self.later(cluster, (300, 9_000), Undo::Resume(node));
                }
            }
            Fault::Clock => {
                let by_ms = self.random.between(0, 2 * CLOCK_JUMP_MS as u64) as i64 - CLOCK_JUMP_MS;
                cluster.trace.note(cluster.now_ms, || format!("CLOCK of node{} jumps by {by_ms} ms", node + 1));
                cluster.nodes[node].clock.jump(by_ms);
            }
            Fault::SlowDisk => {
                cluster.sync_ms = (5, self.random.between(50, 700));
                cluster.slow_until_ms = u64::MAX;
                self.later(cluster, (1_000, 6_000), Undo::FastDisk);
            }
            Fault::RemoveFromView => {
                let via = self.random.index(count);
                cluster.administer(via, Request::RemoveFromView(address(node)));
                self.later(cluster, (1_000, 12_000), Undo::AddToView(node));
            }
            Fault::Reshard => {
                let shard_count = self.random.between(1, (count / 2).max(1) as u64) as u32;
                cluster.administer(node, Request::Reshard { shard_count });
                if self.random.chance(250) {
                    let other = self.random.index(count);
                    let shard_count = self.random.between(1, 3) as u32;
                    cluster.administer(other, Request::Reshard { shard_count });
                }
                if self.random.chance(250) {
                    let victim = self.random.index(count);
                    self.stop(cluster, victim, (0, 6_000))?;
                }
            }
            Fault::AddMember => {
                let shard = ShardId(self.random.between(1, 3) as u32);
                let joiner = self.random.index(count);
                cluster.administer(node, Request::AddMember { shard, address: address(joiner) });
            }
        }
        Ok(())
    }

    fn cut(&mut self, cluster: &mut Cluster, wanted: impl Fn(usize, usize) -> bool) {
        let count = cluster.nodes.len();
        let pairs: Vec<(usize, usize)> = (0..count)
            .flat_map(|from| (0..count).map(move |to| (from, to)))
            .filter(|(from, to)| from != to && wanted(*from, *to))
            .collect();
        for (from, to) in &pairs {
            cluster.cut(*from, *to);
        }
        self.later(cluster, (300, 12_000), Undo::Mend(pairs));
    }

    fn stop(&mut self, cluster: &mut Cluster, node: usize, down_ms: (u64, u64)) -> Checked {
        cluster.crash(node)?;
        self.later(cluster, down_ms, Undo::Start(node));
        Ok(())
    }

    fn later(&mut self, cluster: &mut Cluster, in_ms: (u64, u64), undo: Undo) {
        self.undone += 1;
        self.outstanding.insert(self.undone, undo);
        cluster.set_alarm(self.random.between(in_ms.0, in_ms.1), Alarm::Undo(self.undone));
    }

    /// A first start that comes late.
    pub(crate) fn start_later(&mut self, cluster: &mut Cluster, node: usize, in_ms: u64) {
        self.later(cluster, (in_ms, in_ms), Undo::Start(node));
    }

    /// The time of a fault is over.
    pub(crate) fn undo(&mut self, cluster: &mut Cluster, number: usize) -> Checked {
        let Some(undo) = self.outstanding.remove(&number) else {
            return Ok(());
        };
        match undo {
            Undo::Mend(pairs) => {
                for (from, to) in pairs {
                    cluster.mend(from, to);
                }
            }
            Undo::Silence => {
                let Network { delay_ms, loss_permille, double_permille, late_permille, .. } = Network::healthy();
                cluster.network.delay_ms = delay_ms;
                cluster.network.loss_permille = loss_permille;
                cluster.network.double_permille = double_permille;
                cluster.network.late_permille = late_permille;
            }
            Undo::Start(node) => cluster.start(node)?,
            Undo::Resume(node) => cluster.resume(node)?,
            Undo::FastDisk => {
                cluster.sync_ms = self.usual_sync_ms;
                cluster.slow_until_ms = cluster.now_ms + 2_000;
            }
            Undo::AddToView(node) => {
                let via = self.random.index(cluster.nodes.len());
                cluster.administer(via, Request::AddToView(address(node)));
            }
        }
        Ok(())
    }

    /// Nothing is wrong any more, and nothing will be.
    pub(crate) fn heal(&mut self, cluster: &mut Cluster) -> Checked {
        self.over = true;
        cluster.trace.note(cluster.now_ms, || "HEAL".into());
        while let Some(number) = self.outstanding.keys().next().copied() {
            self.undo(cluster, number)?;
        }
        for node in 0..cluster.nodes.len() {
            cluster.start(node)?;
            cluster.resume(node)?;
        }
        Ok(())
    }
}
