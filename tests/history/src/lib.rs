//! What clients did and saw, and what was done to the cluster meanwhile: a history, one JSON object a line, written by
//! whoever runs the clients: the tests of real clusters and the simulation. It judges nothing.
//!
//! It knows nothing of a store: tokens are numbers here, because only their way from reply to request matters.

mod lines;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// Everything of one run, in the order in which it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The lines.
    pub events: Vec<Event>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The first line: how it came about.
    Run(Run),
    /// What a client asked, and what came of it.
    Operation(Operation),
    /// What was done to the cluster.
    Fault(Fault),
    /// What kept the cluster from coming to rest after all was healed.
    Unrest(Unrest),
    /// The last line: the clients are done, and nothing was left out. Without it the history was cut off.
    End(End),
}

/// How a history came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Run {
    /// Decided the schedule.
    pub seed: u64,
    /// What was run, for people: an image, or "simulation".
    pub store: String,
    /// The nodes' names, in the order in which they are shown.
    pub nodes: Vec<String>,
}

/// What a client asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Operation {
    /// Which client, counted from 1.
    pub client: u32,
    /// The node that it asked.
    pub node: String,
    /// What it asked for.
    pub kind: Kind,
    /// Of which key; of which shard for [`Kind::Count`].
    pub key: String,
    /// What a put wrote, or what a read or a count was answered. Two puts never write the same value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The token it carried, by the number of the reply that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_in: Option<u64>,
    /// The number of the token that the reply brought; no two replies have the same, even where the text is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_out: Option<u64>,
    /// The reply's HTTP status; `None` when no reply came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it was sent, in microseconds since the run began.
    pub start_us: u64,
    /// When the reply had come, or was not waited for any longer.
    pub end_us: u64,
    /// On how many disks the write is, as the reply says; `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable: Option<u32>,
    /// Whether it came after all was healed, quiet, and every acknowledged write should be everywhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

/// What a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The value of a key.
    Get,
    /// A key's new value.
    Put,
    /// That a key has no value.
    Delete,
    /// How many keys of a shard have a value.
    Count,
}

/// What was done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// The same for the beginning and the end of one fault.
    pub number: u32,
    /// `kill`, `wipe`, `partition`, …: what figures are summed up by.
    pub kind: String,
    /// For people: "node2 is killed", "node2 runs again".
    pub what: String,
    /// The nodes it is about.
    pub nodes: Vec<String>,
    /// The nodes whose disks it destroys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destroys: Vec<String>,
    /// The nodes that the others do without as long as it is on: what no other disk has counts as lost, also what is written
    /// there meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gives_up: Vec<String>,
    /// Whether the fault begins here, ends here, or is over at once.
    pub phase: Phase,
    /// When it was begun to be made, in microseconds since the run began.
    pub start_us: u64,
    /// When it was seen to be so.
    pub end_us: u64,
}

/// Where in the life of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// From here on it is broken.
    Begins,
    /// From here on it is not.
    Ends,
    /// Nothing stays broken: a reshard.
    Passes,
}

/// What kept the cluster from coming to rest after all was healed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unrest {
    /// For people: what was awaited, and what was seen last.
    pub what: String,
    /// When it was first waited for, in microseconds since the run began.
    pub start_us: u64,
    /// When it was not waited for any longer.
    pub end_us: u64,
}

/// The last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct End {
    /// When, in microseconds since the run began.
    pub end_us: u64,
}

impl History {
    /// The operations, in the order in which they ended.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.events.iter().filter_map(|event| match event {
            Event::Operation(operation) => Some(operation),
            _ => None,
        })
    }

    /// The faults, in order.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.events.iter().filter_map(|event| match event {
            Event::Fault(fault) => Some(fault),
            _ => None,
        })
    }

    /// The faults, each as it began and as it ended; `None` for one that was still on when the history ended.
    #[must_use]
    pub fn spans(&self) -> Vec<(&Fault, Option<&Fault>)> {
        let mut spans: Vec<(&Fault, Option<&Fault>)> = Vec::new();
        let mut open: BTreeMap<u32, usize> = BTreeMap::new();
        for fault in self.faults() {
            if fault.phase == Phase::Begins {
                open.insert(fault.number, spans.len());
                spans.push((fault, None));
            } else if let Some(begun) = open.remove(&fault.number) {
                spans[begun].1 = Some(fault);
            } else {
                spans.push((fault, Some(fault)));
            }
        }
        spans
    }

    /// What kept the cluster from coming to rest, if anything did.
    #[must_use]
    pub fn unrest(&self) -> Option<&Unrest> {
        self.events.iter().find_map(|event| match event {
            Event::Unrest(unrest) => Some(unrest),
            _ => None,
        })
    }

    /// How it came about, if its first line is there.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.events.iter().find_map(|event| match event {
            Event::Run(run) => Some(run),
            _ => None,
        })
    }

    /// Whether its last line is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.events.last(), Some(Event::End(_)))
    }
}

impl Operation {
    /// Whether the reply says that it was done, or that there was nothing to do it to.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self.status, Some(200 | 201 | 404))
    }

    /// Whether it wrote, as far as its reply tells: 503 and no reply leave that open.
    #[must_use]
    pub fn wrote(&self) -> Wrote {
        match (self.kind, self.status) {
            (Kind::Get | Kind::Count, _) => Wrote::No,
            (_, Some(200 | 201)) => Wrote::Yes,
            (_, Some(400..500)) => Wrote::No,
            _ => Wrote::Maybe,
        }
    }

    /// From sending to the reply.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.end_us.saturating_sub(self.start_us))
    }
}

/// Whether an operation changed its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// Nobody knows: it may have, or may still.
    Maybe,
}
