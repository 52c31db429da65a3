//! The core's events as log lines.

use node_core::Event;
use tracing::{info, warn};

/// The free space has come to be, or is no longer, below the headroom.
pub(super) fn log_space(enough: bool) {
    if enough {
        info!("the disk has room again: writes are taken");
    } else {
        warn!("the disk is nearly full: writes are refused, reads go on");
    }
}

/// One line for each.
pub(super) fn log(event: &Event) {
    match event {
        Event::NodeUp(address) => info!(%address, "node up"),
        Event::NodeDown(address) => warn!(%address, "node down"),
        Event::NodeReplaced { address, old, new } => info!(
            %address,
            wiped = old.uuid != new.uuid,
            incarnation = new.incarnation,
            "node replaced"
        ),
        Event::MemberAdded(address) => info!(%address, "member added"),
        Event::MemberRemoved(address) => info!(%address, "member removed"),
        Event::PlacementAdopted { id, shards, own_shard } => match own_shard {
            Some(shard) => info!(number = id.number, shards, %shard, "placement adopted"),
            None => info!(number = id.number, shards, shard = "none", "placement adopted"),
        },
        Event::CopyFinished { slots } => info!(slots, "copy finished"),
        Event::ServingProvisionally { slots } => {
            warn!(slots, "serving provisionally: holders of more may be out of reach");
        }
        Event::Drained { slots } => info!(slots, "handed over to the current owners"),
        Event::WritesLost { slot, origin, last, wanted } => warn!(
            slot = slot.0,
            origin = format_args!("{:016x}.{}", origin.uuid, origin.epoch),
            last,
            wanted,
            "writes lost: no disk holds them any more"
        ),
        Event::DigestMismatch { slot, peer } => warn!(
            slot = slot.0,
            %peer,
            "replicas differ at equal frontiers: merging"
        ),
    }
}
