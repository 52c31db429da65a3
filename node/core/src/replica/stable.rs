//! Rule 2: what every replica is known to have synced, so that tokens need not name it.

use super::{Core, peer::Peer};
use crate::{Frontier, SlotId};

impl Core {
    /// Whether every member (not removed) has announced exactly the placement that is durable here, and no other identity
    /// has taken its place since. And nobody at all a newer one: a removed node may have handed over under it, to a member
    /// whose newest word is not here yet.
    pub(super) fn members_agree(&self) -> bool {
        let placement = self.batches.placement();
        self.settled
            && placement == self.placement.id()
            && self.peers.values().all(|peer| peer.placement <= placement)
            && self.members.iter().filter(|member| *member != self.address).all(|member| {
                self.peers.get(&member).is_some_and(|peer| peer.announced > 0 && peer.placement == placement)
            })
    }

    /// When more members agree than before, what became stable meanwhile is.
    pub(super) fn resume_stability(&mut self) {
        let agree = |peer: &&Peer| peer.agreed == self.membership;
        let agreeing = if self.members_agree() { 1 + self.peers.values().filter(agree).count() } else { 0 };
        if agreeing > self.agreeing {
            for slot in SlotId::all() {
                self.update_stable(slot);
            }
        }
        self.agreeing = agreeing;
    }

    /// Raises the stable frontier to the meet of what all owners, and everyone else who still serves the slot, have synced.
    /// Each of them must know the same members and identities as this node: else one of them may have been replaced, and the
    /// new one have copied from another before that had all of this.
    pub(super) fn update_stable(&mut self, slot: SlotId) {
        if !self.members_agree() {
            return;
        }
        let mut synced: Vec<&Frontier> = Vec::with_capacity(1 + self.peers.len());
        let own = &self.slot(slot).durable;
        if self.owners(slot).any(|owner| owner == self.address) || own.holding.serves() {
            synced.push(&own.frontier);
        }
        for (address, peer) in &self.peers {
            let state = peer.slot(slot);
            // A removed node counts as long as it has not said that it stopped answering: it may not have heard of it.
            let owner = self.placement.owners(slot).contains(address) && self.members.contains(*address);
            if owner || state.holding.serves() {
                if peer.agreed != self.membership {
                    return;
                }
                synced.push(&state.frontier);
            }
        }
        let Some((first, others)) = synced.split_first() else { return };
        let mut stable = self.slot(slot).stable.clone();
        for (origin, seq) in first.iter() {
            stable.raise(origin, others.iter().fold(seq, |least, frontier| least.min(frontier.get(origin))));
        }
        self.slots[slot.index()].stable = stable;
    }
}
