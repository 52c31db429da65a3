//! How each fault is done.

use node_core::{Request, ShardId};

use super::{Cut, Fault, Faults, Later, NOISE, Step};
use crate::{
    cluster::{Cluster, address},
    journal::name,
    violation::Checked,
};

/// An hour, by which clocks jump.
const CLOCK_JUMP_MS: i64 = 3_600_000;
/// An hour within a minute.
const CLOCK_DRIFT_PPM: i64 = 60_000_000;
/// Disks destroyed in one run.
const WIPES_MAX: u32 = 2;
/// Milliseconds after which each side of a partition has taken the other out of its view.
const APART_MS: (u64, u64) = (3_300, 5_000);

impl Faults {
    /// Does it. `false` when there was nothing to be done to.
    pub(super) fn commit(&mut self, cluster: &mut Cluster, fault: Fault) -> Checked<bool> {
        let count = cluster.nodes.len();
        let node = self.random.index(count);
        let up = cluster.nodes[node].is_up();
        cluster.trace.note(cluster.now_ms, || format!("FAULT {fault:?} of node{}, if of one", node + 1));
        match fault {
            Fault::Split => {
                let side = self.sides(count);
                self.cut(cluster, "split", &named(&side), |from, to| side[from] != side[to]);
            }
            Fault::Isolate => self.cut(cluster, "isolate", &[node], |from, to| from == node || to == node),
            Fault::OneWay => {
                let deaf = self.random.index(count);
                let to_all = self.random.chance(400) || deaf == node;
                self.cut(cluster, "one-way", &[node], |from, to| from == node && (to_all || to == deaf));
            }
            Fault::Links => self.cut_links(cluster),
            Fault::Noise => {
                cluster.network.loss_permille = self.random.between(10, 300);
                cluster.network.double_permille = self.random.between(0, 200);
                cluster.network.late_permille = self.random.between(0, 150);
                cluster.network.delay_ms = (1, self.random.between(2, 120));
                cluster.journal.begins(cluster.now_ms, NOISE, &[], || "messages are lost, doubled and late".to_owned());
                self.later(cluster, (1_000, 9_000), Later::Silence);
            }
            Fault::Flap => {
                let what = || format!("the connections of {} break", name(node));
                cluster.journal.passes(cluster.now_ms, "flap", &[node], what);
                (0..count).for_each(|peer| cluster.flap(node, peer));
            }
            Fault::Crash => {
                let busy: Vec<usize> = (0..count).filter(|node| cluster.nodes[*node].disk.is_busy()).collect();
                let victim = if busy.is_empty() { node } else { *self.random.pick(&busy) };
                if cluster.nodes[victim].core.is_none() {
                    return Ok(false);
                }
                self.stop(cluster, victim, (0, 7_000))?;
            }
            Fault::TornWrite if up => cluster.nodes[node].tear_next = true,
            Fault::FailingSync if up => cluster.nodes[node].disk.fail_next_sync(),
            Fault::CrashAll => {
                for node in 0..count {
                    self.stop(cluster, node, (0, 4_000))?;
                }
            }
            Fault::LongStop if up => self.stop(cluster, node, (16_000, 30_000))?,
            Fault::AllButOne => {
                for other in (0..count).filter(|other| *other != node) {
                    self.stop(cluster, other, (3_500, 14_000))?;
                }
            }
            Fault::Wipe if self.wipes < WIPES_MAX => self.wipe(cluster, node)?,
            Fault::WipeAllButOne if self.wipes == 0 => {
                for other in (0..count).filter(|other| *other != node) {
                    self.wipe(cluster, other)?;
                }
            }
            Fault::Pause if up => {
                cluster.pause(node);
                self.later(cluster, (300, 9_000), Later::Resume(node));
            }
            Fault::ClockJump => {
                let by_ms = self.random.between(0, 2 * CLOCK_JUMP_MS as u64) as i64 - CLOCK_JUMP_MS;
                cluster.jump(node, by_ms);
            }
            Fault::ClockDrift => {
                let drift_ppm = self.random.between(0, 2 * CLOCK_DRIFT_PPM as u64) as i64 - CLOCK_DRIFT_PPM;
                cluster.drift(node, drift_ppm);
                self.later(cluster, (5_000, 30_000), Later::SteadyClock(node));
            }
            Fault::SlowDisk => {
                let sync_ms = (5, self.random.between(50, 700));
                let all = self.random.chance(300);
                cluster.slow_down_disks((0..count).filter(|other| all || *other == node), sync_ms);
                self.later(cluster, (1_000, 6_000), Later::FastDisks);
            }
            Fault::FullDisk if !cluster.nodes[node].full => {
                cluster.set_space(node, false)?;
                self.later(cluster, (500, 12_000), Later::Space(node));
            }
            Fault::RemoveFromView if up => {
                let via = self.random.index(count);
                cluster.administer(via, Request::RemoveFromView(address(node)));
                self.later(cluster, (1_000, 12_000), Later::AddToView(node));
            }
            Fault::RemoveDown if up => {
                let via = (node + self.random.between(1, count as u64 - 1) as usize) % count;
                self.order(cluster, via, Request::RemoveFromView(address(node)), (200, 5_000));
                self.stop(cluster, node, (6_000, 20_000))?;
            }
            Fault::Reshard => self.reshard(cluster, node, (0, 0)),
            Fault::ReshardStorm => {
                let spread_ms = self.random.between(300, 6_000);
                for _ in 0..self.random.between(3, 6) {
                    let via = self.random.index(count);
                    self.reshard(cluster, via, (1, spread_ms));
                }
            }
            Fault::KillInReshard => {
                let step = *self.random.pick(&Step::ALL);
                cluster.arm(step);
                self.reshard(cluster, node, (0, 0));
            }
            Fault::ReshardBothSides => {
                let side = self.sides(count);
                self.cut_for(cluster, "split", &named(&side), (6_000, 14_000), |from, to| side[from] != side[to]);
                for wanted in [false, true] {
                    if let Some(via) = (0..count).find(|other| side[*other] == wanted) {
                        self.reshard(cluster, via, APART_MS);
                    }
                }
            }
            Fault::AddMember => self.add_member(cluster, node, (0, 0)),
            Fault::AddMemberInReshard => {
                self.reshard(cluster, node, (0, 0));
                let via = self.random.index(count);
                self.add_member(cluster, via, (20, 400));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Two sides, with two nodes each where there are so many.
    fn sides(&mut self, count: usize) -> Vec<bool> {
        let mut side = vec![false; count];
        for _ in 0..self.random.between(1, (count as u64 / 2).max(1)) {
            side[self.random.index(count)] = true;
        }
        if self.random.chance(700) {
            let one = self.random.index(count);
            side[one] = true;
            side[(one + 1) % count] = true;
        }
        side
    }

    fn cut(
        &mut self,
        cluster: &mut Cluster,
        kind: &'static str,
        nodes: &[usize],
        wanted: impl Fn(usize, usize) -> bool,
    ) {
        self.cut_for(cluster, kind, nodes, (300, 12_000), wanted);
    }

    /// `kind` and `nodes` are for the history.
    fn cut_for(
        &mut self,
        cluster: &mut Cluster,
        kind: &'static str,
        nodes: &[usize],
        for_ms: (u64, u64),
        wanted: impl Fn(usize, usize) -> bool,
    ) {
        let count = cluster.nodes.len();
        let pairs: Vec<(usize, usize)> = (0..count)
            .flat_map(|from| (0..count).map(move |to| (from, to)))
            .filter(|(from, to)| from != to && wanted(*from, *to))
            .collect();
        for (from, to) in &pairs {
            cluster.cut(*from, *to);
        }
        let cut = Cut { kind, nodes: nodes.to_vec(), pairs };
        if !cut.pairs.is_empty() {
            cluster.journal.begins(cluster.now_ms, kind, nodes, || cut.to_string());
        }
        self.later(cluster, for_ms, Later::Mend(cut));
    }

    /// Each for a time of its own.
    fn cut_links(&mut self, cluster: &mut Cluster) {
        let count = cluster.nodes.len();
        for _ in 0..self.random.between(2, 6) {
            let (from, to) = (self.random.index(count), self.random.index(count));
            if from != to {
                self.cut_for(cluster, "link", &[from, to], (50, 8_000), |one, other| (one, other) == (from, to));
            }
        }
    }

    fn wipe(&mut self, cluster: &mut Cluster, node: usize) -> Checked {
        self.wipes += 1;
        cluster.wipe(node)?;
        self.later(cluster, (100, 8_000), Later::Start(node));
        Ok(())
    }

    fn reshard(&mut self, cluster: &mut Cluster, via: usize, in_ms: (u64, u64)) {
        let shards = (cluster.nodes.len() / 2).max(1) as u64;
        let shard_count = self.random.between(1, shards) as u32;
        self.order(cluster, via, Request::Reshard { shard_count }, in_ms);
    }

    fn add_member(&mut self, cluster: &mut Cluster, via: usize, in_ms: (u64, u64)) {
        let shard = ShardId(self.random.between(1, 3) as u32);
        let joiner = self.random.index(cluster.nodes.len());
        self.order(cluster, via, Request::AddMember { shard, address: address(joiner) }, in_ms);
    }

    fn order(&mut self, cluster: &mut Cluster, via: usize, request: Request, in_ms: (u64, u64)) {
        if in_ms == (0, 0) {
            cluster.administer(via, request);
        } else {
            self.later(cluster, in_ms, Later::Order(via, request));
        }
    }
}

/// Those of one side.
fn named(side: &[bool]) -> Vec<usize> {
    (0..side.len()).filter(|node| side[*node]).collect()
}
