//! `add-member` and `reshard`: one node makes the placement, the one that was asked watches until the data is there.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Core,
    limits::{PLACEMENT_CHANGE_MS, PROPOSALS_MAX, PROPOSE_AGAIN_MS},
    pending::{Pending, Placing, Stage, Ticket},
    request::Step,
};
use crate::{Address, Body, Holding, PlacementChange, PlacementError, PlacementId, Refusal, Reply, SlotId, SlotState};

/// Proposals answered lately: a repeated question gets the same answer, not another placement.
#[derive(Debug, Default)]
pub(super) struct Proposals(VecDeque<((Address, u64), Result<PlacementId, Refusal>)>);

impl Placing {
    pub(super) fn new(change: PlacementChange) -> Self {
        Self { change, proposed_ms: None, target: None, overtaken: false }
    }
}

impl Core {
    pub(super) fn advance_placing(&mut self, ticket: Ticket, pending: &mut Pending) -> Step {
        let now_ms = self.now.monotonic_ms;
        let out_of_time = now_ms - pending.started_ms >= PLACEMENT_CHANGE_MS;
        let Stage::Placing(placing) = &mut pending.stage else { return Step::Wait };
        let change = placing.change;
        let Some(target) = placing.target else {
            if out_of_time {
                return Step::Reply(Reply::Unavailable { reason: "no node has made the placement yet".to_owned() });
            }
            return self.request_placement(ticket, pending);
        };
        if self.placement.id() > target {
            if self.fulfils(change) {
                placing.target = Some(self.placement.id());
            } else if placing.overtaken {
                return Step::Reply(Reply::Unavailable {
                    reason: "other placements were asked for meanwhile".to_owned(),
                });
            } else {
                *placing = Placing { overtaken: true, ..Placing::new(change) };
                return self.request_placement(ticket, pending);
            }
        }
        match self.unplaced(target) {
            None => Step::Reply(Reply::Done),
            Some(reason) if out_of_time => Step::Reply(Reply::Unavailable { reason }),
            Some(_) => Step::Wait,
        }
    }

    /// Asks the lowest live address, which may be this one, to make the placement.
    fn request_placement(&mut self, ticket: Ticket, pending: &mut Pending) -> Step {
        let now_ms = self.now.monotonic_ms;
        let Stage::Placing(placing) = &mut pending.stage else { return Step::Wait };
        let Some(proposer) = self.view().first().copied() else {
            return Step::Reply(Reply::NotEnoughNodes);
        };
        if proposer == self.address {
            return match self.propose(placing.change) {
                Ok(id) => {
                    placing.target = Some(id);
                    Step::Wait
                }
                Err(refusal) => refused(refusal),
            };
        }
        if placing.proposed_ms.is_none_or(|proposed_ms| now_ms - proposed_ms >= PROPOSE_AGAIN_MS) {
            placing.proposed_ms = Some(now_ms);
            let change = placing.change;
            self.send(proposer, Body::Propose { id: ticket, change });
        }
        Step::Wait
    }

    pub(super) fn answer_proposal(&mut self, from: Address, id: u64, change: PlacementChange) {
        let known = self.proposals.0.iter().find(|(name, _)| *name == (from, id)).map(|(_, outcome)| *outcome);
        let outcome = known.unwrap_or_else(|| {
            let outcome = if self.view().first() == Some(&self.address) && self.settled {
                self.propose(change)
            } else {
                Err(Refusal::NotProposer)
            };
            if outcome != Err(Refusal::NotProposer) {
                self.proposals.0.push_back(((from, id), outcome));
                if self.proposals.0.len() > PROPOSALS_MAX {
                    self.proposals.0.pop_front();
                }
            }
            outcome
        });
        self.send(from, Body::Proposed { id, outcome });
    }

