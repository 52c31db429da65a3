//! What a node was asked last, and what it answered: the evidence when it does not become what is waited for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use conformance::Exchange;

/// The last exchange of each request. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<BTreeMap<String, (SystemTime, Exchange)>>>);

impl Heard {
    pub(super) fn add(&self, begin: SystemTime, exchange: Exchange) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(exchange.request.clone(), (begin, exchange));
    }

    /// Each with when it was asked.
    pub(crate) fn all(&self) -> Vec<(SystemTime, Exchange)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
