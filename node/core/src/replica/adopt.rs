//! Taking up a placement: what each slot becomes when its owners change.

use std::sync::Arc;

use super::{Core, gossip::Audience};
use crate::{Change, Event, Holding, Placement, PlacementId, SlotId, planted::Bug};

impl Core {
    /// A placement was made here, or has arrived: the highest wins.
    pub(super) fn adopt(&mut self, placement: Arc<Placement>) {
        // An own first placement gives way to the cluster's, but not to one that nobody asked for: a node without a shard count
        // may have started long before the others.
        let gives_way = !self.settled && !self.stored && placement.id().number > 0;
        let same = placement.id() == self.placement.id();
        let tie = placement.id().number == self.placement.id().number;
        if self.settled && tie && self.planted.is(Bug::TieByArrival) {
            return;
        }
        if placement.id() < self.placement.id() && !gives_way {
            return;
        }
        if !self.settled {
            self.settle();
        }
        if same {
            return;
        }
        if tie && self.planted.is(Bug::ForgetToDrain) {
            self.forget_to_drain(&placement);
        }
        self.placement = placement;
        self.take_up_placement();
        self.event(Event::PlacementAdopted {
            id: self.placement.id(),
            shards: self.placement.shards().len(),
            own_shard: self.placement.shard_of(self.address),
        });
    }

    /// [`Bug::ForgetToDrain`].
    fn forget_to_drain(&mut self, winner: &Placement) {
        for slot in SlotId::all() {
            if self.slot(slot).holding != Holding::Absent && !winner.owners(slot).contains(&self.address) {
                self.delete_slot(slot);
            }
        }
    }

    /// From now on the placement is the cluster's as far as this node is concerned.
    pub(super) fn settle(&mut self) {
        self.settled = true;
        self.announcement += 1;
        self.news = Audience::Everyone;
    }

    /// The durable placement, or the lowest of all while this node has only its own idea of a first one: that must not
    /// overrule the cluster's.
    pub(super) fn announced_placement(&self) -> PlacementId {
        if self.settled || self.stored { self.batches.placement() } else { PlacementId::default() }
    }

    /// Gives every slot the state that the placement wants, as far as its data allows.
    pub(super) fn take_up_placement(&mut self) {
        self.change(Change::Placement(self.placement.clone()));
        self.batches.placed(self.placement.id());
        for slot in SlotId::all() {
            let owns = self.owns(slot) && !self.is_removed();
            match (owns, self.slot(slot).holding) {
                // Retired, it was left out of what is stable: only a copy makes it complete again. Provisional, it was not
                // complete when it was stored.
                (true, Holding::Absent) if self.settled && self.planted.is(Bug::JoinerServesEarly) => {
                    self.hold(slot, Holding::Complete);
                }
                (true, Holding::Absent | Holding::Retired | Holding::Provisional) => self.hold(slot, Holding::Copying),
                // Draining, it still served, so nothing became stable without it.
                (true, Holding::Draining) => self.hold(slot, Holding::Complete),
                (false, Holding::Complete) => self.hold(slot, Holding::Draining),
                (false, Holding::Copying | Holding::Provisional) if self.slot(slot).frontier.is_empty() => {
                    self.delete_slot(slot);
                }
                (false, Holding::Copying | Holding::Provisional) => self.hold(slot, Holding::Retired),
                (true, Holding::Copying | Holding::Complete)
                | (false, Holding::Absent | Holding::Draining | Holding::Retired) => {}
            }
        }
    }

    /// This node was removed by request: it keeps its data and answers nothing from it. When it is taken back it copies
    /// everything again, since tokens were pruned without it.
    pub(super) fn stand_down(&mut self) {
        for slot in SlotId::all() {
            if self.slot(slot).holding != Holding::Absent {
                self.hold(slot, Holding::Retired);
            }
        }
        self.copies.clear();
    }

    /// This node was removed by request and is taken back, or starts again.
    pub(super) fn return_to_duty(&mut self) {
        self.stand_down();
        for slot in SlotId::all() {
            if self.owns(slot) {
                self.hold(slot, Holding::Copying);
            }
        }
    }
}
