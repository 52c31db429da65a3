//! Whole slots on their way from one node to another, piece by piece, at the pace of the receiver.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Core,
    limits::{COPIES_MAX, MESSAGE_BYTES_MAX, TRANSFER_AGAIN_MS, TRANSFER_IDLE_MS, TRANSFERS_MAX},
};
use crate::{Address, Body, Frontier, Hlc, Holding, PlacementId, Record, SlotId, SnapshotChunk};

/// What a pull that the log cannot answer is answered with: a snapshot for which nobody chose a number.
pub(super) const UNASKED: u64 = 0;

/// A snapshot that this node is receiving.
#[derive(Debug)]
pub(super) struct Copy {
    source: Address,
    /// Chosen here, and by a pull's answer [`UNASKED`]: pieces of an earlier snapshot are not taken for this one.
    transfer: u64,
    received: Vec<Arc<Record>>,
    /// When the next piece was last asked for, in monotonic milliseconds.
    asked_ms: u64,
    /// Whether it repairs a digest mismatch (rule 16).
    present_wins: bool,
}

/// Snapshots that this node is sending, one per receiver and slot.
#[derive(Debug, Default)]
pub(super) struct Transfers(BTreeMap<(Address, SlotId), Transfer>);

/// A consistent snapshot: the records are shared with the slot, so holding it costs what the slot has replaced since.
#[derive(Debug)]
struct Transfer {
    id: u64,
    frontier: Frontier,
    stable: Frontier,
    clock: Hlc,
    full: bool,
    placement: PlacementId,
    records: Vec<Arc<Record>>,
    used_ms: u64,
}

impl Transfers {
    /// Drops those whose receiver has stopped asking.
    pub(super) fn expire(&mut self, now_ms: u64) {
        self.0.retain(|_, transfer| now_ms - transfer.used_ms < TRANSFER_IDLE_MS);
    }

    fn begin(&mut self, to: Address, slot: SlotId, transfer: Transfer) {
        // A receiver that begins anew has given up the transfer before.
        self.0.insert((to, slot), transfer);
        if self.0.len() > TRANSFERS_MAX
            && let Some(idlest) = self.0.iter().min_by_key(|(_, transfer)| transfer.used_ms).map(|(name, _)| *name)
        {
            self.0.remove(&idlest);
        }
    }
}

impl Core {
    /// Begins to copy a slot, unless it is being copied or too many are.
    pub(super) fn begin_copy(&mut self, slot: SlotId, source: Address, present_wins: bool) {
        if self.copies.len() >= COPIES_MAX || self.copies.contains_key(&slot) || !self.has_room() {
            return;
        }
        let asked_ms = self.now.monotonic_ms;
        let transfer = self.next_ticket;
        self.next_ticket += 1;
        self.copies.insert(slot, Copy { source, transfer, received: Vec::new(), asked_ms, present_wins });
        self.send(source, Body::SnapshotRequest { slot, transfer, offset: 0 });
    }

    /// Drops copies whose source does not answer; they begin anew, elsewhere where possible.
    pub(super) fn continue_copies(&mut self) {
        let now_ms = self.now.monotonic_ms;
        self.copies.retain(|_, copy| now_ms - copy.asked_ms < TRANSFER_AGAIN_MS);
    }

    /// Sends one piece; the first one of a new snapshot.
    pub(super) fn send_chunk(&mut self, to: Address, slot: SlotId, id: u64, offset: u64) {
        let now_ms = self.now.monotonic_ms;
        let state = self.slot(slot);
        if offset == 0 && state.holding != Holding::Absent {
            let transfer = Transfer {
                id,
                frontier: state.frontier.clone(),
                stable: state.known_stable(),
                clock: state.clock,
                full: state.holding.is_full() && !self.is_removed(),
                placement: self.batches.placement(),
                records: state.records().cloned().collect(),
                used_ms: now_ms,
            };
            self.transfers.begin(to, slot, transfer);
        }
        let Some(transfer) = self.transfers.0.get_mut(&(to, slot)).filter(|transfer| transfer.id == id) else { return };
        transfer.used_ms = now_ms;
        let mut bytes = 0;
        let mut records = Vec::new();
        for record in transfer.records.iter().skip(offset as usize) {
            if bytes > MESSAGE_BYTES_MAX {
                break;
            }
            bytes += record.size_bytes();
            records.push(record.clone());
        }
        let chunk = SnapshotChunk {
            slot,
            transfer: id,
            offset,
            total: transfer.records.len() as u64,
            frontier: transfer.frontier.clone(),
            stable: transfer.stable.clone(),
            clock: transfer.clock,
            full: transfer.full,
            placement: transfer.placement,
            records,
        };
        if offset as usize + chunk.records.len() == transfer.records.len() {
            self.transfers.0.remove(&(to, slot));
        }
        self.send(to, Body::SnapshotChunk(Box::new(chunk)));
    }

    /// A piece has arrived; the last one makes the snapshot part of the slot.
    pub(super) fn take_chunk(&mut self, from: Address, mut chunk: SnapshotChunk) {
        let slot = chunk.slot;
        if self.slot(slot).holding == Holding::Absent || !self.has_room() {
            self.copies.remove(&slot);
            return;
        }
        if !self.copies.contains_key(&slot) && self.copies.len() >= COPIES_MAX {
            return;
        }
        let asked_ms = self.now.monotonic_ms;
        // A pull may be answered with a snapshot, which nobody has asked for here.
        let copy = self.copies.entry(slot).or_insert_with(|| Copy {
            source: from,
            transfer: UNASKED,
            received: Vec::new(),
            asked_ms,
            present_wins: false,
        });
        let expected =
            copy.source == from && copy.transfer == chunk.transfer && copy.received.len() as u64 == chunk.offset;
        if !expected {
            return;
        }
        copy.received.append(&mut chunk.records);
        copy.asked_ms = asked_ms;
        let offset = copy.received.len() as u64;
        if offset < chunk.total {
            self.send(from, Body::SnapshotRequest { slot, transfer: chunk.transfer, offset });
        } else if let Some(copy) = self.copies.remove(&slot) {
            self.install(&chunk, copy);
        }
    }

    fn install(&mut self, chunk: &SnapshotChunk, copy: Copy) {
        let slot = chunk.slot;
        let now_ms = self.now.monotonic_ms;
        // Rule 8: only a holder that has synced a placement at least as new makes this copy complete.
        let completes = self.slot(slot).holding == Holding::Copying
            && self.owns(slot)
            && chunk.transfer != UNASKED
            && chunk.full
            && chunk.placement >= self.placement.id();
        self.edit(slot, |state, changes| {
            state.merge(&chunk.frontier, chunk.clock, copy.received, copy.present_wins, changes);
            state.stable.merge(&chunk.stable);
            // Rule 2: what is known to be stable may have been pruned from tokens.
            if completes && state.frontier.covers(&state.stable) {
                state.set_holding(Holding::Complete, now_ms);
            }
        });
        self.progress_slot(slot);
    }
}
