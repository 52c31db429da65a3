//! What clients ask and what they are told, before any dialect.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Address, Key, Record, ShardId, Token};

/// Names a request of this node's clients until its reply. Chosen by the driver, never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// A validated request of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The value of a key, not older than the token's observations.
    Get {
        /// The key.
        key: Key,
        /// What the client has observed; empty for a client without a past.
        token: Token,
    },
    /// A new value.
    Put {
        /// The key.
        key: Key,
        /// JSON text.
        value: Arc<[u8]>,
        /// What the write depends on.
        token: Token,
    },
    /// A deletion.
    Delete {
        /// The key.
        key: Key,
        /// What the deletion depends on.
        token: Token,
    },
    /// The nodes that are up, as this node sees it.
    View,
    /// Adds a node to the members and the view.
    AddToView(Address),
    /// Takes a node out of the members and the view.
    RemoveFromView(Address),
    /// The ids of all shards.
    ShardIds,
    /// The shard that this node is in.
    NodeShard,
    /// The members of a shard.
    ShardMembers(ShardId),
    /// The exact number of keys in a shard.
    KeyCount(ShardId),
    /// Makes a node a member of a shard.
    AddMember {
        /// The shard to join.
        shard: ShardId,
        /// The node that joins.
        address: Address,
    },
    /// Distributes keys and live nodes over this many shards.
    Reshard {
        /// At least 1.
        shard_count: u32,
    },
}

impl Request {
    /// About how many bytes of memory the value and the token take that it carries.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Put { value, token, .. } => value.len() + token.memory_bytes(),
            Self::Get { token, .. } | Self::Delete { token, .. } => token.memory_bytes(),
            _ => 0,
        }
    }
}

/// The answer to a [`Request`]. Each names a row of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// GET: the key exists.
    Value {
        /// With its value, and its version: the write's own context, the same bytes from every replica.
        record: Arc<Record>,
        /// What the client has observed now; equal to the version for a client that came without a token.
        token: Arc<str>,
        /// The key's shard.
        shard: ShardId,
    },
    /// GET or DELETE: no such key; a past deletion is in the token (rule 4).
    Missing {
        /// What the client has observed now.
        token: Arc<str>,
        /// The key's shard.
        shard: ShardId,
    },
    /// PUT or DELETE: done.
    Written {
        /// Whether the key existed before.
        replaced: bool,
        /// The write's context, which is the client's token too.
        version: Arc<str>,
        /// The key's shard.
        shard: ShardId,
        /// Replicas on which the write was durable when this was answered.
        replicas_durable: u32,
        /// Replicas that had the write when this was answered, durably or not.
        replicas_written: u32,
    },
    /// The request cannot be taken: malformed in a way that only the store can see (a token from the far future).
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// Not now: dependencies not in reach, no live member of the shard, too much in flight, not finished in time.
    Unavailable {
        /// What is missing.
        reason: String,
    },
    /// The view, in numeric order of address.
    View(Vec<Address>),
    /// A view change or a placement change is done.
    Done,
    /// The address already is where it was to be put (view or shard).
    AlreadyThere,
    /// The address is not in the view.
    NotInView,
    /// All shards, ascending.
    ShardIds(Vec<ShardId>),
    /// This node's shard; `None` for an ungrouped node.
    NodeShard(Option<ShardId>),
    /// The members of the shard, in numeric order of address.
    ShardMembers(Vec<Address>),
    /// Number of keys.
    KeyCount(u64),
    /// The shard id is unknown.
    NoSuchShard,
    /// Fewer than two nodes a shard would be left.
    NotEnoughNodes,
}
