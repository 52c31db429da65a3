//! PUT and DELETE: at any replica that serves the slot. Writes wait for their dependencies only briefly; reads do the rest.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Core,
    limits::{HOPS_MAX, READ_MS, START_GRACE_MS, UNSERVED_MS, WRITE_ACKNOWLEDGE_MS, WRITE_CATCH_UP_MS},
    pending::{Pending, Stage, Ticket, Writing},
    request::Step,
};
use crate::{Address, Dot, Durability, Hlc, Holding, Key, Origin, Record, Reply, SlotId, Token, planted::Bug};

impl Core {
    pub(super) fn advance_write(
        &mut self,
        ticket: Ticket,
        pending: &mut Pending,
        key: &Key,
        value: Option<&[u8]>,
        token: &Token,
    ) -> Step {
        let slot = key.slot();
        let elapsed_ms = self.now.monotonic_ms - pending.started_ms;
        if !self.serves(slot) && !self.may_write_while_copying(slot) {
            if pending.hops < HOPS_MAX
                && let Some(to) = self.server(slot, ticket, pending, |_| true)
            {
                return self.forward(ticket, pending, to);
            }
            let limit_ms = if self.help_may_come(slot) || self.owns(slot) { READ_MS } else { UNSERVED_MS };
            return if elapsed_ms < limit_ms {
                Step::Wait
            } else {
                Step::Reply(Reply::Unavailable { reason: self.unserved(slot) })
            };
        }
        let covered = self.satisfies(slot, token, pending.started_ms);
        if !covered && elapsed_ms < WRITE_CATCH_UP_MS {
            self.want(slot);
            return Step::Wait;
        }
        let exists = self.slot(slot).get(key.as_str()).is_some_and(|record| !record.is_tombstone());
        if value.is_none() && !exists {
            // Rule 14: only who has everything the client has seen can say that the key is not there.
            return if covered && self.answers(slot, token) || self.planted.is(Bug::DeleteWithoutCheck) {
                self.answer_missing(slot, key, token, pending.started_ms)
            } else {
                self.cannot_delete(slot, token)
            };
        }
        if let Some(reason) = self.no_room() {
            return Step::Reply(Reply::Unavailable { reason });
        }
        pending.stage = Stage::Writing(self.write(slot, key, value, token, exists));
        self.advance_writing(pending)
    }

    /// Rule 15: a copying owner takes writes when no holder of a full copy can be reached, and not just after its start.
    fn may_write_while_copying(&self, slot: SlotId) -> bool {
        self.slot(slot).holding == Holding::Copying
            && !self.is_removed()
            && self.now.monotonic_ms - self.boot_ms >= START_GRACE_MS
            && !self.full_holder_in_reach(slot)
    }

    fn answer_missing(&self, slot: SlotId, key: &Key, token: &Token, asked_ms: u64) -> Step {
        let tombstone = self.slot(slot).get(key.as_str()).map(|record| &**record);
        let reply = Reply::Missing {
            token: self.observed(slot, token, tombstone, asked_ms),
            shard: self.placement.shard(slot),
        };
        self.once_durable(slot, reply)
    }

    fn cannot_delete(&self, slot: SlotId, token: &Token) -> Step {
        let missing = self.missing(slot, token);
        Step::Reply(Reply::Unavailable {
            reason: format!("Whether the key exists cannot be known: causal dependencies are not available:{missing}"),
        })
    }

