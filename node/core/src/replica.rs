//! The replica: one state machine for one node, its inputs and its outputs. Each submodule is one of its duties.

mod acknowledge;
mod adopt;
mod batches;
mod change_placement;
mod collect;
mod complete;
mod count;
mod detect;
mod forward;
mod gossip;
mod leave;
mod limits;
mod log;
mod lost;
mod peer;
mod pending;
mod pull;
mod read;
mod request;
mod room;
mod slot;
mod stable;
mod start;
mod stats;
mod transfer;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use self::{
    acknowledge::Acknowledgements,
    batches::Batches,
    change_placement::Proposals,
    collect::Round,
    gossip::Audience,
    limits::{BUSY_TICK_MS, IDLE_TICK_MS, STALL_MS},
    peer::Peer,
    pending::{Answered, Asker, Parked, Pending, Ticket},
    pull::Lag,
    slot::Slot,
    transfer::{Copy, Transfers},
};
use crate::{
    Address, Body, Durability, Effect, Envelope, Event, Identity, Members, Now, Origin, Placement, Record, Recovered,
    Reply, Request, RequestId, Settings, SlotId, TokenKey, planted::Planted,
};

/// One replica of the store.
///
/// # Driving it
/// Call a `handle_*` method for each input, then [`poll_effect`](Self::poll_effect) until it returns `None`, carrying out each
/// effect in order. Call [`handle_timeout`](Self::handle_timeout) no earlier than at [`poll_timeout`](Self::poll_timeout).
/// After an [`Effect::Persist`] call [`handle_persisted`](Self::handle_persisted) once its changes are durable; several
/// batches may be under way, and they complete in order. Messages may be lost at will, so a full queue drops them.
pub struct Core {
    address: Address,
    planted: Planted,
    token_key: TokenKey,
    /// The moment of the input being handled.
    now: Now,
    /// When this replica was made, in monotonic milliseconds.
    boot_ms: u64,
    /// When the last housekeeping turn was, in monotonic milliseconds.
    ticked_ms: u64,

    identity: Identity,
    /// The incarnation at the start of this process: later ones are the same process (rule 10).
    boot_incarnation: u64,
    /// The epoch of the newest fresh origin (rule 11).
    epoch: u32,
    epoch_limit: u32,
    /// Whether the boot is durable: before, nothing is said to anybody.
    booted: bool,
    /// Whether the placement came from storage.
    stored: bool,
    /// Whether this node knows where it stands: somebody has told it, or nobody is there to tell. Before, it answers nothing:
    /// it may have been removed, or have come back empty into a cluster with another placement than its first one.
    settled: bool,

    members: Members,
    /// Whether this node knows that it was removed by request.
    stood_down: bool,
    identities: BTreeMap<Address, Identity>,
    /// Disks in whose place another one was seen (rule 12).
    superseded: BTreeSet<u64>,
    /// The hash of members and identities, this node's own among them.
    membership: u64,
    peers: BTreeMap<Address, Peer>,
    placement: Arc<Placement>,
    slots: Vec<Slot>,

    batches: Batches,
    durability: Durability,
    /// Whether the storage has free space for data.
    enough_space: bool,
    /// While this node is about to stop, the announcement that the others must have confirmed before it does.
    leaving: Option<u64>,
    parked: Parked,
    acknowledgements: Acknowledgements,
    /// New writes of this node on their way to the other replicas.
    outbox: BTreeMap<(Address, SlotId), Vec<Arc<Record>>>,
    effects: VecDeque<Effect>,

    pending: BTreeMap<Ticket, Pending>,
    /// Bytes of the values and tokens in `pending`.
    request_bytes: usize,
    /// The first of `pending` that was left out when time passed.
    left_out: Ticket,
    pending_by_slot: BTreeMap<SlotId, BTreeSet<Ticket>>,
    tickets: BTreeMap<Asker, Ticket>,
    next_ticket: Ticket,
    answered: Answered,

