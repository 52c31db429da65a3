//! The faults there are, by name.

use crate::Ability;

/// What can be done to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A node ends without warning, and is started later.
    Kill,
    /// A node is asked to end, and started at once.
    Restart,
    /// A node does nothing for a while.
    Pause,
    /// A node is asked to end, and is away for long.
    Stop,
    /// A node ends without warning, and comes back with an empty disk.
    Wipe,
    /// Two groups of nodes do not hear each other.
    Partition,
    /// One group does not hear the other, which hears it.
    OneWay,
    /// Two groups do not hear each other; one node hears both, and both hear it.
    Bridge,
    /// A node hears nobody, and nobody hears it.
    Isolate,
    /// A further node comes, and becomes a member of a shard.
    Add,
    /// One shard more.
    ReshardUp,
    /// One shard less.
    ReshardDown,
    /// All nodes are restarted, one after the other.
    RollingRestart,
    /// All nodes end without warning, and are started later.
    KillAll,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Kill,
        Self::Restart,
        Self::Pause,
        Self::Stop,
        Self::Wipe,
        Self::Partition,
        Self::OneWay,
        Self::Bridge,
        Self::Isolate,
        Self::Add,
        Self::ReshardUp,
        Self::ReshardDown,
        Self::RollingRestart,
        Self::KillAll,
    ];

    /// Its name in histories and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Stop => "stop",
            Self::Wipe => "wipe",
            Self::Partition => "partition",
            Self::OneWay => "one-way",
            Self::Bridge => "bridge",
            Self::Isolate => "isolate",
            Self::Add => "add",
            Self::ReshardUp => "reshard-up",
            Self::ReshardDown => "reshard-down",
            Self::RollingRestart => "rolling-restart",
            Self::KillAll => "kill-all",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it needs of the place where the nodes run.
    #[must_use]
    pub const fn needs(self) -> Option<Ability> {
        if self.is_cut() { Some(Ability::Partition) } else { None }
    }

    /// Whether it is done to the network.
    pub(super) const fn is_cut(self) -> bool {
        matches!(self, Self::Partition | Self::OneWay | Self::Bridge | Self::Isolate)
    }

    /// Whether it is a change that nodes make when they are asked to: it is on until they answer.
    pub(super) const fn is_change(self) -> bool {
        matches!(self, Self::Add | Self::ReshardUp | Self::ReshardDown)
    }

    /// Whether it stays until it is undone.
    pub(super) const fn lasts(self) -> bool {
        self.is_cut() || matches!(self, Self::Kill | Self::Pause | Self::Stop | Self::Wipe | Self::KillAll)
    }

    /// Whether `next` may begin while this is on. Never two cuts, which would be one; nothing beside what destroys disks or
    /// has all nodes down, since of that the contract promises too little; no change where not all nodes are up to take part.
    pub(super) const fn may_overlap(self, next: Self) -> bool {
        let holds = matches!(self, Self::Kill | Self::Pause | Self::Stop) || self.is_cut() || self.is_change();
        let joins = matches!(next, Self::Kill | Self::Restart | Self::Pause) || next.is_cut();
        holds && joins && !(self.is_cut() && next.is_cut())
    }

    /// Whether it is begun only when every node is there and serves all it should: a disk is destroyed only when others have
    /// what was on it, and a change needs nodes.
    pub(super) const fn needs_whole(self) -> bool {
        self.is_change() || matches!(self, Self::Wipe | Self::RollingRestart)
    }
}
