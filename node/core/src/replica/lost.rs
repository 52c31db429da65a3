//! Rule 12: writes whose last disk is gone do not block for ever those who have seen them.

use super::{
    Core,
    limits::{PING_MS, SUPERSEDED_MAX},
};
use crate::{Event, Frontier, Holding, Identity, Origin, SlotId, Token};

impl Core {
    /// The last write of an origin that still exists in a slot, when it is certain that no more can turn up: the origin is
    /// no present identity of any member, or its node has deleted the slot since (rule 11), and every owner and every other
    /// holder has announced under the present placement after it knew so too. Nobody waits for a node that was removed by request and is down. `None` while there is hope.
    ///
    /// An origin that was never heard of may be that of a node which has just come back, empty, behind a partition, and one of a
    /// removed node may have been taken back there: then every member must have been heard again, and agree, well
    /// after `asked_ms`, when the origin's write existed already.
    ///
    /// A waiver for reads; a frontier never changes by it.
    pub(super) fn last_of_closed(&self, slot: SlotId, origin: Origin, asked_ms: u64) -> Option<u64> {
        if !self.members_agree() || self.is_alive(slot, origin) {
            return None;
        }
        if !self.is_superseded(origin) && !self.all_agree_since(asked_ms + PING_MS) {
            return None;
        }
        let mut last = self.slot(slot).frontier.get(origin);
        for (address, peer) in self.concerned_peers() {
            let holding = peer.slot(slot).holding != Holding::Absent;
            let owner = self.placement.owners(slot).contains(&address) && self.members.contains(address);
            if !holding && !owner {
                continue;
            }
            if peer.agreed != self.membership || !peer.is_up(self.now.monotonic_ms) {
                return None;
            }
            last = last.max(peer.slot(slot).frontier.get(origin));
        }
        Some(last)
    }

    /// What was stable and is lost must not keep the slot from being complete.
    pub(super) fn forget_lost_stability(&mut self, slot: SlotId) {
        let state = self.slot(slot);
        let left = |origin: Origin, seq: u64| match self.last_of_closed(slot, origin, state.since_ms) {
            Some(last) => seq.min(last),
            None => seq,
        };
        let stable: Frontier = state.stable.iter().map(|(origin, seq)| (origin, left(origin, seq))).collect();
        self.slots[slot.index()].stable = stable;
    }

    /// Whether the origin can still write to the slot, or has a disk that may hold more than was announced.
    fn is_alive(&self, slot: SlotId, origin: Origin) -> bool {
        let alive = |identity: &Identity, least_epoch: u32| {
            identity.uuid == origin.uuid && origin.epoch >= identity.epoch.max(least_epoch)
        };
        alive(&self.identity, self.slot(slot).durable.epoch)
            || self.identities.iter().any(|(address, identity)| {
                let announced = self.peers.get(address).map_or(0, |peer| peer.slot(slot).epoch);
                self.members.contains(*address) && alive(identity, announced)
            })
    }

    /// Whether this node knows what became of the origin: another start, or another disk, took its place.
    fn is_superseded(&self, origin: Origin) -> bool {
        self.superseded.contains(&origin.uuid)
            || self.identity.uuid == origin.uuid
            || self
                .identities
                .iter()
                .any(|(address, identity)| self.members.contains(*address) && identity.uuid == origin.uuid)
    }

    /// Whether every member was heard since that moment, and knew the same members and identities.
    fn all_agree_since(&self, moment_ms: u64) -> bool {
        let now_ms = self.now.monotonic_ms;
        self.members.iter().filter(|member| *member != self.address).all(|member| {
            self.peers.get(&member).is_some_and(|peer| {
                peer.agreed == self.membership
                    && peer.silence_ms(now_ms).is_some_and(|silence_ms| now_ms - silence_ms >= moment_ms)
            })
        })
    }

    /// Says once per slot and origin that a read went on without writes that it asked for.
    pub(super) fn report_lost(&mut self, slot: SlotId, token: &Token, asked_ms: u64) {
        let Some(wanted) = token.slot(slot) else { return };
        let lost: Vec<(Origin, u64)> =
            wanted.iter().filter(|(origin, seq)| self.slot(slot).frontier.get(*origin) < *seq).collect();
        for (origin, wanted) in lost {
            if self.lost_reported.len() >= SUPERSEDED_MAX {
                self.lost_reported.clear();
            }
            if self.lost_reported.insert((slot, origin)) {
                let last = self.last_of_closed(slot, origin, asked_ms).unwrap_or(0);
                // A stranger can name as many as there are numbers.
                self.writes_lost = self.writes_lost.saturating_add(wanted - last);
                self.event(Event::WritesLost { slot, origin, last, wanted });
            }
        }
    }
}
