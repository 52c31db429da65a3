//! The view: which nodes are up, as this node sees it. It never moves data.

use super::{
    Core,
    gossip::Audience,
    limits::{MEMBERS_MAX, START_GRACE_MS, SUPERSEDED_MAX},
    peer::Peer,
};
use crate::{Address, Change, Event, Identity, PlacementId, planted::Bug};

impl Core {
    /// The members that are up, in numeric order of address.
    pub(super) fn view(&self) -> Vec<Address> {
        self.members
            .iter()
            .filter(|member| {
                *member == self.address || self.peers.get(member).is_some_and(|peer| peer.is_up(self.now.monotonic_ms))
            })
            .collect()
    }

    /// The other nodes that matter for data: the members, and whoever was removed by request but is still there.
    pub(super) fn concerned_peers(&self) -> impl Iterator<Item = (Address, &Peer)> {
        self.peers
            .iter()
            .map(|(address, peer)| (*address, peer))
            .filter(|(address, peer)| self.members.contains(*address) || peer.is_up(self.now.monotonic_ms))
    }

    /// Notes who has come and who has gone since the last look.
    pub(super) fn look_around(&mut self) {
        let now_ms = self.now.monotonic_ms;
        let mut events = Vec::new();
        for (address, peer) in &mut self.peers {
            let is_up = peer.is_up(now_ms) && self.members.contains(*address);
            if is_up != peer.was_up {
                peer.was_up = is_up;
                events.push(if is_up { Event::NodeUp(*address) } else { Event::NodeDown(*address) });
            }
        }
        for event in events {
            self.event(event);
        }
        let alone = now_ms - self.boot_ms >= START_GRACE_MS;
        if !self.settled && (alone || self.is_oriented()) {
            self.settle();
        }
    }

    /// Whether the others have said what there is to know at a start: anyone, to a node with a stored placement; everyone, that
    /// they have none either, to a node without.
    fn is_oriented(&self) -> bool {
        let mut others =
            self.members.iter().filter(|member| *member != self.address).map(|member| self.peers.get(&member));
        if self.stored {
            return self.peers.is_empty() || others.any(|peer| peer.is_some_and(|peer| peer.announced > 0));
        }
        let own = self.placement.id();
        others.all(|peer| {
            let unasked = |placement: PlacementId| placement.number == 0 && placement <= own;
            peer.is_some_and(|peer| peer.announced > 0 && unasked(peer.placement))
        })
    }

    /// Takes note of every address that the members name.
    pub(super) fn meet_members(&mut self) {
        let now_ms = self.now.monotonic_ms;
        for (address, _) in self.members.entries() {
            if address != self.address {
                self.peers.entry(address).or_insert_with(|| Peer::new(now_ms));
            }
        }
    }

    /// The members have changed: by a request here or elsewhere, or because this node has started.
    pub(super) fn members_changed(&mut self) {
        if self.is_removed_before_this_start() {
            self.members.add(self.address);
            self.return_to_duty();
        }
        match (self.stood_down, self.is_removed()) {
            (false, true) => self.stand_down(),
            (true, false) => self.return_to_duty(),
            _ => {}
        }
        self.stood_down = self.is_removed();
        self.hash_membership();
        self.change(Change::Members(self.members.clone()));
        self.meet_members();
        self.news = Audience::Everyone;
    }

    /// Whether the removal of this node's address met an earlier process: a start takes it back.
    fn is_removed_before_this_start(&self) -> bool {
        let removal = self.members.get(self.address).and_then(|entry| entry.removed);
        removal.is_some_and(|removal| match removal.identity {
            Some(removed) => removed.uuid != self.identity.uuid || removed.incarnation < self.boot_incarnation,
            None => removal.wall_ms < self.boot_incarnation,
        })
    }

    /// Who is behind an address, as far as this node knows.
    pub(super) fn known_identity(&self, address: Address) -> Option<Identity> {
        if address == self.address { Some(self.identity) } else { self.identities.get(&address).copied() }
    }

    fn hash_membership(&mut self) {
        let mut identities = self.identities.clone();
        identities.insert(self.address, self.identity);
        self.membership = self.members.hash(&identities);
    }

    /// Someone knows of this identity at this address (rule 10).
    pub(super) fn note_identity(&mut self, address: Address, identity: Identity) {
        if address == self.address {
            if identity > self.identity {
                // An earlier process here had a faster clock: whoever knows it must take us for newer.
                self.identity.incarnation = identity.incarnation.saturating_add(1);
                self.hash_membership();
                self.news = Audience::Everyone;
            }
            return;
        }
        let known = self.identities.get(&address).copied();
        if known.is_none() && self.identities.len() >= MEMBERS_MAX {
            return;
        }
        if known.is_none_or(|known| identity > known) {
            self.identities.insert(address, identity);
            self.hash_membership();
            if let Some(old) = known.filter(|old| old.uuid != identity.uuid) {
                self.superseded.insert(old.uuid);
                if self.superseded.len() > SUPERSEDED_MAX {
                    self.superseded.pop_first();
                }
            }
            if let (Some(old), Some(peer)) = (known, self.peers.get_mut(&address)) {
                if !self.planted.is(Bug::IgnoreIdentity) {
                    peer.replaced();
                }
                self.event(Event::NodeReplaced { address, old, new: identity });
            }
        }
    }
}
