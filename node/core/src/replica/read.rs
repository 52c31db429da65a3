//! GET: answered by a replica that is complete and covers the token, never by another (invariant 3).

use std::sync::Arc;

use super::{
    Core,
    limits::{HOPS_MAX, READ_ALONE_MS, READ_FORWARD_MS, READ_MS, UNSERVED_MS},
    pending::{Pending, Ticket},
    request::Step,
};
use crate::{Dot, Holding, Key, Record, Reply, SlotId, Token, planted::Bug};

impl Core {
    /// Answers a GET from what is here and changes nothing, so that any number of readers may ask at once, between the inputs.
    /// `None` for a request that has to take the way of all others: through [`handle_request`](Self::handle_request).
    #[must_use]
    pub fn read(&self, key: &Key, token: &Token) -> Option<Reply> {
        let slot = key.slot();
        let knows = self.booted && self.settled && self.answers(slot, token);
        if !knows || self.ahead_ms(token).is_some() || !self.covers(slot, token) {
            return None;
        }
        match self.answer_get(slot, key, token, self.now.monotonic_ms) {
            Step::Reply(reply) => Some(reply),
            Step::Wait | Step::ReplyAfter(..) => None,
        }
    }

    /// Whether this node answers reads and takes writes of the slot.
    pub(super) fn serves(&self, slot: SlotId) -> bool {
        self.slot(slot).holding.serves() && !self.is_removed()
    }

    /// Whether this node answers who comes with this token. Rule 3: what was pruned from it may be what a provisional replica
    /// lacks, or one that has just heard that more than it has is stable.
    pub(super) fn answers(&self, slot: SlotId, token: &Token) -> bool {
        let lacks_pruned = || self.slot(slot).holding == Holding::Provisional || !self.covers_stable(slot);
        self.serves(slot) && !(token.pruned && lacks_pruned())
    }

    /// Whether the frontier covers what the token has observed of the slot.
    fn covers(&self, slot: SlotId, token: &Token) -> bool {
        self.planted.is(Bug::SkipFrontierCheck)
            || token.slot(slot).is_none_or(|wanted| self.slot(slot).frontier.covers(wanted))
    }

    /// The whole causal rule: the frontier covers what the token has observed of the slot, as far as that still exists.
    pub(super) fn satisfies(&self, slot: SlotId, token: &Token, asked_ms: u64) -> bool {
        let frontier = &self.slot(slot).frontier;
        self.covers(slot, token)
            || token.slot(slot).is_none_or(|wanted| {
                wanted.iter().all(|(origin, seq)| {
                    frontier.get(origin) >= seq
                        || self
                            .last_of_closed(slot, origin, asked_ms)
                            .is_some_and(|last| last < seq && frontier.get(origin) >= last)
                })
            })
    }

    pub(super) fn advance_get(&mut self, ticket: Ticket, pending: &mut Pending, key: &Key, token: &Token) -> Step {
        let slot = key.slot();
        let answers = self.answers(slot, token);
        let asked_ms = pending.started_ms;
        if answers && self.satisfies(slot, token, asked_ms) {
            self.report_lost(slot, token, asked_ms);
            return self.answer_get(slot, key, token, asked_ms);
        }
        let elapsed_ms = self.now.monotonic_ms - pending.started_ms;
        if answers {
            self.want(slot);
        }
        if pending.hops < HOPS_MAX && (!answers || elapsed_ms >= READ_FORWARD_MS) {
            let server = self.server(slot, ticket, pending, |peer| {
                !(token.pruned && peer.holding == Holding::Provisional)
                    && (!answers || token.slot(slot).is_none_or(|wanted| peer.frontier.covers(wanted)))
            });
            if let Some(to) = server {
                return self.forward(ticket, pending, to);
            }
        }
        let limit_ms = match (self.help_may_come(slot), answers || self.owns(slot)) {
            (true, _) => READ_MS,
            (false, true) => READ_ALONE_MS,
            (false, false) => UNSERVED_MS,
        };
        if elapsed_ms < limit_ms {
            return Step::Wait;
        }
        Step::Reply(Reply::Unavailable {
            reason: if answers {
                format!("Causal dependencies are not available:{}", self.missing(slot, token))
            } else {
                self.unserved(slot)
            },
        })
    }

    fn answer_get(&self, slot: SlotId, key: &Key, token: &Token, asked_ms: u64) -> Step {
        let record = self.slot(slot).get(key.as_str());
        let shard = self.placement.shard(slot);
        let reply = match record.filter(|record| !record.is_tombstone()) {
            Some(record) => Reply::Value {
                record: record.clone(),
                token: self.observed(slot, token, Some(record), asked_ms),
                shard,
            },
            None => {
                Reply::Missing { token: self.observed(slot, token, record.map(|record| &**record), asked_ms), shard }
            }
        };
        self.once_durable(slot, reply)
    }

    /// The token of a client that held `token` and has now observed `record`: a value, or the tombstone behind a 404
    /// (rule 4). Covers what came in (invariant 10).
    pub(super) fn observed(&self, slot: SlotId, token: &Token, record: Option<&Record>, asked_ms: u64) -> Arc<str> {
        let mut observed = token.clone();
        let record = record.filter(|record| !(record.is_tombstone() && self.planted.is(Bug::ForgetTombstonePast)));
        if let Some(record) = record {
            if *token == Token::default() {
                return record.version().into();
            }
            match Token::decode(record.version(), &self.token_key) {
                Ok(_) if self.planted.is(Bug::TokenFromNodeState) => {
                    let have = self.slot(slot).frontier.iter();
                    have.for_each(|(origin, seq)| observed.observe(Dot { slot, origin, seq }));
                }
                Ok(version) => observed.merge(&version),
                // Written under another secret: the write itself is all that can be said of it.
                Err(_) => observed.observe(record.dot),
            }
        } else {
            // Its tombstone may have been collected: what the client writes next must still rank above it (rule 13).
            observed.clock = observed.clock.max(self.slot(slot).clock);
        }
        self.prune(&mut observed, asked_ms);
        observed.encode(&self.token_key).into()
    }

    /// Why no node takes the request.
    pub(super) fn unserved(&self, slot: SlotId) -> String {
        let shard = self.placement.shard(slot);
        let live = self.owners(slot).filter(|owner| *owner == self.address || self.is_reachable(*owner)).count();
        match live {
            0 => format!("Shard {shard} has no live member in reach"),
            _ => format!("No member of shard {shard} holds all of this key's data yet"),
        }
    }
}
