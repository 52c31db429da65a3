//! The history of a run: what its clients and hosts went through, for whoever judges by no more than that. Nothing of it
//! changes what happens, and nothing is written unless somebody asks for it.

use std::{cell::RefCell, collections::BTreeMap, mem, rc::Rc};

use history::{End, Event, Fault, History, Kind, Operation, Phase, Run, Unrest};
use node_core::{Bug, Reply, RequestId};

use crate::oracle;

/// Shared, so that it outlives a run that panics.
#[derive(Clone, Default)]
pub(crate) struct Journal(Option<Rc<RefCell<Log>>>);

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    /// What has no reply, as it was sent.
    open: BTreeMap<RequestId, Operation>,
    /// Whether all is healed and quiet.
    at_rest: bool,
    /// The faults that are on, with their numbers.
    on: BTreeMap<(&'static str, Vec<usize>), u32>,
    /// How many there were.
    faults: u32,
}

/// As it is called in a history.
pub(crate) fn name(node: usize) -> String {
    format!("node{}", node + 1)
}

/// An operation that a client sends now, without a value and without a token.
pub(crate) fn sent(now_ms: u64, client: u32, node: usize, kind: Kind, key: String) -> Operation {
    Operation {
        client,
        node: name(node),
        kind,
        key,
        value: None,
        token_in: None,
        token_out: None,
        status: None,
        start_us: micros(now_ms),
        end_us: 0,
        durable: None,
        last: false,
    }
}

/// A value of the store is JSON; in a history it is the text in it.
pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_matches('"').to_owned()
}

impl Journal {
    pub(crate) fn recording() -> Self {
        Self(Some(Rc::default()))
    }

    /// The first line.
    pub(crate) fn opens(&self, seed: u64, bug: Option<Bug>, nodes: usize) {
        self.write(|log| {
            let planted = bug.map(|bug| format!(" with {bug:?}")).unwrap_or_default();
            let nodes = (0..nodes).map(name).collect();
            log.events.push(Event::Run(Run { seed, store: format!("simulation{planted}"), nodes }));
        });
    }

    /// All that was written down. Without its last line when the run broke off.
    pub(crate) fn take(self) -> History {
        History { events: self.0.map(|log| mem::take(&mut log.borrow_mut().events)).unwrap_or_default() }
    }

    fn write(&self, write: impl FnOnce(&mut Log)) {
        if let Some(log) = &self.0 {
            write(&mut log.borrow_mut());
        }
    }

    // ---- operations ----

    pub(crate) fn asked(&self, id: RequestId, operation: impl FnOnce() -> Operation) {
        self.write(|log| {
            let last = log.at_rest;
            log.open.insert(id, Operation { last, ..operation() });
        });
    }

    /// `number` is that of the operation, by which its token is known.
    pub(crate) fn answered(&self, now_ms: u64, id: RequestId, number: Option<usize>, reply: &Reply) {
        self.write(|log| {
            log.close(now_ms, id, |operation| {
                operation.status = status(operation.kind, reply);
                operation.token_out = number.filter(|_| operation.is_answered()).map(|number| number as u64);
                match reply {
                    Reply::Value { record, .. } => operation.value = record.value().map(text),
                    Reply::KeyCount(count) => operation.value = Some(count.to_string()),
                    Reply::Written { replicas_durable, .. } => operation.durable = Some(*replicas_durable),
                    _ => {}
                }
            });
        });
    }

    /// The client has stopped waiting, or the connection broke.
    pub(crate) fn unanswered(&self, now_ms: u64, id: RequestId) {
        self.write(|log| log.close(now_ms, id, |_| ()));
    }

    // ---- the cluster ----

    /// From here on these nodes are in trouble; nothing new when they are already.
    pub(crate) fn begins(&self, now_ms: u64, kind: &'static str, nodes: &[usize], what: impl FnOnce() -> String) {
        self.write(|log| log.begin(now_ms, kind, nodes, |_| (), what));
    }

    /// From here on the disk of `node` is not what it was.
    pub(crate) fn destroys(&self, now_ms: u64, kind: &'static str, node: usize, what: impl FnOnce() -> String) {
        self.write(|log| log.begin(now_ms, kind, &[node], |fault| fault.destroys.push(name(node)), what));
    }

