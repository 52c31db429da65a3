//! Exact key counts: every replica is asked, and a slot's count is that of a replica that covers all others.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Core,
    limits::{COUNT_AGAIN_MS, COUNT_MS, PING_MS},
    pending::{Counting, Pending, Stage, Ticket},
    request::Step,
};
use crate::{Address, Body, Frontier, Reply, ShardId, SlotId};

impl Core {
    pub(super) fn start_counting(&mut self, ticket: Ticket, pending: &mut Pending, shard: ShardId) -> Step {
        let slots: Vec<SlotId> = self.placement.slots(shard).collect();
        if self.placement.members(shard).is_empty() {
            return Step::Reply(Reply::NoSuchShard);
        }
        let counting = Counting { slots, asked_ms: 0, asked: BTreeSet::new(), answers: BTreeMap::new() };
        pending.stage = Stage::Counting(counting);
        self.ask_counts(ticket, pending);
        self.advance_counting(ticket, pending)
    }

    fn ask_counts(&mut self, ticket: Ticket, pending: &mut Pending) {
        let Stage::Counting(counting) = &mut pending.stage else { return };
        counting.asked_ms = self.now.monotonic_ms;
        counting.asked = self.peers.keys().copied().filter(|address| self.is_reachable(*address)).collect();
        counting.answers = BTreeMap::from([(self.address, self.own_counts(&counting.slots))]);
        for address in &counting.asked {
            self.send(*address, Body::Count { id: ticket, slots: counting.slots.clone() });
        }
    }

    fn own_counts(&self, slots: &[SlotId]) -> Vec<(SlotId, Frontier, u64)> {
        let served = slots.iter().filter(|slot| self.serves(**slot) && self.slot(**slot).durable.holding.serves());
        served.map(|slot| (*slot, self.slot(*slot).durable.frontier.clone(), self.slot(*slot).durable.keys)).collect()
    }

    pub(super) fn answer_count(&mut self, from: Address, id: u64, slots: &[SlotId]) {
        self.send(from, Body::Counted { id, slots: self.own_counts(slots) });
    }

    pub(super) fn take_count(&mut self, from: Address, id: u64, slots: Vec<(SlotId, Frontier, u64)>) {
        if let Some(pending) = self.pending.get_mut(&id)
            && let Stage::Counting(counting) = &mut pending.stage
        {
            counting.answers.insert(from, slots);
            self.progress(id);
        }
    }

    pub(super) fn advance_counting(&mut self, ticket: Ticket, pending: &mut Pending) -> Step {
        let now_ms = self.now.monotonic_ms;
        let Stage::Counting(counting) = &mut pending.stage else { return Step::Wait };
        let round_ms = now_ms - counting.asked_ms;
        let over = now_ms - pending.started_ms >= COUNT_MS;
        let answered = counting.asked.iter().all(|asked| counting.answers.contains_key(asked));
        if !answered && round_ms < PING_MS && !over {
            return Step::Wait;
        }
        let total = total(counting);
        match total {
            Some((keys, true)) => Step::Reply(Reply::KeyCount(keys)),
            Some((keys, false)) if over => Step::Reply(Reply::KeyCount(keys)),
            None if over => {
                let slot = counting.slots.first().copied().unwrap_or(SlotId(0));
                Step::Reply(Reply::Unavailable { reason: self.unserved(slot) })
            }
            _ if round_ms >= COUNT_AGAIN_MS => {
                self.ask_counts(ticket, pending);
                Step::Wait
            }
            _ => Step::Wait,
        }
    }
}

/// The sum over all slots, and whether each was taken from a replica that covers all others; `None` when a slot has none.
fn total(counting: &Counting) -> Option<(u64, bool)> {
    let mut by_slot: BTreeMap<SlotId, Vec<(&Frontier, u64)>> = BTreeMap::new();
    for (slot, frontier, keys) in counting.answers.values().flatten() {
        by_slot.entry(*slot).or_default().push((frontier, *keys));
    }
    let mut total = 0;
    let mut exact = true;
    for slot in &counting.slots {
        let answers = by_slot.get(slot)?;
        let covering = answers.iter().find(|(frontier, _)| answers.iter().all(|(other, _)| frontier.covers(other)));
        exact &= covering.is_some();
        let keys = covering.map_or_else(|| answers.iter().map(|(_, keys)| *keys).max().unwrap_or(0), |(_, keys)| *keys);
        total = u64::saturating_add(total, keys);
    }
    Some((total, exact))
}
