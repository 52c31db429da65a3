//! Pings: heartbeat, members, identities and announcements in one message.

use std::collections::BTreeSet;

use super::{
    Core,
    limits::{ANNOUNCE_FEW_MS, ANNOUNCE_MS, FEW_CHANGES, MEMBERS_MAX, PING_MS, REMOVED_PING_MS},
    peer::Peer,
    slot::Slot,
};
use crate::{Address, Announcement, Body, Envelope, Event, Holding, Ping, SlotId};

/// Who is to hear of news at once; who is not hears of it with the next heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Audience {
    #[default]
    Nobody,
    /// Nodes that hold a slot which is also held here: more has been synced.
    Replicas,
    /// Everyone: who is there, who holds what, and who takes writes has changed.
    Everyone,
}

impl Core {
    /// Applies what an envelope says of its sender, before its body. `false` when the sender is not, or no longer, who is
    /// behind that address (rule 10).
    pub(super) fn meet(&mut self, envelope: &Envelope) -> bool {
        let from = envelope.from;
        if self.identities.get(&from).is_some_and(|known| envelope.identity < *known) {
            return false;
        }
        if self.members.get(from).is_none() {
            if self.members.entries().count() >= MEMBERS_MAX {
                return false;
            }
            self.members.add(from);
            self.members_changed();
            self.event(Event::MemberAdded(from));
        }
        self.note_identity(from, envelope.identity);
        if let Some(identity) = envelope.to_identity {
            self.note_identity(self.address, identity);
        }
        let now_ms = self.now.monotonic_ms;
        let own = self.announced_placement();
        let Some(peer) = self.peers.get_mut(&from) else { return false };
        peer.heard(now_ms);
        if peer.agreed != envelope.membership {
            peer.agreed = 0;
        }
        if envelope.placement > own {
            // A ping shows it that we are behind.
            peer.pinged_ms = peer.pinged_ms.min(now_ms.saturating_sub(PING_MS));
        }
        if envelope.placement < own && peer.placement_sent_ms.is_none_or(|sent_ms| now_ms - sent_ms >= PING_MS / 2) {
            peer.placement_sent_ms = Some(now_ms);
            let placement = self.placement.clone();
            if placement.id() == own {
                self.send(from, Body::Placement(placement));
            }
        }
        true
    }

    pub(super) fn take_ping(&mut self, from: Address, membership: u64, ping: Ping) {
        if self.members.merge(&ping.members) {
            self.members_changed();
        }
        for (address, identity) in &ping.identities {
            self.note_identity(*address, *identity);
        }
        let now_ms = self.now.monotonic_ms;
        for (address, silence_ms) in ping.heard_ms {
            if let Some(peer) = self.peers.get_mut(&address) {
                peer.vouched(now_ms.saturating_sub(silence_ms));
            }
        }
        let shares = self.shares_slots(from);
        let Some(peer) = self.peers.get_mut(&from) else { return };
        // A node that leaves waits for the confirmation.
        let pressing = shares || !ping.has_room;
        peer.has_room = ping.has_room;
        // Exactly what it says, even when that is less than before: it may have dropped what an older identity had told.
        peer.confirmed = match ping.confirmed {
            Some((identity, number)) if identity == self.identity => number,
            _ => 0,
        };
        if ping.announcement.number == peer.announced && ping.announcement.since < peer.announced {
            peer.owed |= pressing;
        }
        let number = ping.announcement.number;
        let changed = peer.take_announcement(ping.announcement);
        // What it knew counts together with what it had then, which is known here only when no part of it is missing (rule 12).
        peer.agreed = if peer.announced == number { membership } else { 0 };
        if let Some(changed) = changed {
            peer.owed |= pressing;
            for slot in changed {
                self.take_slot_state(from, slot);
            }
        }
    }

