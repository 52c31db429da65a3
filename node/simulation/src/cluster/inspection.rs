//! What is checked whenever a reply leaves or a batch becomes durable.

use node_core::{Dot, Holding, Key, Reply, RequestId};

use super::{Asked, Cluster, NEWS_OF_WIPE_MS, Notice};
use crate::{
    disk::Applied,
    faults::Step,
    ledger::Fate,
    oracle::{Context, Verdict},
    violation::{Checked, Violation},
};

impl Cluster {
    pub(super) fn answered(&mut self, node: usize, id: RequestId, reply: Reply) -> Checked {
        self.trace.fold(&id.0.to_be_bytes());
        if reply == Reply::Done {
            self.passes(node, Step::Answered);
        }
        let Some(asked) = self.asked.remove(&id) else {
            return self
                .found(Violation::new(format!("node{} answers {id:?}, which is not open: {reply:?}", node + 1)));
        };
        self.journal.answered(self.now_ms, id, asked.operation, &reply);
        let key = asked.operation.map(|operation| self.oracle.operation(operation).key.clone());
        let slots = key.iter().map(Key::slot).collect();
        self.trace.note_slots(self.now_ms, slots, || format!("{id:?} answered by node{}: {reply:?}", node + 1));
        if asked.node != node {
            self.found(Violation::new(format!("node{} answers {id:?} of node{}", node + 1, asked.node + 1)))?;
        }
        self.check_time(id, &asked)?;
        let mut context = None;
        if self.blind {
            context = asked.operation.and_then(|operation| Context::unjudged(operation, &reply));
        } else if let Some(operation) = asked.operation {
            let unaware = (0..self.nodes.len()).any(|node| self.removed[node] && self.nodes[node].core.is_some());
            self.oracle.forgive_pruned(unaware);
            let verdict = self.oracle.judge(operation, &reply)?;
            self.check_verdict(node, id, &verdict)?;
            context = verdict.context;
        }
        if !asked.cancelled {
            self.notices.push_back(Notice::Answered { id, reply, context });
        }
        Ok(())
    }

    fn check_time(&self, id: RequestId, asked: &Asked) -> Checked {
        let took_ms = self.now_ms.saturating_sub(asked.asked_ms);
        let undisturbed = self.nodes[asked.node].disturbed_ms < asked.asked_ms && self.nodes[asked.node].is_up();
        let slow_disks = self.slow_until_ms >= asked.asked_ms;
        if took_ms > asked.limit_ms && undisturbed && !slow_disks && !asked.cancelled {
            let slot = asked.operation.map(|operation| self.oracle.operation(operation).key.slot());
            return self.found(Violation {
                what: format!("node{} is late: {id:?} has taken {took_ms} ms, not {}", asked.node + 1, asked.limit_ms),
                slot,
            });
        }
        Ok(())
    }

    /// Every request has its reply in time.
    pub(super) fn check_overdue(&self) -> Checked {
        self.asked.iter().try_for_each(|(id, asked)| self.check_time(*id, asked))
    }

    fn check_verdict(&self, by: usize, id: RequestId, verdict: &Verdict) -> Checked {
        if let Some((dot, claimed)) = verdict.durable {
            let disks = self.nodes.iter().map(|node| &node.disk).chain(&self.destroyed);
            let durable = disks.filter(|disk| disk.has_held(dot)).count();
            if claimed == 0 || durable < claimed as usize {
                return Err(Violation::of(
                    dot.slot,
                    format!("invariant 6: {dot:?} was durable on {durable} disks, not {claimed}"),
                ));
            }
        }
        for (slot, origin, seq) in &verdict.pruned {
            let dot = Dot { slot: *slot, origin: *origin, seq: *seq };
            // A node that was removed and taken back may be taken for gone by one that has heard only the first.
            let of_removed =
                (0..self.nodes.len()).any(|node| self.removed[node] && self.nodes[node].disk.uuid == origin.uuid);
            if of_removed || self.oracle.ledger.fate(dot) != Fate::Kept {
                continue;
            }
            for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| !self.removed[*index]) {
                let meta = node.disk.slots.get(slot).and_then(|stored| stored.meta.as_ref());
                if meta.is_some_and(|meta| {
                    meta.holding.is_full() && meta.frontier.covers(&meta.stable) && meta.frontier.get(*origin) < *seq
                }) {
                    return Err(Violation::of(
                        *slot,
                        format!(
                            "rule 2: node{} has pruned {dot:?} from the token of {id:?}, but node{} serves the slot without it",
                            by + 1,
                            index + 1
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn applied(&mut self, node: usize, applied: &Applied) -> Checked {
        if self.blind {
            return Ok(());
        }
        for record in &applied.records {
            if !self.oracle.persisted(record)? {
                continue;
            }
            if self.removed[node] {
                self.oracle.ledger.set_waived(record.dot);
            }
            let meta = self.nodes[node].disk.slots.get(&record.dot.slot).and_then(|stored| stored.meta.as_ref());
            if meta.is_some_and(|meta| matches!(meta.holding, Holding::Copying | Holding::Provisional)) {
                self.oracle.ledger.set_blind(record.dot);
            }
        }
        for slot in &applied.slots {
            if let Some(stored) = self.nodes[node].disk.slots.get(slot) {
                self.oracle
                    .ledger
                    .check_slot(*slot, stored)
                    .map_err(|violation| Violation { what: format!("node{}: {violation}", node + 1), ..violation })?;
            }
        }
        for slot in &applied.dropped {
            self.trace.note_slots(self.now_ms, vec![*slot], || format!("node{} has dropped {slot:?}", node + 1));
            let dots: Vec<_> = self.oracle.ledger.of_slot(*slot).collect();
            for dot in dots {
                let was_lost = self.oracle.ledger.fate(dot) == Fate::Lost;
                self.reconsider(dot);
                let excused = self.wiped_ms.is_some_and(|wiped_ms| self.now_ms < wiped_ms + NEWS_OF_WIPE_MS);
                if !was_lost && !excused && self.oracle.ledger.fate(dot) == Fate::Lost {
                    return Err(Violation::of(
                        *slot,
                        format!("invariant 7: node{} has deleted {dot:?}, which is on no other disk", node + 1),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The nodes that have the record on their disks, or one that beats it.
    pub(crate) fn holders(&self, dot: Dot) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].disk.holds(dot)).collect()
    }

    /// How many of the disks that were destroyed had the record.
    pub(crate) fn destroyed_with(&self, dot: Dot) -> usize {
        self.destroyed.iter().filter(|disk| disk.has_held(dot)).count()
    }

    pub(super) fn reconsider_all(&mut self) {
        for dot in self.oracle.ledger.dots() {
            self.reconsider(dot);
        }
    }

    /// Finds out whether a record is still on the disk of a member, or on any.
    fn reconsider(&mut self, dot: Dot) {
        let holders = self.holders(dot);
        if holders.is_empty() {
            self.oracle.ledger.set_lost(dot);
        } else if holders.iter().all(|holder| self.removed[*holder]) {
            self.oracle.ledger.set_waived(dot);
        }
    }
}