    /// Number of the newest announcement.
    announcement: u64,
    /// To whom the newest announcement is to be sent at once.
    news: Audience,
    /// How often a slot has changed since an announcement was sent.
    unannounced: usize,
    /// Whether the others were last told that this node takes writes.
    told_room: bool,
    announced_ms: u64,

    lags: BTreeMap<SlotId, Lag>,
    copies: BTreeMap<SlotId, Copy>,
    transfers: Transfers,
    proposals: Proposals,
    rounds: BTreeMap<SlotId, Round>,
    collected_ms: u64,
    /// When a mismatch of the slot was last repaired (rule 16).
    mismatches: BTreeMap<SlotId, u64>,
    lost_reported: BTreeSet<(SlotId, Origin)>,
    /// Slots that were being copied at the last look.
    copying: usize,
    /// How many members knew the same members and identities at the last look; none while they have not announced the same
    /// placement.
    agreeing: usize,
    writes_lost: u64,
    digest_mismatches: u64,
}

impl Core {
    /// Starts a replica on what its storage holds. Its first effect makes this boot durable; until that has completed it
    /// neither answers nor sends.
    #[must_use]
    pub fn new(settings: Settings, recovered: Recovered, now: Now) -> Self {
        Self::start(settings, recovered, now, Planted::default())
    }

