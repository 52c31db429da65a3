//! Batches: what changed in one turn becomes durable as one, and what depends on it waits (rule 1).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Core, gossip::Audience, limits::META_BYTES};
use crate::{Body, Change, Effect, PlacementId, SlotId};

/// The changes under way to the disk.
#[derive(Debug)]
pub(super) struct Batches {
    /// Changes of the batch that is open.
    changes: Vec<Change>,
    /// Slots changed in the batch that is open.
    slots: BTreeSet<SlotId>,
    /// Number of the batch that is open.
    open: u64,
    /// Slots of each batch that is not durable yet.
    closed: BTreeMap<u64, Closed>,
    /// Bytes of all batches that are not durable yet, the open one included.
    bytes: usize,
    /// Bytes of the batch that is open.
    open_bytes: usize,
    /// Placements that are not durable yet, with their batches.
    placements: VecDeque<(u64, PlacementId)>,
    durable: u64,
    placement: PlacementId,
}

#[derive(Debug)]
struct Closed {
    slots: BTreeSet<SlotId>,
    bytes: usize,
}

impl Batches {
    pub(super) fn new(placement: PlacementId) -> Self {
        Self {
            changes: Vec::new(),
            slots: BTreeSet::new(),
            open: 1,
            closed: BTreeMap::new(),
            bytes: 0,
            open_bytes: 0,
            placements: VecDeque::new(),
            durable: 0,
            placement,
        }
    }

    /// The newest durable placement.
    pub(super) fn placement(&self) -> PlacementId {
        self.placement
    }

    /// The number that the open batch will have.
    pub(super) fn open_batch(&self) -> u64 {
        self.open
    }

    pub(super) fn is_durable(&self, batch: u64) -> bool {
        batch <= self.durable
    }

    /// Whether nothing is on its way to the disk.
    pub(super) fn is_idle(&self) -> bool {
        self.closed.is_empty() && self.changes.is_empty() && self.slots.is_empty()
    }

    /// Approximate bytes on their way to the disk.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Notes that the placement of this id was put into the open batch.
    pub(super) fn placed(&mut self, id: PlacementId) {
        self.placements.push_back((self.open, id));
    }
}

impl Core {
    /// Adds to the open batch.
    pub(super) fn change(&mut self, change: Change) {
        self.batches.changes.push(change);
    }

    /// Lets `edit` change a slot, and notes what it changed.
    pub(super) fn edit<T>(
        &mut self,
        slot: SlotId,
        edit: impl FnOnce(&mut super::slot::Slot, &mut Vec<Change>) -> T,
    ) -> T {
        let state = &mut self.slots[slot.index()];
        let before = self.batches.changes.len();
        let result = edit(state, &mut self.batches.changes);
        let mut bytes: usize = self.batches.changes[before..].iter().map(size_bytes).sum();
        if state.dirty && self.batches.slots.insert(slot) {
            bytes += META_BYTES;
        }
        self.batches.open_bytes += bytes;
        self.batches.bytes += bytes;
        result
    }

    /// The batch that a reply from this slot's present state must wait for; `None` when all of it is durable.
    pub(super) fn undurable_batch(&self, slot: SlotId) -> Option<u64> {
        let state = self.slot(slot);
        if state.dirty {
            Some(self.batches.open)
        } else if state.is_durable() {
            None
        } else {
            Some(state.last_batch)
        }
    }

    /// Closes the open batch, and sends what this turn has gathered.
    pub(super) fn flush(&mut self) {
        let slots = std::mem::take(&mut self.batches.slots);
        let mut changes = std::mem::take(&mut self.batches.changes);
        if !slots.is_empty() || !changes.is_empty() {
            let batch = self.batches.open;
            self.batches.open += 1;
            for slot in &slots {
                self.slots[slot.index()].close(batch, &mut changes);
            }
            let bytes = std::mem::take(&mut self.batches.open_bytes);
            self.batches.closed.insert(batch, Closed { slots, bytes });
            if changes.is_empty() {
                // A slot became absent again without ever having been stored: nothing for the disk, but states move on.
                changes.push(Change::Members(self.members.clone()));
            }
            self.effects.push_back(Effect::Persist { batch, changes });
        }
        for ((to, slot), records) in std::mem::take(&mut self.outbox) {
            self.send(to, Body::Replicate { slot, records });
        }
        self.send_acks();
    }

    /// All batches up to `batch` are durable: what waited for them goes on.
    pub(super) fn synced(&mut self, batch: u64) {
        self.batches.durable = self.batches.durable.max(batch);
        self.booted = true;
        let later = self.batches.closed.split_off(&(batch + 1));
        let mut slots = BTreeSet::new();
        for closed in std::mem::replace(&mut self.batches.closed, later).into_values() {
            self.batches.bytes -= closed.bytes;
            slots.extend(closed.slots);
        }
        let mut placed = false;
        while self.batches.placements.front().is_some_and(|(number, _)| *number <= batch) {
            if let Some((_, id)) = self.batches.placements.pop_front() {
                self.batches.placement = id;
                placed = true;
            }
        }
        if placed || !slots.is_empty() {
            self.announcement += 1;
            self.news = self.news.max(if placed { Audience::Everyone } else { Audience::Replicas });
        }
        for slot in &slots {
            let number = self.announcement;
            let state = &mut self.slots[slot.index()];
            let held = state.durable.holding;
            if state.synced(batch) {
                state.announced_in = number;
                self.unannounced += 1;
                if state.durable.holding != held {
                    self.news = Audience::Everyone;
                }
            }
        }
        self.acknowledge_synced(batch);
        for slot in slots {
            self.update_stable(slot);
            self.progress_slot(slot);
        }
        for (asker, reply) in self.parked.release(batch) {
            self.reply(asker, reply);
        }
    }
}

fn size_bytes(change: &Change) -> usize {
    match change {
        Change::Record(record) => record.size_bytes(),
        _ => META_BYTES,
    }
}
