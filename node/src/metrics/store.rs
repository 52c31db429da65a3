//! The core's numbers, read once a scrape.

use node_core::Stats;
use prometheus_client::{
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

/// A registry with the numbers of one moment.
pub(super) fn registry(stats: &Stats) -> Registry {
    let mut registry = Registry::with_prefix("node_store");
    let gauges = [
        ("keys", "Live keys held", stats.keys),
        ("tombstones", "Deletions held", stats.tombstones),
        ("slots_owned", "Slots owned by the placement", stats.slots_owned as u64),
        ("slots_complete", "Slots served as an owner", stats.slots_complete as u64),
        (
            "slots_provisional",
            "Slots served although holders of more may be out of reach",
            stats.slots_provisional as u64,
        ),
        ("slots_copying", "Slots being copied", stats.slots_copying as u64),
        ("slots_draining", "Slots of a former owner not handed over yet", stats.slots_draining as u64),
        ("slots_at_risk", "Slots with data that fewer than two other owners have", stats.slots_at_risk as u64),
        ("view_nodes", "Nodes in the view", stats.view as u64),
        ("requests_waiting", "Requests in flight in the core", stats.requests_waiting as u64),
        ("placement_number", "Number of the placement in force", stats.placement_number),
    ];
    for (name, help, value) in gauges {
        registry.register(name, help, ConstGauge::new(value));
    }
    let counters = [
        ("writes_lost", "Writes given up because no disk holds them any more", stats.writes_lost),
        ("digest_mismatches", "Replicas found to differ at equal frontiers", stats.digest_mismatches),
    ];
    for (name, help, value) in counters {
        registry.register(name, help, ConstCounter::new(value));
    }
    registry
}
