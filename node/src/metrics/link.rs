//! What is counted of each link.

use node_core::Address;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    peer: String,
}

impl PeerLabels {
    fn new(peer: Address) -> Self {
        let peer = peer.to_string();
        Self { peer }
    }
}

/// The families, by peer.
#[derive(Clone, Default)]
pub(crate) struct PeerMetrics {
    link_up: Family<PeerLabels, Gauge>,
    sent_frames: Family<PeerLabels, Counter>,
    sent_bytes: Family<PeerLabels, Counter>,
    received_frames: Family<PeerLabels, Counter>,
    received_bytes: Family<PeerLabels, Counter>,
    dropped_frames: Family<PeerLabels, Counter>,
    /// Links that were not made because one side has not proved that it knows the secret.
    pub(crate) refused_strangers: Counter,
}

/// The numbers of one peer.
pub(crate) struct LinkMetrics {
    /// 1 while there is a link.
    pub(crate) up: Gauge,
    sent_frames: Counter,
    sent_bytes: Counter,
    received_frames: Counter,
    received_bytes: Counter,
    /// Messages lost before they were sent: the queue was full, or the peer could not be reached.
    pub(crate) dropped_frames: Counter,
}

impl PeerMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("link_up", "Whether there is a link to the peer", metrics.link_up.clone());
        registry.register("sent_frames", "Messages written to the link", metrics.sent_frames.clone());
        registry.register_with_unit(
            "sent",
            "Message bytes written to the link",
            Unit::Bytes,
            metrics.sent_bytes.clone(),
        );
        registry.register("received_frames", "Messages read from the link", metrics.received_frames.clone());
        registry.register_with_unit(
            "received",
            "Message bytes read from the link",
            Unit::Bytes,
            metrics.received_bytes.clone(),
        );
        registry.register(
            "dropped_frames",
            "Messages lost before they were sent: the queue was full, or the peer out of reach",
            metrics.dropped_frames.clone(),
        );
        registry.register(
            "refused_strangers",
            "Links not made because CLUSTER_SECRET differs, or is not proved",
            metrics.refused_strangers.clone(),
        );
        metrics
    }

    /// The numbers of `peer`.
    pub(crate) fn of(&self, peer: Address) -> LinkMetrics {
        let labels = PeerLabels::new(peer);
        LinkMetrics {
            up: self.link_up.get_or_create_owned(&labels),
            sent_frames: self.sent_frames.get_or_create_owned(&labels),
            sent_bytes: self.sent_bytes.get_or_create_owned(&labels),
            received_frames: self.received_frames.get_or_create_owned(&labels),
            received_bytes: self.received_bytes.get_or_create_owned(&labels),
            dropped_frames: self.dropped_frames.get_or_create_owned(&labels),
        }
    }

    /// Stops showing `peer`.
    pub(crate) fn forget(&self, peer: Address) {
        let labels = PeerLabels::new(peer);
        self.link_up.remove(&labels);
        for family in
            [&self.sent_frames, &self.sent_bytes, &self.received_frames, &self.received_bytes, &self.dropped_frames]
        {
            family.remove(&labels);
        }
    }
}

impl LinkMetrics {
    /// Counts a message handed to the link.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent_frames.inc();
        self.sent_bytes.inc_by(bytes as u64);
    }

    /// Counts a message that has arrived.
    pub(crate) fn received(&self, bytes: usize) {
        self.received_frames.inc();
        self.received_bytes.inc_by(bytes as u64);
    }
}
