//! Every record that was ever durable on some disk, and which of them are gone with the disks that held them.
//!
//! Checks disks, not replies: a frontier that covers a write must come with that write or with one that beats it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use node_core::{Dot, Key, Record, SlotId};

use crate::{
    disk::StoredSlot,
    violation::{Checked, Violation},
};

/// Where a record stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// On a disk of a member.
    Kept,
    /// Only on disks of nodes removed from the view, at some time: reads need not wait for it (rule 12).
    Waived,
    /// At some time on no disk at all.
    Lost,
}

#[derive(Default)]
pub(crate) struct Ledger {
    records: BTreeMap<Dot, Arc<Record>>,
    by_version: BTreeMap<String, Dot>,
    by_slot: BTreeMap<SlotId, Vec<Dot>>,
    by_key: BTreeMap<String, Vec<Dot>>,
    waived: BTreeSet<Dot>,
    lost: BTreeSet<Dot>,
    blind: BTreeSet<Dot>,
}

impl Ledger {
    /// A record became durable somewhere. Says whether it is new.
    pub(crate) fn persisted(&mut self, record: &Arc<Record>) -> Checked<bool> {
        let dot = record.dot;
        if let Some(known) = self.records.get(&dot) {
            return if known == record {
                Ok(false)
            } else {
                Err(Violation::of(
                    dot.slot,
                    format!("invariant 1: {dot:?} names two records: {known:?} and {record:?}"),
                ))
            };
        }
        if !Key::new(record.key()).is_ok_and(|key| key.slot() == dot.slot) {
            return Err(Violation::of(dot.slot, format!("{dot:?} is not in the slot of its key {}", record.key())));
        }
        if let Some(other) = self.by_version.insert(record.version().to_owned(), dot) {
            return Err(Violation::of(dot.slot, format!("{dot:?} and {other:?} have one version")));
        }
        self.records.insert(dot, Arc::clone(record));
        self.by_slot.entry(dot.slot).or_default().push(dot);
        self.by_key.entry(record.key().to_owned()).or_default().push(dot);
        Ok(true)
    }

    pub(crate) fn by_version(&self, version: &str) -> Option<&Arc<Record>> {
        self.records.get(self.by_version.get(version)?)
    }

    pub(crate) fn record(&self, dot: Dot) -> Option<&Arc<Record>> {
        self.records.get(&dot)
    }

    pub(crate) fn of_key(&self, key: &str) -> impl Iterator<Item = &Arc<Record>> {
        self.by_key.get(key).into_iter().flatten().map(|dot| &self.records[dot])
    }

    pub(crate) fn of_slot(&self, slot: SlotId) -> impl Iterator<Item = Dot> + '_ {
        self.by_slot.get(&slot).into_iter().flatten().copied()
    }

    pub(crate) fn dots(&self) -> Vec<Dot> {
        self.records.keys().copied().collect()
    }

    pub(crate) fn fate(&self, dot: Dot) -> Fate {
        if self.lost.contains(&dot) {
            Fate::Lost
        } else if self.waived.contains(&dot) {
            Fate::Waived
        } else {
            Fate::Kept
        }
    }

    /// Whether a record may stand although a deletion with a later clock was collected: its replica did not know of that, since
    /// it had been removed from the view, or its disk was new.
    pub(crate) fn may_stand(&self, dot: Dot) -> bool {
        self.waived.contains(&dot) || self.blind.contains(&dot)
    }

    /// Whether a slot has such a record.
    pub(crate) fn has_uninformed(&self, slot: SlotId) -> bool {
        self.waived.union(&self.blind).any(|dot| dot.slot == slot)
    }

    /// It was written where the slot was not complete.
    pub(crate) fn set_blind(&mut self, dot: Dot) {
        self.blind.insert(dot);
    }

    pub(crate) fn set_waived(&mut self, dot: Dot) {
        self.waived.insert(dot);
    }

    pub(crate) fn set_lost(&mut self, dot: Dot) {
        self.lost.insert(dot);
    }

    /// Whether a slot on disk is what its frontier says (invariants 2 and 11).
    pub(crate) fn check_slot(&self, slot: SlotId, stored: &StoredSlot) -> Checked {
        let Some(meta) = &stored.meta else {
            return Ok(());
        };
        let covered = |dot: Dot| meta.frontier.get(dot.origin) >= dot.seq;
        for dot in self.of_slot(slot).filter(|dot| covered(*dot)) {
            let record = &self.records[&dot];
            let beaten = match stored.records.get(record.key()) {
                Some(held) => held.rank() >= record.rank() || self.may_stand(held.dot),
                // Nothing is held: a tombstone that beats the record was applied, and collected.
                None => self
                    .of_key(record.key())
                    .any(|other| other.is_tombstone() && covered(other.dot) && other.rank() >= record.rank()),
            };
            if !beaten {
                return Err(Violation::of(
                    slot,
                    format!(
                        "invariants 2 and 11: the frontier covers {dot:?} ({}, {:?}) but the disk holds {:?}",
                        record.key(),
                        record.hlc,
                        stored.records.get(record.key()).map(|held| (held.dot, held.hlc, held.is_tombstone())),
                    ),
                ));
            }
        }
        for record in stored.records.values() {
            if !covered(record.dot) {
                return Err(Violation::of(
                    slot,
                    format!("invariant 2: the disk holds {:?}, which its frontier does not cover", record.dot),
                ));
            }
            if meta.clock < record.hlc {
                return Err(Violation::of(
                    slot,
                    format!("rule 13: the slot's clock is below that of {:?}", record.dot),
                ));
            }
        }
        Ok(())
    }
}
