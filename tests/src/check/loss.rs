//! Which writes may be lost: those for which as many disks were destroyed, or given up, as their replies claimed.
//!
//! In doubt a write may be lost: nobody knows which disks had it, so any will do.

use std::collections::BTreeMap;

use crate::history::{Fault, History, Operation};

/// What is never lost.
pub(super) const NEVER_US: u64 = u64::MAX;

/// What was lost in a history.
pub(super) struct Losses<'a> {
    faults: Vec<&'a Fault>,
    disks: Vec<Gone<'a>>,
}

/// A disk that does not count for what was written before `to_us`, in microseconds since the run began.
struct Gone<'a> {
    node: &'a str,
    from_us: u64,
    to_us: u64,
}

impl<'a> Losses<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let faults: Vec<&Fault> = history.faults().collect();
        let destroyed = faults.iter().flat_map(|fault| {
            let gone = |node: &'a String| Gone { node, from_us: fault.start_us, to_us: fault.end_us };
            fault.destroys.iter().map(gone)
        });
        let given_up = history.spans().into_iter().flat_map(|(begin, end)| {
            let to_us = end.map_or(NEVER_US, |end| end.end_us);
            begin.gives_up.iter().map(move |node| Gone { node, from_us: begin.start_us, to_us })
        });
        let disks = destroyed.chain(given_up).collect();
        Self { faults, disks }
    }

    /// From when on the disks that had `write` may all be gone, in microseconds since the run began. A reply that claims
    /// nothing claims one disk; what is on no disk is lost by any fault.
    pub(super) fn lost_from_us(&self, write: &Operation) -> u64 {
        let Some(more_disks) = write.durable.unwrap_or(1).checked_sub(1) else {
            let faults = self.faults.iter().filter(|fault| fault.end_us >= write.start_us);
            return faults.map(|fault| fault.start_us).min().unwrap_or(NEVER_US);
        };
        let mut gone_us = BTreeMap::new();
        for disk in self.disks.iter().filter(|disk| disk.to_us >= write.start_us) {
            let first_us = gone_us.entry(disk.node).or_insert(disk.from_us);
            *first_us = disk.from_us.min(*first_us);
        }
        let mut times_us: Vec<u64> = gone_us.into_values().collect();
        times_us.sort_unstable();
        times_us.get(more_disks as usize).copied().unwrap_or(NEVER_US)
    }
}
