//! The bugs that clients of a cluster on an engine can meet, and what each can make them see. Those that only a disk shows,
//! or a clock that is wrong, are for the simulation.

use conformance::check::Pattern::{self, ConflictCircle, MissedWrite, OverwrittenRead, WrongCount};

/// A bug by its name in the core.
pub(crate) struct Planted {
    pub(crate) bug: &'static str,
    pub(crate) shows: &'static [Pattern],
}

/// All that are tried.
pub(crate) const ALL: &[Planted] = &[
    Planted { bug: "SkipFrontierCheck", shows: &[MissedWrite, OverwrittenRead, ConflictCircle] },
    Planted { bug: "TokenFromNodeState", shows: &[MissedWrite, OverwrittenRead, ConflictCircle] },
    Planted { bug: "PruneEarly", shows: &[MissedWrite, OverwrittenRead, ConflictCircle] },
    Planted { bug: "CountOutsideBatch", shows: &[WrongCount] },
];
