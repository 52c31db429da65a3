//! What others may know of a replica: whether it is ready, and its numbers.

use super::{
    Core,
    pending::{Pending, Stage},
    slot::Slot,
};
use crate::{Holding, Request, SlotId, Stats};

impl Core {
    /// Whether this node can do what it is there for: it knows a placement and serves every slot it owns. While every member
    /// is in reach, provisional service is about to end, and counts as not ready yet.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let everyone = self.members.iter().all(|member| member == self.address || self.is_reachable(member));
        let serves = |holding| holding != Holding::Copying && !(everyone && holding == Holding::Provisional);
        self.booted && self.settled && self.slots.iter().all(|slot| serves(slot.holding))
    }

    /// Numbers for metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let waiting = |is: fn(&Pending) -> bool| self.pending.values().filter(|pending| is(pending)).count();
        let count = |wanted: Holding| self.slots.iter().filter(|slot| slot.holding == wanted).count();
        Stats {
            keys: self.slots.iter().map(Slot::keys).sum(),
            tombstones: self.slots.iter().map(Slot::tombstones).sum(),
            slots_owned: SlotId::all().filter(|slot| self.owns(*slot)).count(),
            slots_complete: count(Holding::Complete),
            slots_provisional: count(Holding::Provisional),
            slots_copying: count(Holding::Copying),
            slots_draining: count(Holding::Draining) + count(Holding::Retired),
            view: self.view().len(),
            slots_at_risk: self.slots_at_risk(),
            slots_pulling: self.lags.len(),
            slots_collecting: self.rounds.len(),
            requests_waiting: self.pending.len() + self.parked.len(),
            reads_waiting: waiting(|pending| {
                matches!((&pending.stage, &*pending.request), (Stage::Waiting { .. }, Request::Get { .. }))
            }),
            writes_waiting: waiting(|pending| matches!(pending.stage, Stage::Writing(_))),
            forwarded: waiting(|pending| matches!(pending.stage, Stage::Forwarded { .. })),
            changes_waiting: waiting(|pending| matches!(pending.stage, Stage::Placing(_))),
            settled: self.settled,
            placement_number: self.placement.id().number,
            writes_lost: self.writes_lost,
            digest_mismatches: self.digest_mismatches,
        }
    }
}
