//! What the core wants done, and what its driver gives it to begin with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Address, Envelope, Frontier, Hlc, Holding, Identity, Members, Origin, Placement, PlacementId, Record, Reply,
    RequestId, ShardId, SlotId,
};

/// The configuration of a core.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This node's address as the others know it.
    pub address: Address,
    /// All nodes known at the first start, this one included.
    pub view: Vec<Address>,
    /// Number of shards at the first start; `None` is assignment 3, or a node that joins later.
    pub shard_count: Option<u32>,
    /// Keys the checksum of tokens.
    pub secret: Option<String>,
    /// When this node's storage says that a batch is durable.
    pub durability: Durability,
}

/// When a storage says that a batch is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is synced.
    #[default]
    Sync,
    /// When it is written; the sync follows. Then the answer to a write claims no durable replica.
    Interval,
}

/// What storage holds at a start; [`Recovered::empty`] on an empty disk.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The uuid of the data directory; random where it is new.
    pub uuid: u64,
    /// The last [`Change::Boot`].
    pub boot: Option<Boot>,
    /// The last [`Change::Placement`].
    pub placement: Option<Arc<Placement>>,
    /// The last [`Change::Members`].
    pub members: Option<Members>,
    /// Every slot with a [`Change::Slot`] that was not dropped since, with its records.
    pub slots: Vec<(SlotId, SlotMeta, Vec<Arc<Record>>)>,
}

impl Recovered {
    /// A new data directory, named by `uuid`, which must be random.
    #[must_use]
    pub fn empty(uuid: u64) -> Self {
        Self { uuid, boot: None, placement: None, members: None, slots: Vec::new() }
    }
}

/// What makes every start of a data directory different from those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Epochs below this may have been used; a new start begins here.
    pub epoch_limit: u32,
    /// The incarnation of the last start.
    pub incarnation: u64,
}

/// The durable state of a slot, but for its records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotMeta {
    /// What it holds.
    pub holding: Holding,
    /// What is applied.
    pub frontier: Frontier,
    /// What is known to be stable.
    pub stable: Frontier,
    /// Above every clock that the slot has held.
    pub clock: Hlc,
}

/// One change of durable state. A batch is atomic, and batches take effect in order.
#[derive(Clone, Debug)]
pub enum Change {
    /// Begins a boot, and reserves its epochs.
    Boot(Boot),
    /// Replaces the placement.
    Placement(Arc<Placement>),
    /// Replaces the members.
    Members(Members),
    /// Replaces a slot's meta data.
    Slot(SlotId, SlotMeta),
    /// Writes a record over any other of its key.
    Record(Arc<Record>),
    /// Removes the record of this one's key.
    RemoveRecord(Arc<Record>),
    /// Removes a slot's meta data and all its records.
    DropSlot(SlotId),
}

/// What the driver must do, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send, or lose, a message.
    Send {
        /// To whom.
        to: Address,
        /// What.
        envelope: Envelope,
    },
    /// Make the changes durable, then call [`Core::handle_persisted`](crate::Core::handle_persisted) with the number.
    Persist {
        /// Consecutive, from 1.
        batch: u64,
        /// Never empty.
        changes: Vec<Change>,
    },
    /// Answer a client. Everything that the answer depends on is durable.
    Reply {
        /// As given to [`Core::handle_request`](crate::Core::handle_request).
        id: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Tell the operator.
    Event(Event),
}

/// What an operator wants to know of, one log line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The failure detector, or a request, took the node into the view.
    NodeUp(Address),
    /// The failure detector, or a request, took the node out of the view.
    NodeDown(Address),
    /// Another process now answers at the address; `wiped` when with another disk.
    NodeReplaced {
        /// Where.
        address: Address,
        /// Who was there.
        old: Identity,
        /// Who is there now.
        new: Identity,
    },
    /// A request changed the members.
    MemberAdded(Address),
    /// A request changed the members.
    MemberRemoved(Address),
    /// A new placement is in force here.
    PlacementAdopted {
        /// Its id.
        id: PlacementId,
        /// Number of shards.
        shards: usize,
        /// This node's shard.
        own_shard: Option<ShardId>,
    },
    /// All slots that this node owns can be served.
    CopyFinished {
        /// Number of slots.
        slots: usize,
    },
    /// Slots are served although holders of more may exist out of reach (rule 7).
    ServingProvisionally {
        /// Number of slots.
        slots: usize,
    },
    /// All data of a former owner is with the current owners and was deleted here.
    Drained {
        /// Number of slots.
        slots: usize,
    },
    /// Writes that were once visible are on no disk any more; reads go on without them (rule 12).
    WritesLost {
        /// The slot.
        slot: SlotId,
        /// Their origin.
        origin: Origin,
        /// The last one that exists.
        last: u64,
        /// The one that a client asked for.
        wanted: u64,
    },
    /// Two replicas with equal frontiers differed; they are being merged (rule 16).
    DigestMismatch {
        /// The slot.
        slot: SlotId,
        /// The other replica.
        peer: Address,
    },
}

/// Numbers for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Live keys of the slots held.
    pub keys: u64,
    /// Tombstones held.
    pub tombstones: u64,
    /// Slots that this node owns by its placement.
    pub slots_owned: usize,
    /// Slots that it serves as an owner.
    pub slots_complete: usize,
    /// Slots served provisionally.
    pub slots_provisional: usize,
    /// Slots being copied.
    pub slots_copying: usize,
    /// Slots of a former owner that are not handed over yet.
    pub slots_draining: usize,
    /// Slots with something that fewer than two complete owners besides this node have.
    pub slots_at_risk: usize,
    /// Nodes in the view.
    pub view: usize,
    /// Slots in which others are known to have more.
    pub slots_pulling: usize,
    /// Slots whose tombstones are between the two rounds of a collection.
    pub slots_collecting: usize,
    /// Requests in flight, of all kinds.
    pub requests_waiting: usize,
    /// Reads that wait for what their token names, or for a server.
    pub reads_waiting: usize,
    /// Writes that wait for their sync or an acknowledgement.
    pub writes_waiting: usize,
    /// Requests that wait for another node's answer.
    pub forwarded: usize,
    /// Add-members and reshards that are not done.
    pub changes_waiting: usize,
    /// Whether the node knows where it stands.
    pub settled: bool,
    /// The placement's number.
    pub placement_number: u64,
    /// Writes given up (rule 12).
    pub writes_lost: u64,
    /// Digest mismatches seen (rule 16).
    pub digest_mismatches: u64,
}
