//! What a node tells the others of each of its slots. Always from synced state (rule 1).

use serde::{Deserialize, Serialize};

use crate::{Frontier, Hlc, PlacementId, SlotId};

/// What a node holds of a slot, and what it may do with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Holding {
    /// Nothing, and it should have nothing.
    #[default]
    Absent,
    /// A former owner that has stopped answering; kept until every owner covers it (rule 9).
    Retired,
    /// An owner without a full copy yet: it answers nothing.
    Copying,
    /// An owner that answers although a complete holder may exist out of reach (rule 7): never a source of completeness.
    Provisional,
    /// A former owner that still answers, and completes the new ones.
    Draining,
    /// An owner with everything that was acknowledged before its copy was made.
    Complete,
}

impl Holding {
    /// Whether reads are answered and writes coordinated.
    #[must_use]
    pub fn serves(self) -> bool {
        matches!(self, Self::Provisional | Self::Draining | Self::Complete)
    }

    /// Whether its snapshot makes another replica complete.
    #[must_use]
    pub fn is_full(self) -> bool {
        matches!(self, Self::Draining | Self::Complete)
    }
}

/// One slot at the announcing node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotState {
    /// What it holds.
    pub holding: Holding,
    /// What it has durably applied.
    pub frontier: Frontier,
    /// What it knows every owner and server to have durably applied (rule 2).
    pub stable: Frontier,
    /// Above every clock that the slot has held (rule 13).
    pub clock: Hlc,
    /// Whatever the announcing node writes to the slot from now on has this epoch at least: its older origins are closed here.
    pub epoch: u32,
    /// Live keys.
    pub keys: u64,
    /// Xor of [`Record::digest`](crate::Record::digest) over the live keys.
    pub digest: u64,
}

/// The slots that have changed since the receiver last confirmed, all as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Grows with every change at the announcing identity.
    pub number: u64,
    /// Complete for a receiver that knows the announcement of this number, or a later one.
    pub since: u64,
    /// The placement in force when it was taken, durably.
    pub placement: PlacementId,
    /// Changed slots in full.
    pub slots: Vec<(SlotId, SlotState)>,
}
