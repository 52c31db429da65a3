//! Who is not let in: counted each time, and told now and then.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use node_core::Address;
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;
use tracing::warn;

/// The same address is told of at most this often.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// Addresses told of within [`TELL_AGAIN`]; a stranger that claims more of them is only counted.
const TOLD_MAX: usize = 64;

/// The nodes whose secret differs, or that others claim to be.
pub(super) struct Strangers {
    refused: Counter,
    told: Mutex<BTreeMap<Address, Instant>>,
}

impl Strangers {
    pub(super) fn new(refused: Counter) -> Self {
        Self { refused, told: Mutex::default() }
    }

    /// There was no link to `peer`, because it has not proved that it knows the secret, or says that this node has not.
    pub(super) fn refuse(&self, peer: Address) {
        self.refused.inc();
        if self.is_news(peer, Instant::now()) {
            warn!("CLUSTER_SECRET differs from that of {peer}, or somebody else claims to be it: no link");
        }
    }

    fn is_news(&self, peer: Address, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.duration_since(*at) < TELL_AGAIN);
        let news = told.len() < TOLD_MAX && !told.contains_key(&peer);
        if news {
            told.insert(peer, now);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, Strangers, TELL_AGAIN, TOLD_MAX};
    use prometheus_client::metrics::counter::Counter;

    #[test]
    fn an_address_is_told_once_in_a_while_and_only_so_many_of_them() {
        let strangers = Strangers::new(Counter::default());
        let now = Instant::now();
        let told = (0..2_000).filter(|port| strangers.is_news(([10, 0, 0, 1], *port).into(), now));
        assert_eq!(told.count(), TOLD_MAX);
        assert!(!strangers.is_news(([10, 0, 0, 1], 0).into(), now));
        assert!(strangers.is_news(([10, 0, 0, 1], 0).into(), now + TELL_AGAIN));
    }

    #[test]
    fn every_refusal_is_counted() {
        let strangers = Strangers::new(Counter::default());
        (0..3).for_each(|_| strangers.refuse(([10, 0, 0, 1], 1).into()));
        assert_eq!(strangers.refused.get(), 3);
    }
}
