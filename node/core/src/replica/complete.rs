//! Who may answer for a slot, and who may delete it: copying, provisional service, handing over (rules 2, 7, 8, 9).

use super::{
    Core,
    limits::{COLLECT_MS, COPIES_MIN, HOLDERS_LOST_MS, START_GRACE_MS},
};
use crate::{Address, Event, Holding, SlotId, planted::Bug};

impl Core {
    /// Moves every slot on that is not where the placement wants it.
    pub(super) fn complete_slots(&mut self) {
        let everyone = self.members_agree()
            && self.members.iter().all(|member| member == self.address || self.is_reachable(member));
        let provisional_before = self.count_holding(Holding::Provisional);
        let now_and_then = self.now.monotonic_ms - self.collected_ms >= COLLECT_MS;
        let mut drained = 0;
        for slot in SlotId::all() {
            // What is not held must not make a later copy wait for what is lost, but that has time.
            if self.slot(slot).holding == Holding::Absent && !now_and_then {
                continue;
            }
            let mut covered = self.covers_stable(slot);
            if !covered {
                self.forget_lost_stability(slot);
                covered = self.covers_stable(slot);
            }
            match self.slot(slot).holding {
                // Rule 2: what is stable may have been pruned from tokens, so a replica without it is not complete.
                Holding::Complete if !covered => self.hold(slot, Holding::Copying),
                Holding::Absent | Holding::Complete => {}
                Holding::Copying => self.complete_copying(slot, everyone),
                Holding::Provisional if self.full_holder_in_reach(slot) => self.hold(slot, Holding::Copying),
                Holding::Provisional if everyone && self.is_join_of_all(slot) => self.hold(slot, Holding::Complete),
                Holding::Provisional => {}
                // Rule 9.
                Holding::Draining if self.successor_answers(slot) => self.hold(slot, Holding::Retired),
                Holding::Draining | Holding::Retired => drained += usize::from(self.hand_over(slot)),
            }
        }
        let provisional = self.count_holding(Holding::Provisional);
        if drained > 0 {
            self.event(Event::Drained { slots: drained });
        }
        if provisional > provisional_before {
            self.event(Event::ServingProvisionally { slots: provisional });
        }
        let copying = self.count_holding(Holding::Copying);
        let finished = self.copying > 0 && copying == 0;
        self.copying = copying;
        if finished {
            self.event(Event::CopyFinished { slots: self.count_holding(Holding::Complete) });
        }
    }

    fn complete_copying(&mut self, slot: SlotId, everyone: bool) {
        if let Some(source) = self.source(slot) {
            self.begin_copy(slot, source, false);
        } else if everyone && self.is_join_of_all(slot) {
            self.hold(slot, Holding::Complete);
        } else if self.may_serve_provisionally(slot) {
            self.hold(slot, Holding::Provisional);
        }
    }

    pub(super) fn hold(&mut self, slot: SlotId, holding: Holding) {
        let now_ms = self.now.monotonic_ms;
        self.edit(slot, |state, _| state.set_holding(holding, now_ms));
        self.progress_slot(slot);
    }

    fn count_holding(&self, holding: Holding) -> usize {
        self.slots.iter().filter(|slot| slot.holding == holding).count()
    }

    pub(super) fn covers_stable(&self, slot: SlotId) -> bool {
        let state = self.slot(slot);
        state.frontier.covers(&state.stable)
    }

    /// The node to copy the slot from: in reach, full, and with a placement at least as new as ours (rule 8), so that it has
    /// sent us every write since.
    fn source(&self, slot: SlotId) -> Option<Address> {
        let sources: Vec<Address> = self
            .peers
            .iter()
            .filter(|(address, peer)| {
                self.members.contains(**address)
                    && peer.is_reachable(self.now.monotonic_ms)
                    && peer.slot(slot).holding.is_full()
                    && peer.placement >= self.placement.id()
                    && peer.slot(slot).frontier.covers(&self.slot(slot).stable)
            })
            .map(|(address, _)| *address)
            .collect();
        (!sources.is_empty()).then(|| sources[slot.index() % sources.len()])
    }