    /// A peer has announced a new state of a slot.
    fn take_slot_state(&mut self, from: Address, slot: SlotId) {
        let Some(peer) = self.peers.get(&from) else { return };
        let theirs = peer.slot(slot);
        let state = &mut self.slots[slot.index()];
        if state.holding != Holding::Absent {
            state.stable.merge(&theirs.stable);
            state.clock = state.clock.max(theirs.clock);
        }
        let lags = matches!(state.holding, Holding::Complete | Holding::Provisional | Holding::Copying)
            && !state.frontier.covers(&theirs.frontier);
        if lags {
            self.note_lag(slot);
        }
        self.check_digest(from, slot);
        self.update_stable(slot);
        self.progress_slot(slot);
    }

    /// Whether the other node owns the same slots, or holds one that is also held here: then both need to know what the other
    /// has of it. What *n* nodes tell each other at once would else grow with *n*².
    fn shares_slots(&self, address: Address) -> bool {
        let shard = self.placement.shard_of(address);
        let held_by_both = |peer: &Peer| {
            let held_there = |slot: &Slot| peer.slot(slot.id).holding != Holding::Absent;
            self.slots.iter().any(|slot| slot.holding != Holding::Absent && held_there(slot))
        };
        shard.is_some() && shard == self.placement.shard_of(self.address)
            || self.peers.get(&address).is_some_and(held_by_both)
    }

    /// When the news, if there is any, is to be told.
    pub(super) fn news_due_ms(&self) -> Option<u64> {
        let few = self.news == Audience::Replicas && self.unannounced < FEW_CHANGES;
        let period_ms = if few { ANNOUNCE_FEW_MS } else { ANNOUNCE_MS };
        (self.news != Audience::Nobody).then_some(self.announced_ms + period_ms)
    }

    /// Pings whoever is due: everyone now and then, and those in reach whom there is news for.
    pub(super) fn send_pings(&mut self) {
        let now_ms = self.now.monotonic_ms;
        let has_room = self.has_room() && self.leaving.is_none();
        if has_room != self.told_room {
            self.told_room = has_room;
            self.news = Audience::Everyone;
        }
        let is_due = self.news_due_ms().is_some_and(|due_ms| now_ms >= due_ms);
        let audience = if is_due { std::mem::take(&mut self.news) } else { Audience::Nobody };
        let told: BTreeSet<Address> = match audience {
            Audience::Nobody => BTreeSet::new(),
            Audience::Replicas => self.peers.keys().copied().filter(|peer| self.shares_slots(*peer)).collect(),
            Audience::Everyone => self.peers.keys().copied().collect(),
        };
        let mut due = Vec::new();
        for (address, peer) in &mut self.peers {
            let since_ms = now_ms.saturating_sub(peer.pinged_ms);
            let there = peer.is_reachable(now_ms) || peer.may_appear(now_ms);
            let period_ms = if self.members.contains(*address) || there { PING_MS } else { REMOVED_PING_MS };
            if peer.pinged_ms == 0
                || since_ms >= period_ms
                || there && (told.contains(address) || peer.owed && since_ms >= 2 * ANNOUNCE_MS)
            {
                peer.pinged_ms = now_ms;
                peer.owed = false;
                due.push((*address, peer.confirmed, peer.announced));
            }
        }
        if audience != Audience::Nobody {
            self.announced_ms = now_ms;
            self.unannounced = 0;
        }
        for (address, confirmed, announced) in due {
            let ping = Ping {
                members: self.members.clone(),
                identities: self.identities.iter().map(|(address, identity)| (*address, *identity)).collect(),
                heard_ms: self
                    .peers
                    .iter()
                    .filter_map(|(address, peer)| Some((*address, peer.silence_ms(now_ms)?)))
                    .collect(),
                has_room,
                announcement: self.announcement_since(confirmed),
                confirmed: self.identities.get(&address).map(|identity| (*identity, announced)),
            };
            self.send(address, Body::Ping(Box::new(ping)));
        }
    }

    fn announcement_since(&self, confirmed: u64) -> Announcement {
        // Most pings have no news.
        let slots = if confirmed < self.announcement { self.slots.as_slice() } else { &[] };
        Announcement {
            number: self.announcement,
            since: confirmed,
            placement: self.announced_placement(),
            slots: slots
                .iter()
                .filter(|slot| slot.announced_in > confirmed)
                .map(|slot| (slot.id, slot.durable.clone()))
                .collect(),
        }
    }
}
