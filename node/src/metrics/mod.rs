//! What the node counts, for Prometheus. A registry for each node, never a global one.

mod link;
mod service;
mod store;

pub(crate) use self::{
    link::{LinkMetrics, PeerMetrics},
    service::{RequestLabels, RuntimeMetrics, ServiceMetrics},
};

use node_core::Stats;
use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::info::Info,
    registry::Registry,
};

/// Every metric of one node.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests of clients.
    pub(crate) service: ServiceMetrics,
    /// The loop and the committer.
    pub(crate) runtime: RuntimeMetrics,
    /// The links.
    pub(crate) peers: PeerMetrics,
}

impl Metrics {
    /// The metrics of the node called `address`, all at zero.
    pub(crate) fn new(address: &str, dialect: &'static str) -> Self {
        let mut registry = Registry::with_prefix("node");
        let labels = vec![
            ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("address".to_owned(), address.to_owned()),
            ("dialect".to_owned(), dialect.to_owned()),
        ];
        registry.register("build", "What runs here", Info::new(labels));
        Self {
            service: ServiceMetrics::register(registry.sub_registry_with_prefix("http")),
            runtime: RuntimeMetrics::register(&mut registry),
            peers: PeerMetrics::register(registry.sub_registry_with_prefix("peer")),
            registry,
        }
    }

    /// The OpenMetrics text, with the core's numbers as they are now where it has answered.
    pub(crate) fn render(&self, stats: Option<&Stats>) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        if let Some(stats) = stats {
            encode_registry(&mut text, &store::registry(stats))?;
        }
        encode_eof(&mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;
    use node_core::Stats;

    #[test]
    fn the_text_names_every_family_once() {
        let metrics = Metrics::new("10.10.0.2:8080", "2019");
        let stats = Stats { keys: 7, ..Stats::default() };
        let text = metrics.render(Some(&stats)).unwrap();
        assert!(text.contains("node_store_keys 7\n"), "{text}");
        assert!(text.contains("# TYPE node_loop_requests_refused counter\n"), "{text}");
        assert_eq!(text.matches("# EOF").count(), 1);
    }
}
