//! Tombstones go in two rounds (rule 6), and replicas that differ at equal frontiers are merged (rule 16).

use std::sync::Arc;

use super::{
    Core,
    limits::{COLLECT_MS, MISMATCH_AGAIN_MS},
};
use crate::{Address, Event, Frontier, Holding, PlacementId, Record, SlotId, Token, planted::Bug};

/// The first round of a slot: what all owners had synced, and what any of them had.
#[derive(Debug)]
pub(super) struct Round {
    meet: Frontier,
    join: Frontier,
    placement: PlacementId,
    identities: Vec<(Address, crate::Identity)>,
}

impl Core {
    /// Collects tombstones that can neither be overtaken by a slower older write nor be missed by anyone.
    ///
    /// In one round a slower concurrent write would come back to life on one replica only.
    pub(super) fn collect_tombstones(&mut self) {
        if self.now.monotonic_ms - self.collected_ms < COLLECT_MS {
            return;
        }
        self.collected_ms = self.now.monotonic_ms;
        if self.planted.is(Bug::CollectByAge) {
            self.collect_by_age();
        }
        let quiet = self.members_agree() && self.view().len() == self.members.iter().count();
        if !quiet {
            self.rounds.clear();
            return;
        }
        for slot in SlotId::all() {
            if self.slot(slot).tombstones() == 0 || self.slot(slot).holding != Holding::Complete {
                self.rounds.remove(&slot);
                continue;
            }
            let Some(now) = self.round(slot) else {
                self.rounds.remove(&slot);
                continue;
            };
            match self.rounds.remove(&slot) {
                Some(noted) if noted.placement == now.placement && noted.identities == now.identities => {
                    if now.meet.covers(&noted.join) {
                        self.collect(slot, &noted.meet);
                        self.rounds.insert(slot, now);
                    } else {
                        self.rounds.insert(slot, noted);
                    }
                }
                _ => {
                    self.rounds.insert(slot, now);
                }
            }
        }
    }

    /// [`Bug::CollectByAge`].
    fn collect_by_age(&mut self) {
        for slot in SlotId::all() {
            let old = |record: &Record| record.hlc.wall_ms() + 5 * COLLECT_MS < self.now.wall_ms;
            let aged: Vec<Arc<Record>> =
                self.slot(slot).records().filter(|record| record.is_tombstone() && old(record)).cloned().collect();
            for record in aged {
                self.edit(slot, |state, changes| state.remove(record.key(), changes));
            }
        }
    }

    /// What the owners have synced; `None` unless all are complete and nobody else holds the slot.
    fn round(&self, slot: SlotId) -> Option<Round> {
        let mut meet = self.slot(slot).durable.frontier.clone();
        let mut join = meet.clone();
        if self.slot(slot).durable.holding != Holding::Complete {
            return None;
        }
        for (address, peer) in self.concerned_peers() {
            let theirs = peer.slot(slot);
            let owner = self.owners(slot).any(|owner| owner == address);
            match (owner, theirs.holding) {
                (true, Holding::Complete) => {
                    // Not what it has acknowledged since: whoever had a tombstone may have had more, which is then missed.
                    meet = meet.meet(peer.told(slot));
                    join.merge(peer.told(slot));
                }
                (false, Holding::Absent) => {}
                _ => return None,
            }
        }
        let identities = self.identities.iter().map(|(address, identity)| (*address, *identity)).collect();
        Some(Round { meet, join, placement: self.placement.id(), identities })
    }

    fn collect(&mut self, slot: SlotId, covered: &Frontier) {
        let collectable: Vec<Arc<Record>> = self
            .slot(slot)
            .records()
            .filter(|record| record.is_tombstone() && self.is_behind(record, covered))
            .cloned()
            .collect();
        for record in collectable {
            self.edit(slot, |state, changes| state.remove(record.key(), changes));
        }
    }

    /// Whether a write and its dependencies are covered: those within its slot by `covered`, those in others by what is stable
    /// there, since who reads of nothing where the tombstone was learns of no dependency any more.
    fn is_behind(&self, record: &Record, covered: &Frontier) -> bool {
        Token::decode(record.version(), &self.token_key).is_ok_and(|version| {
            version.slots().all(|(slot, needed)| {
                if slot == record.dot.slot { covered.covers(needed) } else { self.slot(slot).stable.covers(needed) }
            })
        })
    }

    /// Rule 16: equal frontiers have equal digest and count (invariant 5); where they have not, present beats absent.
    pub(super) fn check_digest(&mut self, from: Address, slot: SlotId) {
        let own = &self.slot(slot).durable;
        let Some(theirs) = self.peers.get(&from).map(|peer| peer.slot(slot)) else { return };
        let comparable = own.holding == Holding::Complete
            && theirs.holding == Holding::Complete
            && own.frontier == theirs.frontier
            && self.slot(slot).is_durable();
        if !comparable || (own.digest, own.keys) == (theirs.digest, theirs.keys) {
            return;
        }
        let now_ms = self.now.monotonic_ms;
        if self.mismatches.get(&slot).is_some_and(|repaired_ms| now_ms - repaired_ms < MISMATCH_AGAIN_MS) {
            return;
        }
        self.mismatches.insert(slot, now_ms);
        self.digest_mismatches += 1;
        self.event(Event::DigestMismatch { slot, peer: from });
        self.begin_copy(slot, from, true);
    }
}
