//! The kinds of bad luck, and how often each is drawn.

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The nodes fall into two groups that do not hear each other.
    Split,
    /// One node hears nobody, and nobody hears it.
    Isolate,
    /// One node is not heard, by one other or by all, but hears them.
    OneWay,
    /// Single directed links close and open, one after the other.
    Links,
    /// Messages are lost, doubled, delayed and overtaken.
    Noise,
    /// The connections of one node break, and are made again.
    Flap,
    /// A process is killed, where possible while it syncs, and starts again.
    Crash,
    /// The same, and the write under way reaches the disk in part.
    TornWrite,
    /// All processes are killed at once.
    CrashAll,
    /// A process is down for so long that the others take it out of the view.
    LongStop,
    /// All nodes but one are down for a while.
    AllButOne,
    /// A node starts again with an empty disk.
    Wipe,
    /// All nodes but one start again with empty disks.
    WipeAllButOne,
    /// A process stands still, and goes on.
    Pause,
    /// A wall clock jumps by up to an hour.
    ClockJump,
    /// A wall clock gains or loses up to an hour within a minute.
    ClockDrift,
    /// Syncs of one disk, or of all, take long.
    SlowDisk,
    /// A sync fails: the process ends, and is started again later.
    FailingSync,
    /// A disk is full for a while.
    FullDisk,
    /// A live node is deleted from the view, and added again later.
    RemoveFromView,
    /// A node that is down is deleted from the view; later it starts again on its old disk.
    RemoveDown,
    /// The number of shards changes, or not even that.
    Reshard,
    /// Several reshards at once, through several nodes.
    ReshardStorm,
    /// A reshard, and a kill at one of its steps.
    KillInReshard,
    /// A partition with a reshard on both sides.
    ReshardBothSides,
    /// A node becomes a member of some shard.
    AddMember,
    /// The same while a reshard is under way.
    AddMemberInReshard,
}

impl Fault {
    /// All of them, with how often each is drawn.
    pub(crate) const WEIGHTS: [(Self, u64); 27] = [
        (Self::Split, 12),
        (Self::Isolate, 10),
        (Self::OneWay, 8),
        (Self::Links, 8),
        (Self::Noise, 10),
        (Self::Flap, 6),
        (Self::Crash, 12),
        (Self::TornWrite, 8),
        (Self::CrashAll, 3),
        (Self::LongStop, 4),
        (Self::AllButOne, 2),
        (Self::Wipe, 6),
        (Self::WipeAllButOne, 1),
        (Self::Pause, 8),
        (Self::ClockJump, 5),
        (Self::ClockDrift, 5),
        (Self::SlowDisk, 6),
        (Self::FailingSync, 6),
        (Self::FullDisk, 6),
        (Self::RemoveFromView, 6),
        (Self::RemoveDown, 6),
        (Self::Reshard, 10),
        (Self::ReshardStorm, 4),
        (Self::KillInReshard, 8),
        (Self::ReshardBothSides, 4),
        (Self::AddMember, 5),
        (Self::AddMemberInReshard, 4),
    ];
}
