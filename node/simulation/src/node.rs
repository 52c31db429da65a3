//! One simulated host: a process that may be running, stopped or paused, and the disk and clocks that outlive it.

use std::collections::VecDeque;

use node_core::{Address, Core, Envelope, Request, RequestId, Settings};

use crate::{clock::NodeClock, disk::Disk};

/// What a driver puts into a core.
#[derive(Debug)]
pub(crate) enum Input {
    Request(RequestId, Request),
    Cancel(RequestId),
    Message(Box<Envelope>),
    LinkDown(Address),
    Persisted(u64),
    Space(bool),
    /// The node is about to stop.
    #[cfg(test)]
    Leaving,
    Timeout,
}

pub(crate) struct Node {
    pub(crate) address: Address,
    pub(crate) settings: Settings,
    pub(crate) core: Option<Core>,
    pub(crate) disk: Disk,
    pub(crate) clock: NodeClock,
    pub(crate) paused: bool,
    /// What came in while paused.
    pub(crate) held: VecDeque<Input>,
    /// Counts the starts, so that what was meant for an earlier process is dropped.
    pub(crate) life: u32,
    /// The virtual time for which a timer event is under way.
    pub(crate) timer_at_ms: Option<u64>,
    /// The last time it was started, stopped, paused or resumed: promises about time hold only since then.
    pub(crate) disturbed_ms: u64,
    /// How long its syncs take while its disk is slow.
    pub(crate) slow_sync_ms: Option<(u64, u64)>,
    /// Whether its disk is full.
    pub(crate) full: bool,
    /// Whether the process knows so, and must not write records.
    pub(crate) knows_full: bool,
    /// Whether its next batch is to reach the disk in part, and the process to die.
    pub(crate) tear_next: bool,
    /// The number that the next batch must have.
    pub(crate) next_batch: u64,
}

impl Node {
    pub(crate) fn is_up(&self) -> bool {
        self.core.is_some() && !self.paused
    }
}