    /// Names the write, applies it, and sends it to the other replicas.
    fn write(&mut self, slot: SlotId, key: &Key, value: Option<&[u8]>, token: &Token, exists: bool) -> Writing {
        let origin = self.origin(slot);
        let dot = Dot { slot, origin, seq: self.slot(slot).frontier.get(origin) + 1 };
        // Above everything that the slot has held, and so above the version that it replaces (rule 13).
        let by_wall_clock = self.planted.is(Bug::OrderByWallClock);
        let past = if by_wall_clock { Hlc::default() } else { self.slot(slot).clock.max(token.clock) };
        let hlc = past.next(self.now.wall_ms);
        assert!(
            hlc > token.clock || by_wall_clock,
            "invariant 4: a write's clock is above those of what it depends on"
        );
        let node_state = self.planted.is(Bug::TokenFromNodeState);
        let mut context = if node_state { Token::default() } else { token.clone() };
        self.prune(&mut context, self.now.monotonic_ms);
        context.observe(dot);
        context.clock = hlc;
        let version: Arc<str> = context.encode(&self.token_key).into();
        let record = Arc::new(Record::new(key, value, hlc, dot, &version));
        let applied = self.edit(slot, |state, changes| state.apply(&record, changes));
        assert!(applied, "invariant 2: the next write of an origin follows its last one");
        let replicas: Vec<Address> = self.replicas(slot).collect();
        for replica in replicas {
            self.outbox.entry((replica, slot)).or_default().push(record.clone());
        }
        Writing {
            dot,
            batch: self.batches.open_batch(),
            applied_ms: self.now.monotonic_ms,
            acknowledged: BTreeSet::new(),
            replaced: exists,
            version,
            shard: self.placement.shard(slot),
        }
    }

    /// The origin under which this node writes to the slot; a fresh one where the slot had an earlier life here (rule 11).
    fn origin(&mut self, slot: SlotId) -> Origin {
        let state = &mut self.slots[slot.index()];
        if let Some(origin) = state.origin {
            return origin;
        }
        if self.epoch < state.least_epoch && !self.planted.is(Bug::KeepBurnedOrigin) {
            self.epoch += 1;
            assert!(self.epoch < self.epoch_limit, "more fresh origins than were reserved at the start");
        }
        let origin = Origin { uuid: self.identity.uuid, epoch: self.epoch };
        state.origin = Some(origin);
        origin
    }

    /// The other nodes that are sent each write to the slot: its owners, and whoever else serves it.
    pub(super) fn replicas(&self, slot: SlotId) -> impl Iterator<Item = Address> + '_ {
        self.peers.iter().filter_map(move |(address, peer)| {
            let concerned = self.placement.owners(slot).contains(address) || peer.slot(slot).holding.serves();
            let there = peer.is_reachable(self.now.monotonic_ms) || peer.may_appear(self.now.monotonic_ms);
            (concerned && there && self.members.contains(*address)).then_some(*address)
        })
    }

    /// Answered when durable here and on one more replica; with less when no other can, or none does in time (invariant 6).
    pub(super) fn advance_writing(&mut self, pending: &mut Pending) -> Step {
        let Stage::Writing(writing) = &mut pending.stage else { return Step::Wait };
        if !self.batches.is_durable(writing.batch) && !self.planted.is(Bug::AcknowledgeBeforeSync) {
            return Step::Wait;
        }
        let slot = writing.dot.slot;
        let mut expected = false;
        for (address, peer) in &self.peers {
            let state = peer.slot(slot);
            if state.frontier.get(writing.dot.origin) >= writing.dot.seq {
                writing.acknowledged.insert(*address);
            }
            // A replica that is still copying can take writes only where they follow what it has.
            let next = state.holding == Holding::Copying
                && writing.dot.seq.saturating_sub(state.frontier.get(writing.dot.origin)) <= 1;
            expected |= (state.holding.serves() || next) && peer.is_reachable(self.now.monotonic_ms) && peer.has_room;
        }
        let waited_ms = self.now.monotonic_ms - writing.applied_ms;
        if writing.acknowledged.is_empty() && expected && waited_ms < WRITE_ACKNOWLEDGE_MS {
            return Step::Wait;
        }
        let replicas_written = 1 + writing.acknowledged.len() as u32;
        Step::Reply(Reply::Written {
            replaced: writing.replaced,
            version: writing.version.clone(),
            shard: writing.shard,
            replicas_durable: match self.durability {
                Durability::Sync => replicas_written,
                Durability::Interval => 0,
            },
            replicas_written,
        })
    }
}