    /// From here on, and until that ends, the others do without `node`.
    pub(crate) fn gives_up(&self, now_ms: u64, kind: &'static str, node: usize, what: impl FnOnce() -> String) {
        self.write(|log| log.begin(now_ms, kind, &[node], |fault| fault.gives_up.push(name(node)), what));
    }

    /// From here on they are not, if they were.
    pub(crate) fn ends(&self, now_ms: u64, kind: &'static str, nodes: &[usize], what: impl FnOnce() -> String) {
        self.write(|log| {
            if let Some(number) = log.on.remove(&(kind, nodes.to_vec())) {
                log.events.push(Event::Fault(fault(now_ms, number, Phase::Ends, kind, nodes, what())));
            }
        });
    }

    /// Something happens that is over at once.
    pub(crate) fn passes(&self, now_ms: u64, kind: &'static str, nodes: &[usize], what: impl FnOnce() -> String) {
        self.write(|log| {
            log.faults += 1;
            log.events.push(Event::Fault(fault(now_ms, log.faults, Phase::Passes, kind, nodes, what())));
        });
    }

    /// All is healed and quiet: what is asked from now on is asked for the last time.
    pub(crate) fn rests(&self) {
        self.write(|log| log.at_rest = true);
    }

    pub(crate) fn never_rests(&self, from_ms: u64, now_ms: u64, what: impl FnOnce() -> String) {
        self.write(|log| {
            let unrest = Unrest { what: what(), start_us: micros(from_ms), end_us: micros(now_ms) };
            log.events.push(Event::Unrest(unrest));
        });
    }

    pub(crate) fn end(&self, now_ms: u64) {
        self.write(|log| log.events.push(Event::End(End { end_us: micros(now_ms) })));
    }
}

impl Log {
    fn close(&mut self, now_ms: u64, id: RequestId, end: impl FnOnce(&mut Operation)) {
        let Some(mut operation) = self.open.remove(&id) else { return };
        operation.end_us = micros(now_ms);
        end(&mut operation);
        self.events.push(Event::Operation(operation));
    }

    fn begin(
        &mut self,
        now_ms: u64,
        kind: &'static str,
        nodes: &[usize],
        more: impl FnOnce(&mut Fault),
        what: impl FnOnce() -> String,
    ) {
        let key = (kind, nodes.to_vec());
        if self.on.contains_key(&key) {
            return;
        }
        self.faults += 1;
        self.on.insert(key, self.faults);
        let mut fault = fault(now_ms, self.faults, Phase::Begins, kind, nodes, what());
        more(&mut fault);
        self.events.push(Event::Fault(fault));
    }
}

fn fault(now_ms: u64, number: u32, phase: Phase, kind: &str, nodes: &[usize], what: String) -> Fault {
    Fault {
        number,
        kind: kind.to_owned(),
        what,
        nodes: nodes.iter().map(|node| name(*node)).collect(),
        destroys: Vec::new(),
        gives_up: Vec::new(),
        phase,
        start_us: micros(now_ms),
        end_us: micros(now_ms),
    }
}

/// As the interface over HTTP says it; `None` for what is no answer to such a request.
fn status(kind: Kind, reply: &Reply) -> Option<u16> {
    match reply {
        Reply::Written { replaced: false, .. } if kind == Kind::Put => Some(201),
        Reply::Value { .. } | Reply::Written { .. } | Reply::KeyCount(_) => Some(200),
        Reply::Missing { .. } | Reply::NoSuchShard => Some(404),
        Reply::Invalid { .. } => Some(400),
        Reply::Unavailable { .. } => Some(503),
        _ => None,
    }
}

fn micros(ms: u64) -> u64 {
    ms * 1_000
}

impl From<oracle::Kind> for Kind {
    fn from(kind: oracle::Kind) -> Self {
        match kind {
            oracle::Kind::Get => Self::Get,
            oracle::Kind::Put => Self::Put,
            oracle::Kind::Delete => Self::Delete,
        }
    }
}
