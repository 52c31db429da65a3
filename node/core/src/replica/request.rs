//! The way of a request through this node: taken, moved on whenever something has changed, answered once.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use super::{
    Core,
    limits::{CLOCK_AHEAD_MS, MEMBERS_MAX, MISSING_TOLD_MAX, TURN_REQUESTS_MAX},
    pending::{Asker, Pending, Placing, Stage, Ticket},
};
use crate::{Address, Event, PlacementChange, Removal, Reply, Request, SlotId, Token};

/// What [`Core::advance`] has come to.
pub(super) enum Step {
    /// It waits for something.
    Wait,
    /// It is over.
    Reply(Reply),
    /// It is over once this batch is durable.
    ReplyAfter(u64, Reply),
}

impl Core {
    /// Takes a request from a client or a peer.
    pub(super) fn ask(&mut self, asker: Asker, hops: u8, request: Request) {
        if self.tickets.contains_key(&asker) {
            return;
        }
        if let Some(answer) = self.answered.get(asker) {
            if let Some(reply) = answer.clone() {
                self.reply(asker, reply);
            }
            return;
        }
        if !self.has_room_for(&request) {
            self.reply(asker, Reply::Unavailable { reason: "too many requests in flight at this node".to_owned() });
            return;
        }
        if let Some(reason) = self.objection(&request) {
            self.reply(asker, Reply::Invalid { reason });
            return;
        }
        let stage = match request {
            Request::AddMember { shard, address } => {
                Stage::Placing(Placing::new(PlacementChange::AddMember { shard, address }))
            }
            Request::Reshard { shard_count } => Stage::Placing(Placing::new(PlacementChange::Reshard { shard_count })),
            _ => Stage::Waiting { tried: BTreeSet::new() },
        };
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let pending = Pending { asker, request: Arc::new(request), hops, started_ms: self.now.monotonic_ms, stage };
        if let Some(slot) = pending.slot() {
            self.pending_by_slot.entry(slot).or_default().insert(ticket);
        }
        self.request_bytes += pending.request.memory_bytes();
        self.tickets.insert(asker, ticket);
        self.pending.insert(ticket, pending);
        self.progress(ticket);
    }

    /// A token's clock far in the future would carry every later write along (rule 13).
    fn objection(&self, request: &Request) -> Option<String> {
        let (Request::Get { token, .. } | Request::Put { token, .. } | Request::Delete { token, .. }) = request else {
            return None;
        };
        let ahead_ms = self.ahead_ms(token)?;
        Some(format!("causal-metadata: its clock is {} h ahead of this node's", ahead_ms / 3_600_000))
    }

    /// How far a token's clock is ahead of this node's, when that is too far.
    pub(super) fn ahead_ms(&self, token: &Token) -> Option<u64> {
        let ahead_ms = token.clock.wall_ms().saturating_sub(self.now.wall_ms);
        (ahead_ms > CLOCK_AHEAD_MS).then_some(ahead_ms)
    }

    /// Tries to move a request on.
    pub(super) fn progress(&mut self, ticket: Ticket) {
        let Some(mut pending) = self.pending.remove(&ticket) else { return };
        let step = if self.booted { self.advance(ticket, &mut pending) } else { Step::Wait };
        if matches!(step, Step::Wait) {
            self.pending.insert(ticket, pending);
            return;
        }
        let asker = pending.asker;
        self.conclude(ticket, &pending);
        match step {
            Step::Wait => {}
            Step::Reply(reply) => self.reply(asker, reply),
            Step::ReplyAfter(batch, reply) => self.parked.park(batch, asker, reply),
        }
    }

    /// Takes a request that is not pending any more out of every index.
    pub(super) fn conclude(&mut self, ticket: Ticket, pending: &Pending) {
        self.tickets.remove(&pending.asker);
        self.unindex(ticket, pending);
        if matches!(pending.asker, Asker::Peer { .. }) && !matches!(*pending.request, Request::Get { .. }) {
            self.answered.begin(pending.asker);
        }
    }