    pub(super) fn full_holder_in_reach(&self, slot: SlotId) -> bool {
        self.peers.iter().any(|(address, peer)| {
            peer.slot(slot).holding.is_full() && self.is_reachable(*address) && self.members.contains(*address)
        })
    }

    /// Whether nobody has anything of the slot that is not here: then, with every member in reach and none of them full, there
    /// is nothing more to be had, and this replica is as complete as any can be. So a cluster begins, and so it goes on when
    /// all its disks came back empty.
    fn is_join_of_all(&self, slot: SlotId) -> bool {
        let state = self.slot(slot);
        self.covers_stable(slot)
            && self.concerned_peers().all(|(_, peer)| {
                let theirs = peer.slot(slot);
                !theirs.holding.is_full() && state.frontier.covers(&theirs.frontier)
            })
    }

    /// Rule 7: alone after a start, or after the known holders have been silent for long.
    fn may_serve_provisionally(&self, slot: SlotId) -> bool {
        let now_ms = self.now.monotonic_ms;
        now_ms - self.slot(slot).since_ms.max(self.boot_ms) >= START_GRACE_MS
            && self.concerned_peers().all(|(_, peer)| {
                let full = peer.slot(slot).holding.is_full();
                if peer.is_reachable(now_ms) {
                    peer.announced > 0 && !full && peer.placement <= self.placement.id()
                } else {
                    !full || peer.silence_ms(now_ms).is_none_or(|silence_ms| silence_ms >= HOLDERS_LOST_MS)
                }
            })
    }

    /// Rule 9: a really complete current owner is in reach.
    fn successor_answers(&self, slot: SlotId) -> bool {
        self.owners(slot).any(|owner| {
            self.is_reachable(owner)
                && self.peers.get(&owner).is_some_and(|peer| {
                    peer.slot(slot).holding == Holding::Complete && peer.placement == self.placement.id()
                })
        })
    }

    /// Deletes the slot when every current owner announces this placement, is complete and covers it (invariant 7): two at
    /// least, since of a shard whose other members were removed one disk would be all that is left.
    fn hand_over(&mut self, slot: SlotId) -> bool {
        let state = self.slot(slot);
        let placement = self.batches.placement();
        let owners: Vec<Address> = self.owners(slot).collect();
        let enough = self.placement.owners(slot).len().clamp(1, COPIES_MIN);
        let safe = owners.len() >= enough
            && placement == self.placement.id()
            && owners.iter().all(|owner| {
                self.peers.get(owner).is_some_and(|peer| {
                    let theirs = peer.slot(slot);
                    peer.placement == placement
                        && theirs.holding == Holding::Complete
                        && (theirs.frontier.covers(&state.frontier) || self.planted.is(Bug::DeleteWithoutComparing))
                })
            });
        if safe {
            self.delete_slot(slot);
        }
        safe
    }

    /// Slots with something that fewer than two complete owners besides this node have.
    pub(super) fn slots_at_risk(&self) -> usize {
        SlotId::all().filter(|slot| !self.is_kept_by_others(*slot)).count()
    }

    fn is_kept_by_others(&self, slot: SlotId) -> bool {
        let state = self.slot(slot);
        let keeps = |owner: &Address| {
            self.peers.get(owner).is_some_and(|peer| {
                let theirs = peer.slot(slot);
                theirs.holding == Holding::Complete && theirs.frontier.covers(&state.frontier)
            })
        };
        state.holding == Holding::Absent || self.owners(slot).filter(keeps).count() >= COPIES_MIN
    }

    pub(super) fn delete_slot(&mut self, slot: SlotId) {
        let (epoch, now_ms) = (self.epoch, self.now.monotonic_ms);
        self.edit(slot, |state, changes| state.delete(epoch, now_ms, changes));
        self.copies.remove(&slot);
        self.lags.remove(&slot);
        self.progress_slot(slot);
    }
}
