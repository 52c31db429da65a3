//! Bugs that can be planted, to see whether the tests find them. A build without the feature `planted` has none of them.

/// One deliberate mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "planted"), allow(dead_code, unreachable_pub, reason = "planted nowhere"))]
pub enum Bug {
    /// A write is answered before it is synced.
    AcknowledgeBeforeSync,
    /// A read is answered although the frontier does not cover its token.
    SkipFrontierCheck,
    /// A restarted node goes on with the origin that it had before.
    ReuseSequenceNumbers,
    /// A write is applied although one before it is missing.
    ApplyWithGap,
    /// A former owner deletes a slot without comparing frontiers.
    DeleteWithoutComparing,
    /// Writes are ordered by the wall clock alone.
    OrderByWallClock,
    /// Tombstones are collected by age.
    CollectByAge,
    /// A snapshot is merged as if nothing could have been deleted on either side.
    MergeWithoutDeletions,
    /// The key count is not of the batch that it is told with.
    CountOutsideBatch,
    /// A new owner serves before it has copied.
    JoinerServesEarly,
    /// Tokens are made from what the node has, not from what was written.
    TokenFromNodeState,
    /// A token entry is dropped as soon as this node has it.
    PruneEarly,
    /// Of two placements with one number the first to arrive is kept.
    TieByArrival,
    /// A node whose placement lost against one of the same number deletes what it does not own any more.
    ForgetToDrain,
    /// Recovery keeps the part of the last batch that reached the disk.
    KeepTornBatch,
    /// A forwarded write whose server fell silent is tried elsewhere.
    ForwardWriteTwice,
    /// The answer for a deleted key does not tell of the deletion (rule 4).
    ForgetTombstonePast,
    /// What a node announced counts for whoever comes after it at its address (rule 10).
    IgnoreIdentity,
    /// A slot that was given back is written to under its old origin (rule 11).
    KeepBurnedOrigin,
    /// DELETE of a key that is not here is 404, whatever the token says (rule 14).
    DeleteWithoutCheck,
    /// A node without room on its disk takes writes.
    IgnoreFullDisk,
}

#[cfg(feature = "planted")]
impl Bug {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::AcknowledgeBeforeSync,
        Self::SkipFrontierCheck,
        Self::ReuseSequenceNumbers,
        Self::ApplyWithGap,
        Self::DeleteWithoutComparing,
        Self::OrderByWallClock,
        Self::CollectByAge,
        Self::MergeWithoutDeletions,
        Self::CountOutsideBatch,
        Self::JoinerServesEarly,
        Self::TokenFromNodeState,
        Self::PruneEarly,
        Self::TieByArrival,
        Self::ForgetToDrain,
        Self::KeepTornBatch,
        Self::ForwardWriteTwice,
        Self::ForgetTombstonePast,
        Self::IgnoreIdentity,
        Self::KeepBurnedOrigin,
        Self::DeleteWithoutCheck,
        Self::IgnoreFullDisk,
    ];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| format!("{bug:?}") == name)
    }

    /// All names, for people.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(|bug| format!("{bug:?}")).join(", ")
    }
}

/// The bug that is planted in a replica, if any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted(#[cfg(feature = "planted")] Option<Bug>);

impl Planted {
    #[cfg(feature = "planted")]
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self(bug)
    }

    /// Whether it is this one.
    #[cfg(feature = "planted")]
    pub(crate) fn is(self, bug: Bug) -> bool {
        self.0 == Some(bug)
    }

    /// Whether it is this one.
    #[cfg(not(feature = "planted"))]
    #[allow(clippy::unused_self, reason = "the same call in every build")]
    pub(crate) fn is(self, _bug: Bug) -> bool {
        false
    }
}
