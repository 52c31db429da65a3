//! Passing a request to a node that can serve it. One more hop corrects a sender with an outdated placement.

use super::{
    Core,
    limits::{FORWARD_AGAIN_MS, FORWARD_READ_MS, FORWARD_WRITE_MS},
    pending::{Pending, Stage, Ticket},
    request::Step,
};
use crate::{Address, Body, Reply, Request, SlotId, SlotState, Token, planted::Bug};

impl Core {
    /// A node in reach that serves the slot and that `suits`; for a write, one with room before others; owners before others, complete ones before others, those that
    /// cover the token before others, and among equals a different one for each request.
    pub(super) fn server(
        &self,
        slot: SlotId,
        ticket: Ticket,
        pending: &Pending,
        suits: impl Fn(&SlotState) -> bool,
    ) -> Option<Address> {
        let tried = match &pending.stage {
            Stage::Waiting { tried } | Stage::Forwarded { tried, .. } => Some(tried),
            _ => None,
        };
        let wanted = match &*pending.request {
            Request::Get { token, .. } | Request::Put { token, .. } | Request::Delete { token, .. } => token.slot(slot),
            _ => None,
        };
        let asker = match pending.asker {
            super::Asker::Peer { address, .. } => Some(address),
            super::Asker::Client(_) => None,
        };
        let is_read = matches!(*pending.request, Request::Get { .. });
        let mut best = (0, Vec::new());
        for (address, peer) in &self.peers {
            let state = peer.slot(slot);
            if !state.holding.serves()
                || !peer.is_reachable(self.now.monotonic_ms)
                || !self.members.contains(*address)
                || tried.is_some_and(|tried| tried.contains(address))
                || asker == Some(*address)
                || !suits(state)
            {
                continue;
            }
            let score = 1
                + u32::from(wanted.is_none_or(|wanted| state.frontier.covers(wanted)))
                + 2 * u32::from(state.holding.is_full())
                + 4 * u32::from(self.placement.owners(slot).contains(address))
                + 8 * u32::from(is_read || peer.has_room);
            if score > best.0 {
                best = (score, Vec::new());
            }
            if score == best.0 {
                best.1.push(*address);
            }
        }
        let candidates = best.1;
        (!candidates.is_empty()).then(|| candidates[(ticket % candidates.len() as u64) as usize])
    }

    /// Whether another node in reach, or one that may still appear, has or should have the slot.
    pub(super) fn help_may_come(&self, slot: SlotId) -> bool {
        self.replicas(slot).next().is_some()
    }

    pub(super) fn forward(&mut self, ticket: Ticket, pending: &mut Pending, to: Address) -> Step {
        let tried = match &mut pending.stage {
            Stage::Waiting { tried } | Stage::Forwarded { tried, .. } => std::mem::take(tried),
            _ => std::collections::BTreeSet::new(),
        };
        let identity = self.identities.get(&to).copied();
        pending.stage = Stage::Forwarded { to, identity, sent_ms: self.now.monotonic_ms, tried };
        self.send(to, Body::Forward { id: ticket, hops: pending.hops + 1, request: (*pending.request).clone() });
        Step::Wait
    }

    pub(super) fn advance_forwarded(&mut self, ticket: Ticket, pending: &mut Pending) -> Step {
        let is_read = matches!(*pending.request, Request::Get { .. });
        let now_ms = self.now.monotonic_ms;
        let Stage::Forwarded { to, identity, sent_ms, tried } = &mut pending.stage else { return Step::Wait };
        let to = *to;
        let replaced = *identity != self.identities.get(&to).copied();
        let again = now_ms - *sent_ms >= FORWARD_AGAIN_MS;
        if replaced || !self.is_reachable(to) {
            if !is_read && !self.planted.is(Bug::ForwardWriteTwice) {
                // A second try elsewhere could write twice: the first may still have been taken.
                let reason = format!("{to} fell silent; the write may or may not have been applied");
                return Step::Reply(Reply::Unavailable { reason });
            }
            let mut tried = std::mem::take(tried);
            tried.insert(to);
            pending.stage = Stage::Waiting { tried };
            return self.advance(ticket, pending);
        }
        let limit_ms = if is_read { FORWARD_READ_MS } else { FORWARD_WRITE_MS };
        if now_ms - pending.started_ms >= limit_ms {
            let doubt = if is_read { "" } else { "; the write may or may not have been applied" };
            return Step::Reply(Reply::Unavailable { reason: format!("{to} did not answer in time{doubt}") });
        }
        if again {
            return self.forward(ticket, pending, to);
        }
        Step::Wait
    }

    /// What was forwarded over a link that broke goes elsewhere, or is given up, at once.
    pub(super) fn link_lost(&mut self, to: Address) {
        let Some(peer) = self.peers.get_mut(&to) else { return };
        peer.link_lost();
        let over_it = |pending: &Pending| matches!(pending.stage, Stage::Forwarded { to: server, .. } if server == to);
        let tickets: Vec<Ticket> =
            self.pending.iter().filter(|(_, pending)| over_it(pending)).map(|(ticket, _)| *ticket).collect();
        for ticket in tickets {
            self.progress(ticket);
        }
    }

    pub(super) fn take_forward_reply(&mut self, from: Address, id: u64, reply: Reply) {
        let expected = |pending: &Pending| matches!(pending.stage, Stage::Forwarded { to, .. } if to == from);
        if self.pending.get(&id).is_some_and(expected)
            && let Some(pending) = self.pending.remove(&id)
        {
            self.conclude(id, &pending);
            self.reply(pending.asker, reply);
        }
    }

    /// Drops from a token what every owner covers, and what exists nowhere any more.
    pub(super) fn prune(&self, token: &mut Token, asked_ms: u64) {
        token.prune(|slot, origin, seq| {
            let early = self.planted.is(Bug::PruneEarly) && self.slot(slot).frontier.get(origin) >= seq;
            if early || self.slot(slot).stable.get(origin) >= seq {
                0
            } else {
                self.last_of_closed(slot, origin, asked_ms).unwrap_or(seq)
            }
        });
    }
}
