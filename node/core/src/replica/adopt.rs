//! Taking up a placement: what each slot becomes when its owners change.

use std::sync::Arc;

use super::Core;
use crate::{Change, Event, Holding, Placement, SlotId};

impl Core {
    /// A placement was made here, or has arrived: the highest wins.
    pub(super) fn adopt(&mut self, placement: Arc<Placement>) {
        if placement.id() <= self.placement.id() {
            return;
        }
        self.placement = placement;
        self.settled = true;
        self.take_up_placement();
        self.event(Event::PlacementAdopted {
            id: self.placement.id(),
            shards: self.placement.shards().len(),
            own_shard: self.placement.shard_of(self.address),
        });
    }

    /// Gives every slot the state that the placement wants, as far as its data allows.
    pub(super) fn take_up_placement(&mut self) {
        self.change(Change::Placement(self.placement.clone()));
        self.durability.placed(self.placement.id());
        for slot in SlotId::all() {
            let owns = self.owns(slot);
            match (owns, self.slot(slot).holding) {
                // Retired, it was left out of what is stable: only a copy makes it complete again. Provisional, it was not
                // complete when it was stored.
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

    /// This node was removed by request and is taken back: tokens were pruned without it, so it copies everything again.
    pub(super) fn copy_all_again(&mut self) {
        for slot in SlotId::all() {
            match self.slot(slot).holding {
                Holding::Complete | Holding::Provisional => self.hold(slot, Holding::Copying),
                Holding::Draining => self.hold(slot, Holding::Retired),
                Holding::Absent | Holding::Copying | Holding::Retired => {}
            }
        }
    }
}
