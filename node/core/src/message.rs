//! What nodes say to each other. Any message may be lost, doubled, late or out of order.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Address, Announcement, Frontier, Hlc, Identity, Members, Origin, Placement, PlacementId, Record, Reply, Request,
    ShardId, SlotId,
};

/// A message with who sends it; the sender's identity is applied before the body (rule 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The sender's address.
    pub from: Address,
    /// Who is behind that address.
    pub identity: Identity,
    /// Whom the sender believes to be behind the receiver's address, if it has heard of it.
    pub to_identity: Option<Identity>,
    /// The sender's durable placement.
    pub placement: PlacementId,
    /// A hash of the members and identities that the sender knows: who has the same hash knows the same.
    pub membership: u64,
    /// What is said.
    pub body: Body,
}

/// The kinds of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Sent to every known node when there is news, and now and then without.
    Ping(Box<Ping>),
    /// A placement for a node that has an older one.
    Placement(Arc<Placement>),
    /// New writes of the sender to one slot, in order of `seq`.
    Replicate {
        /// The slot.
        slot: SlotId,
        /// Consecutive writes of one origin.
        records: Vec<Arc<Record>>,
    },
    /// What the sender has synced, cumulatively, of the receiver's writes.
    Acks(Vec<(SlotId, Origin, u64)>),
    /// Asks for everything beyond `have`.
    Pull {
        /// The slot.
        slot: SlotId,
        /// The asker's frontier.
        have: Frontier,
    },
    /// Answers a pull from the log: consecutive writes per origin, beginning after what was had.
    LogRange {
        /// The slot.
        slot: SlotId,
        /// The writes.
        records: Vec<Arc<Record>>,
    },
    /// Asks for a piece of a snapshot of the slot; at offset 0 of a new one.
    SnapshotRequest {
        /// The slot.
        slot: SlotId,
        /// Names the snapshot at the asker.
        transfer: u64,
        /// The first record wanted, as an index.
        offset: u64,
    },
    /// A piece of a consistent snapshot.
    SnapshotChunk(Box<SnapshotChunk>),
    /// Asks a node that can serve it to take a client's request.
    Forward {
        /// Names the request at the sender.
        id: u64,
        /// How often it has been forwarded, this time included.
        hops: u8,
        /// The request.
        request: Request,
    },
    /// Answers a forwarded request.
    ForwardReply {
        /// As in the request.
        id: u64,
        /// The answer.
        reply: Reply,
    },
    /// Asks for the state of the slots of a shard, to count its keys.
    Count {
        /// Names the question at the sender.
        id: u64,
        /// The shard by the sender's placement.
        slots: Vec<SlotId>,
    },
    /// Answers [`Body::Count`] with what the sender serves of these slots.
    Counted {
        /// As in the question.
        id: u64,
        /// Slot, durable frontier, live keys.
        slots: Vec<(SlotId, Frontier, u64)>,
    },
    /// Asks the node that makes placements to make one.
    Propose {
        /// Names the proposal at the sender.
        id: u64,
        /// What the placement is to do.
        change: PlacementChange,
    },
    /// Answers [`Body::Propose`].
    Proposed {
        /// As in the proposal.
        id: u64,
        /// The new placement's id, or why there is none.
        outcome: Result<PlacementId, Refusal>,
    },
}

/// The heartbeat, with everything that is gossiped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// All that is known of members.
    pub members: Members,
    /// The newest identity known at each address.
    pub identities: Vec<(Address, Identity)>,
    /// Milliseconds since the sender last heard from each node directly: an indirect probe for the receiver.
    pub heard_ms: Vec<(Address, u64)>,
    /// Whether the sender takes writes: it has space on its disk, and syncs keep up.
    pub has_room: bool,
    /// What has changed in the sender's slots.
    pub announcement: Announcement,
    /// The newest announcement of the receiver that the sender has, and of which identity of the receiver.
    pub confirmed: Option<(Identity, u64)>,
}

/// Part of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotChunk {
    /// The slot.
    pub slot: SlotId,
    /// The name that the asker gave it; 0 where it answers a pull.
    pub transfer: u64,
    /// Index of the first record in this chunk.
    pub offset: u64,
    /// Records of the whole snapshot.
    pub total: u64,
    /// What the snapshot covers.
    pub frontier: Frontier,
    /// The sender's stable frontier of the slot.
    pub stable: Frontier,
    /// Above every clock that the slot has held at the sender.
    pub clock: Hlc,
    /// Whether the sender's copy makes the receiver's complete (rules 7 and 8).
    pub full: bool,
    /// The sender's durable placement when the snapshot was taken.
    pub placement: PlacementId,
    /// The records.
    pub records: Vec<Arc<Record>>,
}

/// What a new placement is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlacementChange {
    /// As [`Request::AddMember`].
    AddMember {
        /// The shard to join.
        shard: ShardId,
        /// The node that joins.
        address: Address,
    },
    /// As [`Request::Reshard`].
    Reshard {
        /// The number of shards.
        shard_count: u32,
    },
}

/// Why no placement was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Fewer than two live nodes a shard.
    NotEnoughNodes,
    /// The node already is a member of the shard.
    AlreadyThere,
    /// The node is not in the view.
    NotInView,
    /// No such shard.
    NoSuchShard,
    /// The asked node is not, or no longer, the one that makes placements.
    NotProposer,
}
