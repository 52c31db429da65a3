//! The whole cluster in one thread: a queue of events in virtual time around real cores. Knows no workload and no plan of
//! faults; whoever drives it sets alarms, and takes notices.

mod doom;
mod driving;
mod hosts;
mod inspection;
mod requests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
};

use node_core::{Address, Body, Bug, Durability, Envelope, Event, Reply, Request, RequestId, Settings};

pub(crate) use self::doom::Doom;
use crate::{
    clock::NodeClock,
    disk::Disk,
    faults::Step,
    journal::Journal,
    network::Network,
    node::{Input, Node},
    oracle::{Context, Oracle},
    random::Random,
    tamper::Tamper,
    trace::Trace,
    violation::{Checked, Violation},
    watch::Watch,
    wire,
};

/// How often it is looked for replies that are late.
const OVERDUE_CHECK_MS: u64 = 100;
/// How long after a disk was destroyed a former owner may not have heard of it when it deletes its data.
const NEWS_OF_WIPE_MS: u64 = 30_000;
/// A core that asks for so many timeouts without time passing spins.
const TIMEOUTS_AT_ONCE_MAX: u32 = 50;

/// How a node is started for the first time.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) view: Vec<usize>,
    pub(crate) shard_count: Option<u32>,
}

pub(crate) fn address(node: usize) -> Address {
    Address::from((Ipv4Addr::new(10, 10, 0, 2 + node as u8), 8080))
}

#[derive(Debug)]
enum Happening {
    Deliver { from: usize, to: usize, envelope: Box<Envelope> },
    LinkDown { node: usize, peer: usize },
    Synced { node: usize, life: u32, batch: u64 },
    Timer { node: usize, life: u32 },
    Request { node: usize, id: RequestId, request: Request },
    Alarm(Alarm),
}

/// A wish of the driver to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    Client(usize, u32),
    Fault(usize),
    Later(usize),
}

/// What the driver is told.
#[derive(Debug)]
pub(crate) enum Notice {
    Alarm(Alarm),
    /// A reply, and what a client knows after it.
    Answered {
        id: RequestId,
        reply: Reply,
        context: Option<Context>,
    },
    /// A node is to die now.
    Doomed {
        node: usize,
        doom: Doom,
    },
    /// The connection broke: whether the request was carried out is unknown.
    Refused {
        id: RequestId,
    },
}

struct Asked {
    node: usize,
    operation: Option<usize>,
    asked_ms: u64,
    limit_ms: u64,
    /// The client has gone: a reply may come or not.
    cancelled: bool,
}

#[derive(Default, Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) messages: u64,
    pub(crate) lost_messages: u64,
    pub(crate) writes_lost: u64,
    pub(crate) provisional: u64,
    pub(crate) torn: u64,
    pub(crate) drained: u64,
}

pub(crate) struct Cluster {
    pub(crate) now_ms: u64,
    pub(crate) nodes: Vec<Node>,
    /// Nodes whose pings are lost, and nothing else of what they say.
    pub(crate) without_pings: Vec<usize>,
    /// Disks that were destroyed: they no longer count, but what they acknowledged was true.
    destroyed: Vec<Disk>,
    pub(crate) network: Network,
    /// Alters messages and tokens on their way.
    pub(crate) tamper: Option<Tamper>,
    pub(crate) sync_ms: (u64, u64),
    bug: Option<Bug>,
    /// The step of a reshard at which a node is to be killed.
    armed: Option<Step>,
    /// Until when syncs may still be slow enough to delay writes.
    pub(crate) slow_until_ms: u64,
    pub(crate) oracle: Oracle,
    pub(crate) trace: Trace,
    pub(crate) journal: Journal,
    /// Whether nobody judges: nothing is wrong, whatever happens.
    blind: bool,
    pub(crate) tally: Tally,
    /// Nodes out of the view by request, or about to be.
    pub(crate) removed: Vec<bool>,
    random: Random,
    queue: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    asked: BTreeMap<RequestId, Asked>,
    pub(crate) notices: VecDeque<Notice>,
    wiped_ms: Option<u64>,
    overdue_checked_ms: u64,
    timeouts_at_once: (u64, usize, u32),
    pub(crate) events: Vec<(usize, Event)>,
}

