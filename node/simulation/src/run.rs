//! One seed from start to end: a cluster, clients, faults, healing, checks.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use history::History;
use node_core::{Bug, Key, Reply, RequestId};

use crate::{
    client::Clients,
    cluster::{Alarm, Cluster, Host, Notice, Tally},
    faults::{Faults, Met},
    healing,
    journal::Journal,
    oracle::Context,
    random::Random,
    tamper::{Tamper, Tampered},
    trace::Trace,
    violation::{Checked, Violation},
    watch::Watch,
};

/// Virtual milliseconds of good weather before the faults, and the time until all is healed.
const CALM_MS: u64 = 4_000;
const HEAL_MS: u64 = 44_000;
/// How long every run lasts at least.
const END_MS: u64 = 60_000;
/// How long an answer is waited for: longer than any may take.
const ANSWER_LIMIT_MS: u64 = 70_000;
/// How often something goes wrong, at least and at most.
const FAULTS: (u64, u64) = (6, 14);

/// What a clean run did, to see that it did something.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) hash: u64,
    pub(crate) virtual_ms: u64,
    pub(crate) operations: u64,
    /// Replies by kind.
    pub(crate) replies: BTreeMap<&'static str, u64>,
    pub(crate) met: Met,
    pub(crate) tally: Tally,
    /// Whether an operator had to reshard after disks were destroyed.
    pub(crate) helped: bool,
}

pub(crate) struct Run {
    pub(crate) cluster: Cluster,
    pub(crate) clients: Clients,
    pub(crate) faults: Faults,
    pub(crate) replies: BTreeMap<&'static str, u64>,
    /// What was answered, or broke off, and is not a client's, until it is asked for.
    outcomes: BTreeMap<RequestId, Option<(Reply, Option<Context>)>>,
}

impl Run {
    /// The hosts, all down, without clients and faults.
    pub(crate) fn quiet(hosts: &[Host], bug: Option<Bug>, mut random: Random, watch: Watch) -> Self {
        let mut cluster = Cluster::new(hosts, bug, random.fork(), watch);
        let clients = Clients::start(&mut cluster, 0, Vec::new(), random.fork());
        let faults = Faults::plan(&mut cluster, 0, 0, 0, random.fork());
        Self { cluster, clients, faults, replies: BTreeMap::new(), outcomes: BTreeMap::new() }
    }

    /// Everything drawn from the seed.
    fn random(seed: u64, bug: Option<Bug>, watch: Watch) -> Self {
        let mut random = Random::new(seed);
        let hosts = hosts(&mut random);
        let mut run = Self::quiet(&hosts, bug, random.fork(), watch);
        let cluster = &mut run.cluster;
        cluster.network.delay_ms = (1, random.between(1, 8));
        cluster.sync_ms = (1, random.between(2, 40));
        let keys = keys(&mut random);
        let count = random.between(4, 8) as usize;
        run.clients = Clients::start(cluster, count, keys, random.fork());
        let count = random.between(FAULTS.0, FAULTS.1) as usize;
        run.faults = Faults::plan(cluster, count, CALM_MS, HEAL_MS - 2_000, random.fork());
        for (node, host) in hosts.iter().enumerate() {
            let late = host.shard_count.is_none() && hosts[0].shard_count.is_some();
            let in_ms = if late { CALM_MS } else { random.between(0, 1_500) };
            run.faults.start_later(cluster, node, in_ms);
        }
        run
    }

    /// Lets time pass.
    pub(crate) fn until(&mut self, at_ms: u64) -> Checked {
        while self.cluster.next_ms().is_some_and(|next_ms| next_ms <= at_ms) {
            self.cluster.step()?;
            self.take_notices()?;
        }
        self.cluster.now_ms = at_ms;
        Ok(())
    }

    /// Lets time pass until there is a reply; `None` when the node went away, or keeps silent.
    pub(crate) fn reply(&mut self, wanted: RequestId) -> Checked<Option<Reply>> {
        Ok(self.outcome(wanted)?.map(|(reply, _)| reply))
    }

    /// As [`reply`](Self::reply), with what the client carries from then on.
    pub(crate) fn outcome(&mut self, wanted: RequestId) -> Checked<Option<(Reply, Option<Context>)>> {
        let deadline_ms = self.cluster.now_ms + ANSWER_LIMIT_MS;
        loop {
            if let Some(outcome) = self.outcomes.remove(&wanted) {
                return Ok(outcome);
            }
            if self.cluster.now_ms > deadline_ms {
                self.cluster.give_up(wanted)?;
                return Ok(None);
            }
            if !self.cluster.step()? {
                return Err(Violation::new(format!("nothing will ever happen, and {wanted:?} has no reply")));
            }
            self.take_notices()?;
        }
    }