    /// As [`new`](Self::new), with a bug planted.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn with_bug(settings: Settings, recovered: Recovered, now: Now, bug: Option<crate::Bug>) -> Self {
        Self::start(settings, recovered, now, Planted::new(bug))
    }

    /// A client asks. There will be exactly one [`Effect::Reply`] with this id, within 65 s, unless it is cancelled.
    pub fn handle_request(&mut self, now: Now, id: RequestId, request: Request) {
        self.turn(now);
        self.ask(Asker::Client(id), 0, request);
    }

    /// A client has gone away: its reply is not wanted any more. What it asked for may happen all the same.
    pub fn handle_cancel(&mut self, id: RequestId) {
        if let Some(ticket) = self.tickets.remove(&Asker::Client(id)) {
            self.forget(ticket);
        }
    }

    /// A message has arrived.
    pub fn handle_message(&mut self, now: Now, envelope: Envelope) {
        self.turn(now);
        let from = envelope.from;
        if !self.booted || from == self.address || !self.meet(&envelope) {
            return;
        }
        let (placement, membership) = (envelope.placement, envelope.membership);
        let meant = envelope.to_identity == Some(self.identity);
        let misdirected = envelope.to_identity.is_some() && !meant;
        match envelope.body {
            Body::Ping(ping) => self.take_ping(from, membership, *ping),
            Body::Placement(placement) => self.adopt(placement),
            // Meant for the disk that was here before: it may have been given up for lost (rule 12).
            Body::Replicate { .. } if misdirected => {}
            Body::Replicate { slot, records } | Body::LogRange { slot, records } => {
                self.take_records(from, slot, &records);
            }
            Body::Acks(acks) => self.take_acks(from, placement, &acks),
            Body::Pull { slot, have } => self.answer_pull(from, slot, &have),
            Body::SnapshotRequest { slot, transfer, offset } => self.send_chunk(from, slot, transfer, offset),
            Body::SnapshotChunk(chunk) => self.take_chunk(from, *chunk),
            // An earlier start here may have carried out the write, and does not remember it.
            Body::Forward { request, .. } if !meant && !matches!(request, Request::Get { .. }) => {}
            Body::Forward { id, hops, request } => self.ask(Asker::Peer { address: from, id }, hops, request),
            Body::ForwardReply { id, reply } => self.take_forward_reply(from, id, reply),
            Body::Count { id, slots } => self.answer_count(from, id, &slots),
            Body::Counted { id, slots } => self.take_count(from, id, slots),
            Body::Propose { id, change } => self.answer_proposal(from, id, change),
            Body::Proposed { id, outcome } => self.take_proposal(id, outcome),
        }
    }

    /// The link to a peer has broken, or could not be made: a hint that shortens waiting, never needed.
    pub fn handle_link_down(&mut self, now: Now, peer: Address) {
        self.turn(now);
        if self.booted {
            self.link_lost(peer);
        }
    }

    /// The changes of this batch, and of all earlier ones, are durable.
    pub fn handle_persisted(&mut self, now: Now, batch: u64) {
        self.turn(now);
        self.synced(batch);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        self.turn(now);
        self.ticked_ms = now.monotonic_ms;
        if !self.booted {
            return;
        }
        self.look_around();
        if self.settled && !self.is_removed() {
            self.complete_slots();
            self.resume_stability();
        }
        self.pull_lagging();
        self.continue_copies();
        self.transfers.expire(now.monotonic_ms);
        self.collect_tombstones();
        self.progress_all();
        self.send_pings();
        self.assert_caps();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due, in milliseconds of the monotonic clock.
    #[must_use]
    pub fn poll_timeout(&self) -> u64 {
        let busy = !self.pending.is_empty()
            || !self.copies.is_empty()
            || self.is_pulling()
            || self.now.monotonic_ms - self.boot_ms < limits::START_GRACE_MS;
        let news_ms = self.news_due_ms().map_or(u64::MAX, |due_ms| due_ms.max(self.ticked_ms + BUSY_TICK_MS));
        news_ms.min(self.ticked_ms + if busy { BUSY_TICK_MS } else { IDLE_TICK_MS })
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if self.effects.is_empty() {
            self.flush();
        }
        self.effects.pop_front()
    }

    /// The placement in force here.
    #[must_use]
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Begins the handling of an input. Silence that was a stall of this node must not count against the others, and so comes
    /// off before anything is heard.
    fn turn(&mut self, now: Now) {
        let late_ms = now.monotonic_ms.saturating_sub(self.ticked_ms + IDLE_TICK_MS);
        if late_ms > STALL_MS {
            self.ticked_ms = now.monotonic_ms - IDLE_TICK_MS;
            for peer in self.peers.values_mut() {
                peer.forgive(late_ms);
            }
        }
        self.now = now;
    }

    fn slot(&self, slot: SlotId) -> &Slot {
        &self.slots[slot.index()]
    }

    fn event(&mut self, event: Event) {
        self.effects.push_back(Effect::Event(event));
    }

    fn send(&mut self, to: Address, body: Body) {
        if !self.booted {
            return;
        }
        let envelope = Envelope {
            from: self.address,
            identity: self.identity,
            to_identity: self.identities.get(&to).copied(),
            placement: self.announced_placement(),
            membership: self.membership,
            body,
        };
        self.effects.push_back(Effect::Send { to, envelope });
    }

    fn reply(&mut self, asker: Asker, reply: Reply) {
        match asker {
            Asker::Client(id) => self.effects.push_back(Effect::Reply { id, reply }),
            Asker::Peer { address, id } => {
                self.answered.finish(asker, &reply);
                self.note_answered(&reply);
                self.send(address, Body::ForwardReply { id, reply });
            }
        }
    }

    /// Whether the placement makes this node an owner of the slot.
    fn owns(&self, slot: SlotId) -> bool {
        self.placement.owners(slot).contains(&self.address)
    }

    /// The owners of the slot that were not removed by request.
    fn owners(&self, slot: SlotId) -> impl Iterator<Item = Address> + '_ {
        self.placement.owners(slot).iter().copied().filter(|owner| self.members.contains(*owner))
    }

    /// Whether this node was removed by request: then it answers nothing from its data.
    fn is_removed(&self) -> bool {
        !self.members.contains(self.address)
    }

    fn is_reachable(&self, address: Address) -> bool {
        self.peers.get(&address).is_some_and(|peer| peer.is_reachable(self.now.monotonic_ms))
    }
}
