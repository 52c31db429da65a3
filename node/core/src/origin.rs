//! Who wrote, and which of its writes: [`Origin`] and [`Dot`].

use serde::{Deserialize, Serialize};

use crate::SlotId;

/// A source of writes: a data directory and one uninterrupted use of it.
///
/// A restarted or wiped node never continues an earlier origin (rule 11): dots would be used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Made at random when the data directory is.
    pub uuid: u64,
    /// Grows with every start, and within one whenever a slot needs a fresh origin.
    pub epoch: u32,
}

/// The name of one write: the `seq`-th that `origin` made in `slot`. `seq` is dense and starts at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dot {
    /// The slot written to.
    pub slot: SlotId,
    /// The writer.
    pub origin: Origin,
    /// The position among the writer's writes to this slot.
    pub seq: u64,
}
