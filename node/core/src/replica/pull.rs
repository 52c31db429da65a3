//! Catching up: a replica that lags behind an announcement asks for what it lacks.

use super::{
    Core,
    limits::{PULL_AFTER_MS, PULL_AGAIN_MS, PULLS_MAX},
    transfer::UNASKED,
};
use crate::{Address, Body, Frontier, Holding, SlotId};

/// A slot in which others have more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lag {
    /// When the next pull is due, in monotonic milliseconds.
    due_ms: u64,
}

impl Core {
    /// Someone announced more than this node has: pull it, unless it arrives by itself first.
    pub(super) fn note_lag(&mut self, slot: SlotId) {
        let due_ms = self.now.monotonic_ms + PULL_AFTER_MS;
        self.lags.entry(slot).or_insert(Lag { due_ms });
    }

    /// A request waits for more than this node has: pull at once.
    pub(super) fn want(&mut self, slot: SlotId) {
        let now_ms = self.now.monotonic_ms;
        let lag = self.lags.entry(slot).or_insert(Lag { due_ms: now_ms });
        if lag.due_ms <= now_ms + PULL_AFTER_MS {
            lag.due_ms = lag.due_ms.min(now_ms);
            self.pull(slot);
        }
    }

    /// Whether a pull is due soon.
    pub(super) fn is_pulling(&self) -> bool {
        self.lags.values().any(|lag| lag.due_ms <= self.now.monotonic_ms + PULL_AFTER_MS)
    }

    pub(super) fn pull_lagging(&mut self) {
        let now_ms = self.now.monotonic_ms;
        let due: Vec<SlotId> =
            self.lags.iter().filter(|(_, lag)| lag.due_ms <= now_ms).map(|(slot, _)| *slot).take(PULLS_MAX).collect();
        for slot in due {
            self.pull(slot);
        }
    }

    /// Asks the node in reach that has the most of what is missing here.
    fn pull(&mut self, slot: SlotId) {
        let now_ms = self.now.monotonic_ms;
        if self.lags.get(&slot).is_some_and(|lag| lag.due_ms > now_ms) {
            return;
        }
        let state = self.slot(slot);
        let lacking = |theirs: &Frontier| -> u64 {
            let lacking = theirs.iter().map(|(origin, seq)| seq.saturating_sub(state.frontier.get(origin)));
            lacking.fold(0, u64::saturating_add)
        };
        let fullest = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.slot(slot).holding != Holding::Absent)
            .map(|(address, peer)| {
                let answers = peer.is_reachable(now_ms) && self.members.contains(*address);
                (answers, lacking(&peer.slot(slot).frontier), *address)
            })
            .filter(|(_, lacking, _)| *lacking > 0)
            .max();
        match fullest {
            Some((true, _, address))
                if state.holding != Holding::Absent && !self.copies.contains_key(&slot) && self.has_room() =>
            {
                let have = state.frontier.clone();
                self.lags.insert(slot, Lag { due_ms: now_ms + PULL_AGAIN_MS });
                self.send(address, Body::Pull { slot, have });
            }
            // Out of reach, or removed, it will not announce once more what it has announced already.
            Some(_) if state.holding != Holding::Absent => {
                self.lags.insert(slot, Lag { due_ms: now_ms + PULL_AGAIN_MS });
            }
            _ => {
                self.lags.remove(&slot);
            }
        }
    }

    pub(super) fn answer_pull(&mut self, from: Address, slot: SlotId, have: &Frontier) {
        let state = self.slot(slot);
        if state.holding == Holding::Absent || have.covers(&state.frontier) {
            return;
        }
        match state.log.range(have, &state.frontier) {
            Some(records) => self.send(from, Body::LogRange { slot, records }),
            None => self.send_chunk(from, slot, UNASKED, 0),
        }
    }
}