    pub(super) fn take_proposal(&mut self, id: u64, outcome: Result<PlacementId, Refusal>) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        let Stage::Placing(placing) = &mut pending.stage else { return };
        if placing.target.is_some() {
            return;
        }
        match outcome {
            Ok(target) => placing.target = Some(target),
            // It sees another node below itself, or is not settled: ask again.
            Err(Refusal::NotProposer) => return,
            Err(refusal) => {
                if let Step::Reply(reply) = refused(refusal)
                    && let Some(pending) = self.pending.remove(&id)
                {
                    self.conclude(id, &pending);
                    self.reply(pending.asker, reply);
                }
                return;
            }
        }
        self.progress(id);
    }

    /// Makes the next placement, a pure function of the present one, the live members and the request.
    fn propose(&mut self, change: PlacementChange) -> Result<PlacementId, Refusal> {
        let live = self.view();
        let placement = match change {
            PlacementChange::AddMember { shard, address } => {
                if self.placement.members(shard).is_empty() {
                    return Err(Refusal::NoSuchShard);
                }
                if !live.contains(&address) {
                    return Err(Refusal::NotInView);
                }
                self.placement.with_member(shard, address, &live, self.address)
            }
            PlacementChange::Reshard { shard_count } => self.placement.reshard(shard_count, &live, self.address),
        };
        let placement = placement.map_err(|error| match error {
            PlacementError::NotEnoughNodes => Refusal::NotEnoughNodes,
            PlacementError::AlreadyThere => Refusal::AlreadyThere,
            PlacementError::NoSuchShard => Refusal::NoSuchShard,
        })?;
        let id = placement.id();
        self.adopt(Arc::new(placement));
        Ok(id)
    }

    /// Whether the present placement does what was asked.
    fn fulfils(&self, change: PlacementChange) -> bool {
        match change {
            PlacementChange::AddMember { shard, address } => self.placement.shard_of(address) == Some(shard),
            PlacementChange::Reshard { shard_count } => self.placement.shards().len() == shard_count as usize,
        }
    }

    /// What is still to be done until every live node has the placement and every slot is where it belongs; `None` when all is.
    fn unplaced(&self, target: PlacementId) -> Option<String> {
        let view = self.view();
        let adopted = view.iter().filter(|node| {
            if **node == self.address {
                self.batches.placement() == target
            } else {
                self.peers.get(node).is_some_and(|peer| peer.announced > 0 && peer.placement == target)
            }
        });
        let adopted = adopted.count();
        if adopted < view.len() {
            return Some(format!("{adopted} of {} live nodes have the new placement", view.len()));
        }
        let placed = SlotId::all().filter(|slot| self.is_placed(*slot, &view)).count();
        (placed < crate::SLOTS).then(|| format!("{placed} of {} slots are where they belong", crate::SLOTS))
    }

    fn is_placed(&self, slot: SlotId, view: &[Address]) -> bool {
        let owners = self.placement.owners(slot);
        let all_owners_live = owners.iter().all(|owner| view.contains(owner));
        let live_owner_states =
            || view.iter().filter(|node| owners.contains(node)).filter_map(|node| self.state_at(slot, *node));
        let complete =
            live_owner_states().all(|state| matches!(state.holding, Holding::Complete | Holding::Provisional));
        let drained =
            view.iter().filter(|node| !owners.contains(node)).filter_map(|node| self.state_at(slot, *node)).all(
                |state| {
                    // With an owner down nobody may delete: then it is enough that the live ones have everything.
                    state.holding == Holding::Absent
                        || !all_owners_live && live_owner_states().all(|owner| owner.frontier.covers(&state.frontier))
                },
            );
        complete && drained
    }

    fn state_at(&self, slot: SlotId, node: Address) -> Option<&SlotState> {
        if node == self.address {
            Some(&self.slot(slot).durable)
        } else {
            self.peers.get(&node).map(|peer| peer.slot(slot))
        }
    }
}

fn refused(refusal: Refusal) -> Step {
    match refusal {
        Refusal::NotEnoughNodes => Step::Reply(Reply::NotEnoughNodes),
        Refusal::AlreadyThere => Step::Reply(Reply::AlreadyThere),
        Refusal::NotInView => Step::Reply(Reply::NotInView),
        Refusal::NoSuchShard => Step::Reply(Reply::NoSuchShard),
        Refusal::NotProposer => Step::Wait,
    }
}
