//! What happened, twice over: a hash of everything, which tells whether two runs were the same, and, only in the replay of a
//! failure because text is slow, lines to read.

use std::{cell::RefCell, fmt::Write, rc::Rc};

use node_core::SlotId;

struct Line {
    at_ms: u64,
    slots: Vec<SlotId>,
    /// Whether it matters whatever the slot: faults, placements, identities.
    always: bool,
    text: String,
}

#[derive(Default)]
struct Log {
    recording: bool,
    hash: u64,
    lines: Vec<Line>,
}

/// Shared, so that it outlives a run that panics.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<RefCell<Log>>);

impl Trace {
    pub(crate) fn recording() -> Self {
        let trace = Self::default();
        trace.0.borrow_mut().recording = true;
        trace
    }

    /// Adds a fact to the hash (FNV-1a, by bytes).
    pub(crate) fn fold(&self, fact: &[u8]) {
        let mut log = self.0.borrow_mut();
        for byte in fact {
            log.hash = (log.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.0.borrow().hash
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.0.borrow().recording
    }

    /// A line about the whole cluster.
    pub(crate) fn note(&self, at_ms: u64, text: impl FnOnce() -> String) {
        self.push(at_ms, Vec::new(), true, text);
    }

    /// A line about some slots; with none, a line that is seldom wanted.
    pub(crate) fn note_slots(&self, at_ms: u64, slots: Vec<SlotId>, text: impl FnOnce() -> String) {
        self.push(at_ms, slots, false, text);
    }

    fn push(&self, at_ms: u64, slots: Vec<SlotId>, always: bool, text: impl FnOnce() -> String) {
        if !self.is_recording() {
            return;
        }
        let text = text();
        self.0.borrow_mut().lines.push(Line { at_ms, slots, always, text });
    }

    /// The last `count` lines that concern `slot`, or of all lines when there is none.
    pub(crate) fn tail(&self, slot: Option<SlotId>, count: usize) -> String {
        let log = self.0.borrow();
        let wanted: Vec<&Line> =
            log.lines.iter().filter(|line| line.always || slot.is_none_or(|slot| line.slots.contains(&slot))).collect();
        let mut tail = String::new();
        for line in &wanted[wanted.len().saturating_sub(count)..] {
            let _ = writeln!(tail, "{:>7} {}", line.at_ms, line.text);
        }
        tail
    }
}
