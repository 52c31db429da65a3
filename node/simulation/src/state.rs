//! What a cluster is doing when something goes wrong: the columns of the table of what met what.

use node_core::{Core, Stats};

use crate::cluster::Cluster;

/// Something that at least one node is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing of all the others.
    Quiet,
    /// A batch is on its way to a disk.
    Syncing,
    /// A read waits for what its token names.
    Reading,
    /// A write waits for its sync or an acknowledgement.
    Writing,
    /// A request waits for another node's answer.
    Forwarding,
    /// A replica pulls what it lacks.
    Pulling,
    /// An owner copies a slot.
    Copying,
    /// A replica serves provisionally.
    Provisional,
    /// A former owner holds data.
    Draining,
    /// An add-member or a reshard is under way.
    Placing,
    /// Two nodes have different placements.
    Disagreeing,
    /// The first round of a tombstone collection is over, and the second is not.
    Collecting,
    /// A node has started, and does not know yet where it stands.
    Starting,
    /// A node is out of the view by request.
    Removed,
    /// A link is cut.
    Cut,
    /// A node is down, or stands still.
    Down,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 16] = [
        Self::Quiet,
        Self::Syncing,
        Self::Reading,
        Self::Writing,
        Self::Forwarding,
        Self::Pulling,
        Self::Copying,
        Self::Provisional,
        Self::Draining,
        Self::Placing,
        Self::Disagreeing,
        Self::Collecting,
        Self::Starting,
        Self::Removed,
        Self::Cut,
        Self::Down,
    ];

    /// What the cluster is doing now.
    pub(crate) fn of(cluster: &Cluster) -> Vec<Self> {
        let cores: Vec<&Core> = cluster.nodes.iter().filter_map(|node| node.core.as_ref()).collect();
        let stats: Vec<Stats> = cores.iter().map(|core| core.stats()).collect();
        let some = |of: fn(&Stats) -> usize| stats.iter().any(|stats| of(stats) > 0);
        let is = |state: &Self| match state {
            Self::Quiet => false,
            Self::Syncing => cluster.nodes.iter().any(|node| node.core.is_some() && node.disk.is_busy()),
            Self::Reading => some(|stats| stats.reads_waiting),
            Self::Writing => some(|stats| stats.writes_waiting),
            Self::Forwarding => some(|stats| stats.forwarded),
            Self::Pulling => some(|stats| stats.slots_pulling),
            Self::Copying => some(|stats| stats.slots_copying),
            Self::Provisional => some(|stats| stats.slots_provisional),
            Self::Draining => some(|stats| stats.slots_draining),
            Self::Placing => some(|stats| stats.changes_waiting),
            Self::Disagreeing => cores.iter().any(|core| core.placement().id() != cores[0].placement().id()),
            Self::Collecting => some(|stats| stats.slots_collecting),
            Self::Starting => stats.iter().any(|stats| !stats.settled),
            Self::Removed => cluster.removed.contains(&true),
            Self::Cut => cluster.network.has_cuts(),
            Self::Down => cluster.nodes.iter().any(|node| !node.is_up()),
        };
        let mut states: Vec<Self> = Self::ALL.into_iter().filter(is).collect();
        if states.is_empty() {
            states.push(Self::Quiet);
        }
        states
    }
}
