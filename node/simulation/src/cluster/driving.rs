//! The driver of each core, as the service has one: inputs in, effects carried out in order.

use node_core::{Address, Body, Change, Core, Effect, Envelope, Event, Request};

use super::{Cluster, Doom, Happening};
use crate::{
    faults::Step,
    ledger::Fate,
    node::Input,
    violation::{Checked, Violation},
    wire,
};

impl Cluster {
    pub(super) fn input(&mut self, node: usize, input: Input) -> Checked {
        let host = &mut self.nodes[node];
        let Some(core) = &mut host.core else {
            return Ok(());
        };
        if host.paused {
            if !matches!(input, Input::Timeout) {
                host.held.push_back(input);
            }
            return Ok(());
        }
        let now = host.clock.now(self.now_ms);
        match input {
            // As the service does while its loop rests; every other time as while it is busy.
            Input::Request(id, Request::Get { key, token }) if id.0 % 2 == 0 => match core.read(&key, &token) {
                Some(reply) => return self.answered(node, id, reply),
                None => core.handle_request(now, id, Request::Get { key, token }),
            },
            Input::Request(id, request) => core.handle_request(now, id, request),
            Input::Cancel(id) => core.handle_cancel(id),
            Input::Message(envelope) => core.handle_message(now, *envelope),
            Input::LinkDown(peer) => core.handle_link_down(now, peer),
            Input::Persisted(batch) => core.handle_persisted(now, batch),
            Input::Space(enough) => {
                host.knows_full = !enough;
                core.handle_space(now, enough);
            }
            #[cfg(test)]
            Input::Leaving => core.handle_leaving(now),
            Input::Timeout => core.handle_timeout(now),
        }
        self.pump(node)
    }

    /// Carries out what a core wants, and sees to its next timeout.
    pub(super) fn pump(&mut self, node: usize) -> Checked {
        while let Some(effect) = self.nodes[node].core.as_mut().and_then(Core::poll_effect) {
            match effect {
                Effect::Send { to, envelope } => self.send(node, to, &envelope)?,
                Effect::Persist { batch, changes } => self.persist(node, batch, changes)?,
                Effect::Reply { id, reply } => self.answered(node, id, reply)?,
                Effect::Event(event) => self.event(node, event)?,
            }
        }
        let host = &mut self.nodes[node];
        let Some(core) = &host.core else {
            return Ok(());
        };
        let due_ms = host.clock.virtual_ms(core.poll_timeout()).max(self.now_ms);
        if host.timer_at_ms.is_none_or(|at_ms| due_ms < at_ms) {
            host.timer_at_ms = Some(due_ms);
            let life = host.life;
            self.schedule(due_ms - self.now_ms, Happening::Timer { node, life });
        }
        Ok(())
    }

    fn send(&mut self, from: usize, to: Address, envelope: &Envelope) -> Checked {
        if envelope.from != self.nodes[from].address {
            return Err(Violation::new(format!("node{} signs a message as {}", from + 1, envelope.from)));
        }
        let Some(to) = self.nodes.iter().position(|node| node.address == to) else {
            return Ok(());
        };
        if self.random.chance(100) {
            self.trace.fold(&wire::round_trip(envelope)?);
        }
        if self.without_pings.contains(&from) && matches!(envelope.body, Body::Ping(_)) {
            return Ok(());
        }
        let fate = self.network.fate(from, to, &mut self.random);
        if fate.is_empty() {
            self.tally.lost_messages += 1;
        }
        for in_ms in fate {
            let arriving = self.tamper.as_mut().map(|tamper| tamper.message(envelope));
            let envelope = Box::new(arriving.unwrap_or_else(|| envelope.clone()));
            self.schedule(in_ms, Happening::Deliver { from, to, envelope });
        }
        Ok(())
    }

    fn persist(&mut self, node: usize, batch: u64, changes: Vec<Change>) -> Checked {
        let (least_ms, most_ms) = self.nodes[node].slow_sync_ms.unwrap_or(self.sync_ms);
        let in_ms = self.random.between(least_ms, most_ms);
        if self.nodes[node].knows_full && changes.iter().any(|change| matches!(change, Change::Record(_))) {
            self.found(Violation::new(format!("node{} writes records to a full disk", node + 1)))?;
        }
        let host = &mut self.nodes[node];
        if batch != host.next_batch || changes.is_empty() {
            return Err(Violation::new(format!(
                "node{} persists batch {batch} of {} changes, not {}",
                node + 1,
                changes.len(),
                host.next_batch
            )));
        }
        host.next_batch += 1;
        self.trace.fold(&batch.to_be_bytes());
        self.trace.note_slots(self.now_ms, wire::changed_slots(&changes), || {
            format!("node{} persists batch {batch}: {}", node + 1, wire::describe_changes(&changes))
        });
        let due_ms = host.disk.submit(batch, changes, self.now_ms + in_ms);
        let life = host.life;
        self.schedule(due_ms - self.now_ms, Happening::Synced { node, life, batch });
        if std::mem::take(&mut self.nodes[node].tear_next) {
            self.doom(node, Doom::Torn);
        }
        Ok(())
    }

    fn event(&mut self, node: usize, event: Event) -> Checked {
        self.trace.note(self.now_ms, || format!("node{} tells {event:?}", node + 1));
        match &event {
            // What was written without knowledge of a collected deletion may come back over it: that is merged, by rule 16.
            Event::DigestMismatch { slot, peer } if !self.oracle.ledger.has_uninformed(*slot) => {
                self.found(Violation::of(
                    *slot,
                    format!("invariant 5: node{} and {peer} have equal frontiers and differ", node + 1),
                ))?;
            }
            Event::WritesLost { slot, origin, last, wanted } => {
                self.tally.writes_lost += 1;
                let wrongly = self.oracle.ledger.of_slot(*slot).find(|dot| {
                    dot.origin == *origin
                        && (*last < dot.seq && dot.seq <= *wanted)
                        && self.oracle.ledger.fate(*dot) == Fate::Kept
                });
                if let Some(dot) = wrongly {
                    return Err(Violation::of(
                        *slot,
                        format!("rule 12: node{} gives up {dot:?}, which is on a disk", node + 1),
                    ));
                }
            }
            Event::ServingProvisionally { .. } => self.tally.provisional += 1,
            Event::Drained { .. } => {
                self.tally.drained += 1;
                self.passes(node, Step::Drained);
            }
            Event::PlacementAdopted { .. } => self.passes(node, Step::Adopted),
            Event::CopyFinished { .. } => self.passes(node, Step::Copied),
            _ => {}
        }
        self.events.push((node, event));
        Ok(())
    }
}
