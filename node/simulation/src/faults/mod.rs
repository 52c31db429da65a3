//! The bad days: a seeded list of faults, each of which ends by itself after a while, or when all is healed.

mod fault;
mod step;
mod strike;

use std::{collections::BTreeMap, fmt};

use node_core::Request;

pub use self::{fault::Fault, step::Step};
use crate::{
    cluster::{Alarm, Cluster, Doom, address},
    network::Network,
    random::Random,
    state::State,
    violation::Checked,
};

/// Milliseconds that a node is down after it has met its doom.
const DOOMED_MS: (u64, u64) = (0, 6_000);

/// What a network that loses messages is called in a history.
const NOISE: &str = "noise";

/// Links that are closed.
#[derive(Debug)]
struct Cut {
    /// For the history, as `nodes`.
    kind: &'static str,
    nodes: Vec<usize>,
    /// From whom to whom.
    pairs: Vec<(usize, usize)>,
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.pairs.iter().map(|(from, to)| format!("{}→{}", from + 1, to + 1)).collect();
        write!(formatter, "nothing goes {}", pairs.join(" "))
    }
}

/// What follows on a fault, by itself or when all is healed.
#[derive(Debug)]
enum Later {
    Mend(Cut),
    Silence,
    Start(usize),
    Resume(usize),
    FastDisks,
    Space(usize),
    SteadyClock(usize),
    AddToView(usize),
    /// Not if all is healed before.
    Order(usize, Request),
}

/// How often what was met by what.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// Faults.
    pub faults: BTreeMap<Fault, u64>,
    /// Faults by what the cluster was in the middle of.
    pub states: BTreeMap<(Fault, State), u64>,
    /// Kills at the steps of a reshard.
    pub steps: BTreeMap<Step, u64>,
}

impl Met {
    /// Adds what another run met.
    pub(crate) fn add(&mut self, other: Self) {
        fn add<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            for (what, count) in from {
                *to.entry(what).or_insert(0) += count;
            }
        }
        add(&mut self.faults, other.faults);
        add(&mut self.states, other.states);
        add(&mut self.steps, other.steps);
    }
}

pub(crate) struct Faults {
    random: Random,
    /// How often each fault is drawn in this run.
    weights: Vec<(Fault, u64)>,
    outstanding: BTreeMap<usize, Later>,
    scheduled: usize,
    wipes: u32,
    over: bool,
    pub(crate) met: Met,
}

impl Faults {
    /// Spreads `count` faults over a stretch of virtual time.
    pub(crate) fn plan(cluster: &mut Cluster, count: usize, from_ms: u64, to_ms: u64, mut random: Random) -> Self {
        for fault in 0..count {
            cluster.set_alarm(random.between(from_ms, to_ms), Alarm::Fault(fault));
        }
        // Each run has its own kind of bad luck: rare combinations come up more often than in an even mixture (Groce et al.,
        // Swarm testing, ISSTA 2012).
        let mut weight = |weight| weight * random.pick(&[0, 1, 1, 1, 5]);
        let mut weights: Vec<_> = Fault::WEIGHTS.iter().map(|(fault, usual)| (*fault, weight(usual))).collect();
        weights.push((Fault::Crash, 1));
        Self { random, weights, outstanding: BTreeMap::new(), scheduled: 0, wipes: 0, over: false, met: Met::default() }
    }

    /// Something goes wrong now.
    pub(crate) fn strike(&mut self, cluster: &mut Cluster) -> Checked {
        let states = State::of(cluster);
        while !self.over {
            let fault = self.draw();
            if self.commit(cluster, fault)? {
                *self.met.faults.entry(fault).or_insert(0) += 1;
                for state in states {
                    *self.met.states.entry((fault, state)).or_insert(0) += 1;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Fault {
        let total = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut drawn = self.random.below(total);
        for (fault, weight) in &self.weights {
            if drawn < *weight {
                return *fault;
            }
            drawn -= weight;
        }
        Fault::Crash
    }

    /// A node has come to where it is to be killed.
    pub(crate) fn doomed(&mut self, cluster: &mut Cluster, node: usize, doom: Doom) -> Checked {
        if self.over || cluster.nodes[node].core.is_none() {
            return Ok(());
        }
        match doom {
            Doom::Step(step) => *self.met.steps.entry(step).or_insert(0) += 1,
            Doom::Torn => return self.tear(cluster, node),
            Doom::SyncFailed => {}
        }
        self.stop(cluster, node, DOOMED_MS)
    }

    fn tear(&mut self, cluster: &mut Cluster, node: usize) -> Checked {
        cluster.crash_tearing(node)?;
        self.later(cluster, DOOMED_MS, Later::Start(node));
        Ok(())
    }

    fn stop(&mut self, cluster: &mut Cluster, node: usize, down_ms: (u64, u64)) -> Checked {
        cluster.crash(node)?;
        self.later(cluster, down_ms, Later::Start(node));
        Ok(())
    }

    fn later(&mut self, cluster: &mut Cluster, in_ms: (u64, u64), later: Later) {
        self.scheduled += 1;
        self.outstanding.insert(self.scheduled, later);
        cluster.set_alarm(self.random.between(in_ms.0, in_ms.1), Alarm::Later(self.scheduled));
    }

    /// A first start that comes late.
    pub(crate) fn start_later(&mut self, cluster: &mut Cluster, node: usize, in_ms: u64) {
        self.later(cluster, (in_ms, in_ms), Later::Start(node));
    }

    /// The time has come for what follows on a fault.
    pub(crate) fn follow(&mut self, cluster: &mut Cluster, number: usize) -> Checked {
        let Some(later) = self.outstanding.remove(&number) else {
            return Ok(());
        };
        match later {
            Later::Mend(cut) => {
                for (from, to) in &cut.pairs {
                    cluster.mend(*from, *to);
                }
                cluster.journal.ends(cluster.now_ms, cut.kind, &cut.nodes, || "all of these links are open".to_owned());
            }
            Later::Silence => {
                let Network { delay_ms, loss_permille, double_permille, late_permille, .. } = Network::healthy();
                cluster.network.delay_ms = delay_ms;
                cluster.network.loss_permille = loss_permille;
                cluster.network.double_permille = double_permille;
                cluster.network.late_permille = late_permille;
                cluster.journal.ends(cluster.now_ms, NOISE, &[], || "messages arrive".to_owned());
            }
            Later::Start(node) => cluster.start(node)?,
            Later::Resume(node) => cluster.resume(node)?,
            Later::FastDisks => cluster.speed_up_disks(),
            Later::Space(node) => cluster.set_space(node, true)?,
            Later::SteadyClock(node) => cluster.drift(node, 0),
            Later::AddToView(node) => {
                let via = self.random.index(cluster.nodes.len());
                cluster.administer(via, Request::AddToView(address(node)));
            }
            Later::Order(node, request) => {
                cluster.administer(node, request);
            }
        }
        Ok(())
    }

    /// Nothing is wrong any more, and nothing will be.
    pub(crate) fn heal(&mut self, cluster: &mut Cluster) -> Checked {
        self.over = true;
        cluster.trace.note(cluster.now_ms, || "HEAL".into());
        cluster.disarm();
        self.outstanding.retain(|_, later| !matches!(later, Later::Order(..)));
        while let Some(number) = self.outstanding.keys().next().copied() {
            self.follow(cluster, number)?;
        }
        for node in 0..cluster.nodes.len() {
            cluster.start(node)?;
            cluster.resume(node)?;
        }
        Ok(())
    }
}
