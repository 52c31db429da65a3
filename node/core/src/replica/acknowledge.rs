//! Receiving other nodes' writes, and telling them what is synced.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Core, pending::Stage};
use crate::{Address, Body, Frontier, Holding, Origin, PlacementId, Record, SlotId};

/// Acknowledgements that wait for a sync, or for the end of the turn.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    waiting: BTreeMap<u64, BTreeSet<(Address, SlotId, Origin)>>,
    ready: BTreeSet<(Address, SlotId, Origin)>,
}

impl Core {
    /// Writes of one slot have arrived, from their origin or from the log of another replica.
    pub(super) fn take_records(&mut self, from: Address, slot: SlotId, records: &[Arc<Record>]) {
        // What a removed node writes without knowing of its removal must not turn up after its origin was closed (rule 12).
        if self.slot(slot).holding == Holding::Absent || !self.members.contains(from) || !self.has_room() {
            return;
        }
        let mut gap = false;
        let mut seen = BTreeSet::new();
        for record in records {
            let origin = record.dot.origin;
            let applied = self.edit(slot, |state, changes| {
                state.apply(record, changes) || state.frontier.get(origin) >= record.dot.seq
            });
            if applied {
                seen.insert(origin);
            } else {
                gap = true;
            }
        }
        let batch = self.undurable_batch(slot);
        for origin in seen {
            let ack = (from, slot, origin);
            match batch {
                Some(batch) => self.acknowledgements.waiting.entry(batch).or_default().insert(ack),
                None => self.acknowledgements.ready.insert(ack),
            };
        }
        if gap && self.slot(slot).holding != Holding::Copying {
            self.want(slot);
        }
        self.progress_slot(slot);
    }

    /// What the synced batches hold may be acknowledged.
    pub(super) fn acknowledge_synced(&mut self, batch: u64) {
        let later = self.acknowledgements.waiting.split_off(&(batch + 1));
        let synced = std::mem::replace(&mut self.acknowledgements.waiting, later);
        self.acknowledgements.ready.extend(synced.into_values().flatten());
    }

    /// Sends one message per peer with all that became ready in this turn.
    pub(super) fn send_acks(&mut self) {
        let mut by_peer: BTreeMap<Address, Vec<(SlotId, Origin, u64)>> = BTreeMap::new();
        for (address, slot, origin) in std::mem::take(&mut self.acknowledgements.ready) {
            let seq = self.slot(slot).durable.frontier.get(origin);
            by_peer.entry(address).or_default().push((slot, origin, seq));
        }
        for (address, acks) in by_peer {
            self.send(address, Body::Acks(acks));
        }
    }

    /// A replica says what it has synced. Counted for the writes that wait; taken as an announcement only when it was made
    /// under the placement that the replica has announced (rule 2).
    pub(super) fn take_acks(&mut self, from: Address, placement: PlacementId, acks: &[(SlotId, Origin, u64)]) {
        for (slot, origin, seq) in acks.iter().copied() {
            if let Some(peer) = self.peers.get_mut(&from)
                && peer.placement == placement
            {
                peer.acknowledged(slot, &Frontier::from_iter([(origin, seq)]));
            }
            let tickets: Vec<_> = self.pending_by_slot.get(&slot).into_iter().flatten().copied().collect();
            for ticket in tickets {
                if let Some(pending) = self.pending.get_mut(&ticket)
                    && let Stage::Writing(writing) = &mut pending.stage
                    && writing.dot.origin == origin
                    && writing.dot.seq <= seq
                {
                    writing.acknowledged.insert(from);
                }
            }
            self.update_stable(slot);
            self.progress_slot(slot);
        }
    }
}
