//! What this node knows of another one: when it was heard, what it announced, what it has confirmed.

use super::limits::{DEAD_MS, SUSPECT_MS};
use crate::{Announcement, Frontier, Holding, PlacementId, SLOTS, SlotId, SlotState};

/// Another node, member or removed.
#[derive(Debug)]
pub(super) struct Peer {
    /// When a message of it last arrived here.
    heard_ms: Option<u64>,
    /// The latest moment at which it is known to have been alive, by whatever way; where none is, when it became known.
    evidence_ms: u64,
    /// Whether the link broke since it was last heard.
    link_down: bool,
    /// Whether it was in the view at the last look.
    pub(super) was_up: bool,
    /// The newest announcement received from its present identity; 0 is none.
    pub(super) announced: u64,
    /// The placement of that announcement.
    pub(super) placement: PlacementId,
    slots: Vec<SlotState>,
    /// What it had of each slot when it announced it last: all at one moment, without what it has acknowledged since.
    told: Vec<Frontier>,
    /// The newest announcement of ours that it has confirmed.
    pub(super) confirmed: u64,
    /// The members and identities, as a hash, that it knew in all it has sent since its newest ping, whose announcement is
    /// known without a gap; 0 is none.
    pub(super) agreed: u64,
    /// When it was last pinged.
    pub(super) pinged_ms: u64,
    /// Whether it takes writes, by its newest ping.
    pub(super) has_room: bool,
    /// Whether its newest announcement is to be confirmed to it before the next heartbeat.
    pub(super) owed: bool,
    /// When it was last sent a placement.
    pub(super) placement_sent_ms: Option<u64>,
}

impl Peer {
    /// A node that became known now. It counts as up until it has had its chance to show itself.
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            heard_ms: None,
            evidence_ms: now_ms,
            link_down: false,
            was_up: true,
            announced: 0,
            placement: PlacementId::default(),
            slots: vec![SlotState::default(); SLOTS],
            told: vec![Frontier::default(); SLOTS],
            confirmed: 0,
            agreed: 0,
            pinged_ms: 0,
            has_room: true,
            owed: false,
            placement_sent_ms: None,
        }
    }

    /// A message of it arrived.
    pub(super) fn heard(&mut self, now_ms: u64) {
        self.heard_ms = Some(now_ms);
        self.evidence_ms = now_ms;
        self.link_down = false;
    }

    /// Somebody else heard it at that time.
    pub(super) fn vouched(&mut self, at_ms: u64) {
        self.evidence_ms = self.evidence_ms.max(at_ms);
    }

    /// It was added by request: a new chance.
    pub(super) fn expected(&mut self, now_ms: u64) {
        self.evidence_ms = now_ms;
    }

    pub(super) fn link_lost(&mut self) {
        self.link_down = true;
    }

    /// The time between these two moments was lost here, not there.
    pub(super) fn forgive(&mut self, lost_ms: u64) {
        self.evidence_ms += lost_ms;
        if let Some(heard_ms) = &mut self.heard_ms {
            *heard_ms += lost_ms;
        }
    }

    /// Milliseconds since it was heard directly.
    pub(super) fn silence_ms(&self, now_ms: u64) -> Option<u64> {
        self.heard_ms.map(|heard_ms| now_ms.saturating_sub(heard_ms))
    }

    /// Whether it belongs into the view.
    pub(super) fn is_up(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.evidence_ms) < DEAD_MS
    }

    /// Whether an answer may be expected from it.
    pub(super) fn is_reachable(&self, now_ms: u64) -> bool {
        !self.link_down && self.silence_ms(now_ms).is_some_and(|silence_ms| silence_ms < SUSPECT_MS)
    }

    /// Whether it may be there although it was not heard yet.
    pub(super) fn may_appear(&self, now_ms: u64) -> bool {
        self.heard_ms.is_none() && self.is_up(now_ms)
    }

    /// Forgets what another identity said at this address.
    pub(super) fn replaced(&mut self) {
        self.announced = 0;
        self.placement = PlacementId::default();
        self.slots.fill(SlotState::default());
        self.told.fill(Frontier::default());
        self.confirmed = 0;
        self.agreed = 0;
        self.has_room = true;
        self.link_down = false;
    }

    /// Takes in an announcement; returns the slots that it changed, or `None` when it is old or a part before it is missing.
    pub(super) fn take_announcement(&mut self, announcement: Announcement) -> Option<Vec<SlotId>> {
        if announcement.number <= self.announced || announcement.since > self.announced {
            return None;
        }
        self.announced = announcement.number;
        self.owed |= self.placement != announcement.placement;
        self.placement = announcement.placement;
        let mut changed = Vec::with_capacity(announcement.slots.len());
        for (slot, state) in announcement.slots {
            self.owed |= self.slots[slot.index()].holding != state.holding;
            self.told[slot.index()].clone_from(&state.frontier);
            self.slots[slot.index()] = state;
            changed.push(slot);
        }
        Some(changed)
    }

    /// What it announced of a slot.
    pub(super) fn slot(&self, slot: SlotId) -> &SlotState {
        &self.slots[slot.index()]
    }

    /// What it had of a slot at one moment.
    pub(super) fn told(&self, slot: SlotId) -> &Frontier {
        &self.told[slot.index()]
    }

    /// It has durably applied this write of the slot, by its own word.
    pub(super) fn acknowledged(&mut self, slot: SlotId, frontier: &Frontier) {
        if self.slots[slot.index()].holding != Holding::Absent {
            self.slots[slot.index()].frontier.merge(frontier);
        }
    }
}