    /// Drops a request whose asker has gone.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        if let Some(pending) = self.pending.remove(&ticket) {
            self.unindex(ticket, &pending);
        }
    }

    fn unindex(&mut self, ticket: Ticket, pending: &Pending) {
        self.request_bytes -= pending.request.memory_bytes();
        let Some(slot) = pending.slot() else { return };
        if let Some(tickets) = self.pending_by_slot.get_mut(&slot) {
            tickets.remove(&ticket);
            if tickets.is_empty() {
                self.pending_by_slot.remove(&slot);
            }
        }
    }

    /// Something has changed in a slot, here or elsewhere. Of more requests than fit a turn the youngest wait until time passes.
    pub(super) fn progress_slot(&mut self, slot: SlotId) {
        let Some(tickets) = self.pending_by_slot.get(&slot) else { return };
        for ticket in tickets.iter().copied().take(TURN_REQUESTS_MAX).collect::<Vec<_>>() {
            self.progress(ticket);
        }
    }

    /// Time has passed. Of more requests than fit a turn those are moved on that were left out last.
    pub(super) fn progress_all(&mut self) {
        let first = if self.pending.len() > TURN_REQUESTS_MAX { self.left_out } else { 0 };
        let tickets = self.pending.range(first..).chain(self.pending.range(..first)).map(|(ticket, _)| *ticket);
        for ticket in tickets.take(TURN_REQUESTS_MAX).collect::<Vec<_>>() {
            self.left_out = ticket + 1;
            self.progress(ticket);
        }
    }

    pub(super) fn advance(&mut self, ticket: Ticket, pending: &mut Pending) -> Step {
        match pending.stage {
            Stage::Writing(_) => return self.advance_writing(pending),
            Stage::Forwarded { .. } => return self.advance_forwarded(ticket, pending),
            Stage::Counting(_) => return self.advance_counting(ticket, pending),
            Stage::Waiting { .. } | Stage::Placing(_) => {}
        }
        let request = Arc::clone(&pending.request);
        match &*request {
            Request::View => Step::Reply(Reply::View(self.view())),
            Request::AddToView(address) => Step::Reply(self.add_to_view(*address)),
            Request::RemoveFromView(address) => Step::Reply(self.remove_from_view(*address)),
            _ if !self.settled => Step::Wait,
            Request::Get { key, token } => self.advance_get(ticket, pending, key, token),
            Request::Put { key, value, token } => self.advance_write(ticket, pending, key, Some(value), token),
            Request::Delete { key, token } => self.advance_write(ticket, pending, key, None, token),
            Request::ShardIds => {
                Step::Reply(Reply::ShardIds(self.placement.shards().iter().map(|shard| shard.id).collect()))
            }
            Request::NodeShard => Step::Reply(Reply::NodeShard(self.placement.shard_of(self.address))),
            Request::ShardMembers(shard) => Step::Reply(match self.placement.members(*shard) {
                [] => Reply::NoSuchShard,
                members => Reply::ShardMembers(members.to_vec()),
            }),
            Request::KeyCount(shard) => self.start_counting(ticket, pending, *shard),
            Request::AddMember { .. } | Request::Reshard { .. } => self.advance_placing(ticket, pending),
        }
    }

    fn add_to_view(&mut self, address: Address) -> Reply {
        if self.view().contains(&address) {
            return Reply::AlreadyThere;
        }
        if self.members.get(address).is_none() && self.members.entries().count() >= MEMBERS_MAX {
            return Reply::Unavailable { reason: format!("{MEMBERS_MAX} nodes are known already") };
        }
        self.members.add(address);
        self.members_changed();
        if let Some(peer) = self.peers.get_mut(&address) {
            peer.expected(self.now.monotonic_ms);
        }
        self.event(Event::MemberAdded(address));
        Reply::Done
    }

    /// A node that the failure detector has already taken out is not in the view, but its removal is noted all the same:
    /// it is what tells the others not to wait for its disk (rule 12).
    fn remove_from_view(&mut self, address: Address) -> Reply {
        let was_in_view = self.view().contains(&address);
        if self.members.contains(address) {
            let removal = Removal { identity: self.known_identity(address), wall_ms: self.now.wall_ms };
            self.members.remove(address, removal);
            self.members_changed();
            self.event(Event::MemberRemoved(address));
        }
        if was_in_view { Reply::Done } else { Reply::NotInView }
    }

    /// A reply from the present state of a slot, which leaves when all of that is durable (rule 1).
    pub(super) fn once_durable(&self, slot: SlotId, reply: Reply) -> Step {
        match self.undurable_batch(slot) {
            Some(batch) => Step::ReplyAfter(batch, reply),
            None => Step::Reply(reply),
        }
    }

    /// What is missing, for a 503: the slots of the token that this node cannot satisfy.
    pub(super) fn missing(&self, slot: SlotId, token: &Token) -> String {
        let frontier = &self.slot(slot).frontier;
        let mut missing = token
            .slot(slot)
            .into_iter()
            .flat_map(crate::Frontier::iter)
            .map(|(origin, seq)| (origin, seq, frontier.get(origin)))
            .filter(|(_, seq, have)| have < seq);
        let mut text = String::new();
        for (origin, seq, have) in missing.by_ref().take(MISSING_TOLD_MAX) {
            let _ = write!(text, " write {seq} of origin {:016x}.{} (have {have});", origin.uuid, origin.epoch);
        }
        text.pop();
        match missing.count() {
            0 => {}
            more => {
                let _ = write!(text, "; and those of {more} more origins");
            }
        }
        text
    }
}
