//! The steps of a reshard, at each of which a node is killed now and then.

/// A moment in the life of a node during a reshard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It is asked to make the placement.
    Asked,
    /// It has taken up the placement, and not synced it.
    Adopted,
    /// It has synced the placement.
    Synced,
    /// It is asked for a snapshot.
    Source,
    /// It has received a part of a snapshot.
    Copying,
    /// It has all slots that it owns.
    Copied,
    /// It has deleted slots that others own now.
    Drained,
    /// It has answered the request.
    Answered,
}

impl Step {
    /// All of them, in the order of a reshard.
    pub(crate) const ALL: [Self; 8] = [
        Self::Asked,
        Self::Adopted,
        Self::Synced,
        Self::Source,
        Self::Copying,
        Self::Copied,
        Self::Drained,
        Self::Answered,
    ];
}