impl Cluster {
    /// Hosts that are all down, with empty disks.
    pub(crate) fn new(hosts: &[Host], bug: Option<Bug>, mut random: Random, watch: Watch) -> Self {
        let nodes = hosts
            .iter()
            .enumerate()
            .map(|(index, host)| Node {
                address: address(index),
                settings: Settings {
                    address: address(index),
                    view: host.view.iter().map(|peer| address(*peer)).collect(),
                    shard_count: host.shard_count,
                    secret: None,
                    durability: Durability::Sync,
                },
                core: None,
                disk: Disk::empty(random.next()),
                clock: NodeClock::new(random.between(0, 400) as i64 - 200),
                paused: false,
                held: VecDeque::new(),
                life: 0,
                timer_at_ms: None,
                disturbed_ms: 0,
                slow_sync_ms: None,
                full: false,
                knows_full: false,
                tear_next: false,
                next_batch: 1,
            })
            .collect();
        Self {
            now_ms: 0,
            nodes,
            without_pings: Vec::new(),
            destroyed: Vec::new(),
            network: Network::healthy(),
            tamper: None,
            sync_ms: (1, 4),
            bug,
            armed: None,
            slow_until_ms: 0,
            oracle: Oracle::new(),
            trace: watch.trace,
            journal: watch.journal,
            blind: watch.blind,
            tally: Tally::default(),
            removed: vec![false; hosts.len()],
            random,
            queue: BTreeMap::new(),
            sequence: 0,
            asked: BTreeMap::new(),
            notices: VecDeque::new(),
            wiped_ms: None,
            overdue_checked_ms: 0,
            timeouts_at_once: (0, 0, 0),
            events: Vec::new(),
        }
    }

    pub(crate) fn set_alarm(&mut self, in_ms: u64, alarm: Alarm) {
        self.schedule(in_ms, Happening::Alarm(alarm));
    }

    fn schedule(&mut self, in_ms: u64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now_ms + in_ms, self.sequence), happening);
    }

    /// What is wrong ends the run, if anybody judges it.
    pub(crate) fn found(&self, violation: Violation) -> Checked {
        if self.blind { Ok(()) } else { Err(violation) }
    }

    // ---- time ----

    /// When the next thing happens.
    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    /// Lets the next thing happen. False when nothing ever will.
    pub(crate) fn step(&mut self) -> Checked<bool> {
        let Some(((at_ms, _), happening)) = self.queue.pop_first() else {
            return Ok(false);
        };
        self.now_ms = at_ms;
        if at_ms >= self.overdue_checked_ms + OVERDUE_CHECK_MS {
            self.overdue_checked_ms = at_ms;
            self.check_overdue()?;
        }
        match happening {
            Happening::Deliver { from, to, envelope } => {
                if self.network.is_cut(from, to) || self.nodes[to].core.is_none() {
                    self.tally.lost_messages += 1;
                    return Ok(true);
                }
                self.tally.messages += 1;
                self.trace.fold(&[to as u8, from as u8]);
                self.trace.fold(&at_ms.to_be_bytes());
                self.trace.note_slots(at_ms, wire::slots(&envelope.body), || {
                    format!("node{} -> node{}: {}", from + 1, to + 1, wire::describe(&envelope))
                });
                let step = match envelope.body {
                    Body::Propose { .. } => Some(Step::Asked),
                    Body::SnapshotRequest { .. } => Some(Step::Source),
                    Body::SnapshotChunk(_) => Some(Step::Copying),
                    _ => None,
                };
                self.input(to, Input::Message(envelope))?;
                if let Some(step) = step {
                    self.passes(to, step);
                }
            }
            Happening::LinkDown { node, peer } => {
                let peer = self.nodes[peer].address;
                self.input(node, Input::LinkDown(peer))?;
            }
            Happening::Synced { node, life, batch } => {
                if self.nodes[node].life == life && self.nodes[node].core.is_some() {
                    self.sync(node, batch)?;
                }
            }
            Happening::Timer { node, life } => self.timer(node, life)?,
            Happening::Request { node, id, request } => {
                if self.nodes[node].core.is_none() {
                    self.refuse(id);
                } else {
                    self.input(node, Input::Request(id, request))?;
                }
            }
            Happening::Alarm(alarm) => self.notices.push_back(Notice::Alarm(alarm)),
        }
        Ok(true)
    }

    fn sync(&mut self, node: usize, batch: u64) -> Checked {
        if self.nodes[node].disk.takes_failure() {
            self.doom(node, Doom::SyncFailed);
            return Ok(());
        }
        let applied = self.nodes[node].disk.sync(batch)?;
        self.applied(node, &applied)?;
        self.input(node, Input::Persisted(batch))?;
        if applied.placed {
            self.passes(node, Step::Synced);
        }
        Ok(())
    }

    fn timer(&mut self, node: usize, life: u32) -> Checked {
        let host = &mut self.nodes[node];
        if host.life != life || host.timer_at_ms != Some(self.now_ms) {
            return Ok(());
        }
        host.timer_at_ms = None;
        let (at_ms, who, count) = self.timeouts_at_once;
        let count = if (at_ms, who) == (self.now_ms, node) { count + 1 } else { 1 };
        self.timeouts_at_once = (self.now_ms, node, count);
        if count > TIMEOUTS_AT_ONCE_MAX {
            return Err(Violation::new(format!(
                "node{} wants one timeout after another while no time passes",
                node + 1
            )));
        }
        self.input(node, Input::Timeout)
    }
}
