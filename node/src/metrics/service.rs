//! What is counted of requests, the loop and the committer.

use std::sync::{Arc, atomic::AtomicU64};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

/// A request, by what keeps the number of series small.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The route's template, never the path.
    pub(crate) route: Arc<str>,
    /// The method, where it is a known one.
    pub(crate) method: &'static str,
    /// The answer's status.
    pub(crate) status: u16,
}

/// Requests of clients.
pub(crate) struct ServiceMetrics {
    /// Count.
    pub(crate) requests: Family<RequestLabels, Counter>,
    /// Seconds from head to answer.
    pub(crate) duration: Family<RequestLabels, Histogram>,
}

impl ServiceMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        // 250 µs to 65 s, which is when the longest request is over.
        let buckets = || {
            Histogram::new([
                0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 65.0,
            ])
        };
        let metrics = Self { requests: Family::default(), duration: Family::new_with_constructor(buckets) };
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to its answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics
    }
}

/// The loop and the committer.
#[derive(Clone, Default)]
pub(crate) struct RuntimeMetrics {
    /// Turns of the loop.
    pub(crate) turns: Counter,
    /// Inputs handled; over `turns`, the size of a batch.
    pub(crate) inputs: Counter,
    /// Requests for which the loop's queue had no room.
    pub(crate) refused: Counter,
    /// Syncs of the storage.
    pub(crate) syncs: Counter,
    /// Seconds in which the storage synced; over `syncs`, how long one takes.
    pub(crate) sync_seconds: Counter<f64, AtomicU64>,
    /// Batches made durable; over `syncs`, the size of a group commit.
    pub(crate) batches: Counter,
}

impl RuntimeMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let loops = registry.sub_registry_with_prefix("loop");
        loops.register("turns", "Turns of the loop", metrics.turns.clone());
        loops.register("inputs", "Inputs handled", metrics.inputs.clone());
        loops.register("requests_refused", "Requests answered 503 because the queue was full", metrics.refused.clone());
        let storage = registry.sub_registry_with_prefix("storage");
        storage.register("syncs", "Syncs of the storage", metrics.syncs.clone());
        storage.register_with_unit("sync", "Time spent in syncs", Unit::Seconds, metrics.sync_seconds.clone());
        storage.register("batches", "Batches made durable", metrics.batches.clone());
        metrics
    }
}