    fn take_notices(&mut self) -> Checked {
        while let Some(notice) = self.cluster.notices.pop_front() {
            match notice {
                Notice::Alarm(Alarm::Client(client, turn)) => self.clients.wake(&mut self.cluster, client, turn)?,
                Notice::Alarm(Alarm::Fault(_)) => self.faults.strike(&mut self.cluster)?,
                Notice::Alarm(Alarm::Later(number)) => self.faults.follow(&mut self.cluster, number)?,
                Notice::Doomed { node, doom } => self.faults.doomed(&mut self.cluster, node, doom)?,
                Notice::Answered { id, reply, context } => {
                    *self.replies.entry(name(&reply)).or_insert(0) += 1;
                    if !self.clients.answered(&mut self.cluster, id, context.as_ref()) {
                        self.outcomes.insert(id, Some((reply, context)));
                    }
                }
                Notice::Refused { id } => {
                    *self.replies.entry("refused").or_insert(0) += 1;
                    if !self.clients.answered(&mut self.cluster, id, None) {
                        self.outcomes.insert(id, None);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Three to seven nodes, with or without shards, sometimes one that joins later (contract, "Starting a node").
fn hosts(random: &mut Random) -> Vec<Host> {
    let single = random.chance(150);
    let count = if single { random.between(2, 4) } else { random.between(3, 7) } as usize;
    let shard_count = (!single).then(|| random.between(1, count as u64 / 2) as u32);
    let mut hosts: Vec<Host> = (0..count).map(|_| Host { view: (0..count).collect(), shard_count }).collect();
    if !single && count < 7 && random.chance(400) {
        hosts.push(Host { view: (0..=count).collect(), shard_count: None });
    }
    hosts
}

/// A few keys, several of them in the same slots.
fn keys(random: &mut Random) -> Vec<Key> {
    let count = random.between(2, 14) as usize;
    let slots = random.between(1, count as u64) as usize;
    let named = (0..).filter_map(|number| Key::new(&format!("key{number}")).ok());
    let mut keys: Vec<Key> = Vec::new();
    for key in named {
        if keys.len() < slots || keys.iter().any(|other| other.slot() == key.slot()) {
            keys.push(key);
        }
        if keys.len() == count {
            break;
        }
    }
    keys
}

fn name(reply: &Reply) -> &'static str {
    match reply {
        Reply::Value { .. } => "value",
        Reply::Missing { .. } => "missing",
        Reply::Written { .. } => "written",
        Reply::Unavailable { .. } => "unavailable",
        Reply::Invalid { .. } => "invalid",
        _ => "administration",
    }
}

fn attempt(seed: u64, bug: Option<Bug>, watch: &Watch) -> Checked<Summary> {
    let mut run = Run::random(seed, bug, watch.clone());
    watch.journal.opens(seed, bug, run.cluster.nodes.len());
    run.until(HEAL_MS)?;
    let helped = healing::heal(&mut run)?;
    let end_ms = run.cluster.now_ms.max(END_MS);
    run.until(end_ms)?;
    watch.journal.end(end_ms);
    Ok(Summary {
        hash: watch.trace.hash(),
        virtual_ms: run.cluster.now_ms,
        operations: run.clients.operations,
        replies: run.replies,
        met: run.faults.met,
        tally: run.cluster.tally,
        helped,
    })
}

/// As [`attempt`], with a panic of the core as a violation.
fn attempt_safely(seed: u64, bug: Option<Bug>, watch: &Watch) -> Checked<Summary> {
    catch(|| attempt(seed, bug, watch)).unwrap_or_else(|words| Err(Violation::new(format!("panic: {words}"))))
}

/// The words of a panic, if there is one.
fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
        words.unwrap_or_default()
    })
}

/// Runs the faults of a seed with messages and tokens altered, whatever comes of it.
pub(crate) fn run_tampered(seed: u64) -> Tampered {
    let mut run = Run::random(seed, None, Watch::default());
    run.cluster.tamper = Some(Tamper::new(Random::new(seed).fork()));
    let ended = catch(|| {
        while run.cluster.now_ms < HEAL_MS {
            // What the altered bytes lead to breaks promises: that ends a step, and no more.
            let _ = run.until(HEAL_MS);
        }
    });
    Tampered {
        seeds: 1,
        messages: run.cluster.tally.messages,
        altered: run.cluster.tamper.map_or(0, |tamper| tamper.altered),
        panics: ended.err().map(|words| (seed, words)).into_iter().collect(),
    }
}

/// Runs a seed.
///
/// # Errors
/// What is wrong.
pub(crate) fn run(seed: u64, bug: Option<Bug>) -> Checked<Summary> {
    attempt_safely(seed, bug, &Watch::default())
}

/// Runs a seed that is known to fail once more, and tells what is wrong and what led to it.
pub(crate) fn explain(seed: u64, bug: Option<Bug>, lines: usize) -> String {
    let trace = Trace::recording();
    let violation = match attempt_safely(seed, bug, &Watch { trace: trace.clone(), ..Watch::default() }) {
        Err(violation) => violation,
        Ok(_) => Violation::new("the failure does not repeat: the core is not deterministic"),
    };
    format!("seed {seed}: {violation}\n{}", trace.tail(violation.slot, lines))
}

/// What a seed was for its clients.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What they saw, and what was done to the cluster. Without its last line when the run broke off.
    pub history: History,
    /// What the simulation itself found wrong, which ended the run.
    pub violation: Option<String>,
}

/// Runs a seed and writes down what its clients see. Where it is not `judged`, the simulation's own checks are off, so that
/// only a panic or a core that breaks its driving contract ends the run: for histories that another is to judge.
#[must_use]
pub fn record(seed: u64, bug: Option<Bug>, judged: bool) -> Recording {
    let watch = Watch { journal: Journal::recording(), blind: !judged, ..Watch::default() };
    let violation = attempt_safely(seed, bug, &watch).err().map(|violation| violation.to_string());
    Recording { history: watch.journal.take(), violation }
}

#[cfg(test)]
mod tests;
