//! The bugs that clients of a cluster on an engine have met, and what each can make them see. The others are for the
//! simulation.

use conformance::check::Pattern::{self, ConflictCircle, Divergence, LostWrite, MissedWrite, OverwrittenRead};

/// A bug by its name in the core.
pub(crate) struct Planted {
    pub(crate) bug: &'static str,
    pub(crate) shows: &'static [Pattern],
}

/// What a node shows that answers without all that a token names, or whose tokens name too little.
const STALE: &[Pattern] = &[MissedWrite, OverwrittenRead, ConflictCircle];

/// All that are tried.
pub(crate) const ALL: &[Planted] = &[
    Planted { bug: "SkipFrontierCheck", shows: STALE },
    Planted { bug: "TokenFromNodeState", shows: STALE },
    Planted { bug: "PruneEarly", shows: STALE },
    // A replica lacks for a while what was written while it was cut off.
    Planted { bug: "ApplyWithGap", shows: STALE },
    // There again is what a reader knew to be deleted.
    Planted { bug: "ForgetTombstonePast", shows: &[OverwrittenRead, ConflictCircle] },
    Planted { bug: "DeleteWithoutCheck", shows: &[MissedWrite] },
    // Writes that others take for ones that they have.
    Planted { bug: "KeepBurnedOrigin", shows: STALE },
    // What a node had announced counts for the empty one in its place, which so is never given what it lacks: while clients are
    // at it, of whose tokens that is pruned, or in the end.
    Planted { bug: "IgnoreIdentity", shows: &[MissedWrite, OverwrittenRead, ConflictCircle, LostWrite, Divergence] },
];
