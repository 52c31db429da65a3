//! Where data should be: slots → shards → nodes. Totally ordered, so that concurrent ones merge by the higher winning.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Address, SLOTS, SlotId};

/// The name of a shard, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId(pub u32);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The order of placements: number, then proposer, then content.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlacementId {
    /// 0 for a first placement nobody asked for (no `SHARD_COUNT`), 1 for one with `SHARD_COUNT`, then one more each time.
    pub number: u64,
    /// The proposer's address as a number; of a first placement its count of members, so that the fuller view wins.
    pub proposer: u128,
    /// Hash of the content.
    pub hash: u64,
}

/// The members of one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its name.
    pub id: ShardId,
    /// In numeric order.
    pub members: Vec<Address>,
}

/// A total assignment of slots to shards and of nodes to shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    id: PlacementId,
    shards: Vec<Shard>,
    /// Shard of each slot, [`SLOTS`] of them.
    slots: Vec<ShardId>,
}
