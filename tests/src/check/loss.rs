//! Which writes may be lost: those for which as many disks were destroyed as their replies claimed.
//!
//! In doubt a write may be lost: nobody knows which disks had it, so any will do.

use std::collections::BTreeMap;

use crate::history::{Fault, Operation};

/// What is never lost.
pub(super) const NEVER_US: u64 = u64::MAX;

/// From when on the disks that had `write` may all have been destroyed, in microseconds since the run began. A reply that
/// claims nothing claims one disk; what is on no disk is lost by any fault.
pub(super) fn lost_from_us(write: &Operation, faults: &[(usize, &Fault)]) -> u64 {
    let faults = faults.iter().map(|(_, fault)| *fault).filter(|fault| fault.end_us >= write.start_us);
    let Some(more_disks) = write.durable.unwrap_or(1).checked_sub(1) else {
        return faults.map(|fault| fault.start_us).min().unwrap_or(NEVER_US);
    };
    let mut destroyed_us = BTreeMap::new();
    for fault in faults {
        for node in &fault.destroys {
            let first_us = destroyed_us.entry(node).or_insert(fault.start_us);
            *first_us = fault.start_us.min(*first_us);
        }
    }
    let mut times_us: Vec<u64> = destroyed_us.into_values().collect();
    times_us.sort_unstable();
    times_us.get(more_disks as usize).copied().unwrap_or(NEVER_US)
}
