//! The view: which nodes are up, as this node sees it. It never moves data.

use super::{Core, limits::START_GRACE_MS, peer::Peer};
use crate::{Address, Change, Event, Identity};

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
        if !self.settled {
            let own = self.placement.id();
            let heard = self.peers.values().any(|peer| peer.announced > 0 && peer.placement <= own);
            self.settled = heard || self.peers.is_empty() || now_ms - self.boot_ms >= START_GRACE_MS;
        }
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
            self.copy_all_again();
        }
        self.membership += 1;
        self.change(Change::Members(self.members.clone()));
        self.meet_members();
        self.news = true;
    }

    /// Whether the removal of this node's address met an earlier process: a start takes it back.
    fn is_removed_before_this_start(&self) -> bool {
        self.members.get(self.address).is_some_and(|entry| {
            entry.removed
                && entry.removed_identity.is_none_or(|removed| {
                    removed.uuid != self.identity.uuid || removed.incarnation < self.boot_incarnation
                })
        })
    }

    /// Who is behind an address, as far as this node knows.
    pub(super) fn known_identity(&self, address: Address) -> Option<Identity> {
        if address == self.address { Some(self.identity) } else { self.identities.get(&address).copied() }
    }

    /// Someone knows of this identity at this address (rule 10).
    pub(super) fn note_identity(&mut self, address: Address, identity: Identity) {
        if address == self.address {
            if identity > self.identity {
                // An earlier process here had a faster clock: whoever knows it must take us for newer.
                self.identity.incarnation = identity.incarnation + 1;
                self.membership += 1;
                self.news = true;
            }
            return;
        }
        let known = self.identities.get(&address).copied();
        if known.is_none_or(|known| identity > known) {
            self.identities.insert(address, identity);
            self.membership += 1;
            if let (Some(old), Some(peer)) = (known, self.peers.get_mut(&address)) {
                peer.replaced();
                self.event(Event::NodeReplaced { address, old, new: identity });
            }
        }
    }
}
