//! Load on an HTTP service, and what came of it: throughput, latencies, errors, the longest time without an answer.
//!
//! Each connection is a client, which has one request under way. In the closed loop it asks again as soon as it is answered; half
//! of the processors are for the clients, so that they cost little of what they measure. In the open loop, with a
//! [rate](Load::rate), requests have a time at which they are due, and a latency begins then: a service that stands still delays
//! all that were due meanwhile, and is not spared their latency. Then each client has a thread of its own, to be in time.

mod choice;
mod client;
mod exchange;
mod service;
mod summary;
mod tally;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

pub use choice::{Distribution, Mix, MixError};
use client::Client;
pub use exchange::Exchange;
use exchange::Exchanges;
pub use service::{Kind, Operation, Service, Store};
pub use summary::{Bucket, KindSummary, Percentiles, Summary};
use tally::{Gap, Tally};
use tokio::sync::Barrier;

/// What load to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Clients at work at the same time.
    pub connections: usize,
    /// At work before anything is counted.
    #[serde(rename = "warm_up_seconds", with = "seconds")]
    pub warm_up: Duration,
    /// Counted.
    #[serde(rename = "seconds", with = "seconds")]
    pub duration: Duration,
    /// Operations a second of all connections together; without it, as many as are answered.
    pub rate: Option<f64>,
    /// What is asked for.
    pub mix: Mix,
    /// How many keys there are. All are written before the warm-up.
    pub keys: u64,
    /// The size of each value.
    pub value_bytes: usize,
    /// Which keys are asked for more than others.
    pub distribution: Distribution,
    /// Decides who asks for what; the interleaving is the service's own.
    pub seed: u64,
}

/// What the clients share.
struct Shared {
    load: Load,
    /// All keys are written.
    filled: Barrier,
    operations: AtomicU64,
    stopping: AtomicBool,
    gap: Gap,
    /// Those that were not answered as they should be.
    failed: Exchanges,
    start: Instant,
    value: String,
}

/// A load under way.
pub struct Running {
    shared: Arc<Shared>,
    /// Threads of clients.
    clients: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// Starts a client of each of these services, which are as many as [connections](Self::connections).
    #[must_use]
    pub fn start<S: Service + 'static>(self, services: Vec<S>) -> Running {
        let shared = Arc::new(Shared {
            filled: Barrier::new(services.len()),
            operations: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            gap: Gap::default(),
            failed: Exchanges::default(),
            start: Instant::now(),
            value: "v".repeat(self.value_bytes),
            load: self,
        });
        let threads = match shared.load.rate {
            Some(_) => services.len(),
            None => thread::available_parallelism().map_or(1, usize::from).div_ceil(2),
        };
        let mut shares: Vec<Vec<Client<S>>> = (0..threads).map(|_| Vec::new()).collect();
        for (index, service) in services.into_iter().enumerate() {
            shares[index % threads].push(Client::new(index, service, Arc::clone(&shared)));
        }
        let clients = shares.into_iter().map(|share| thread::spawn(move || client::run(share))).collect();
        Running { shared, clients }
    }
}

impl Running {
    /// Operations that were answered so far, those of the warm-up among them.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.shared.operations.load(Ordering::Relaxed)
    }

    /// Whether all clients have ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.clients.iter().all(JoinHandle::is_finished)
    }

    /// Has every client end after the request that it is at.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Waits for the clients; what they saw, and the last hundred of what was not answered as it should be.
    ///
    /// # Panics
    /// When a client did.
    #[must_use]
    pub fn finish(self) -> (Summary, Vec<Exchange>) {
        let mut all = Tally::default();
        for client in self.clients {
            match client.join() {
                Ok(tally) => all.add(&tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (Summary::new(&self.shared.load, &all, self.shared.gap.longest()), self.shared.failed.all())
    }
}

/// A time as a number.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(Error::custom)
    }
}

/// The time that a request is due, of all that `connections` clients make together at a rate.
fn due(start: Instant, rate: f64, connections: usize, client: usize, turn: u64) -> Instant {
    let number = turn as f64 * connections as f64 + client as f64;
    start + Duration::from_secs_f64(number / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_evenly_and_in_turn() {
        let start = Instant::now();
        let due = |client, turn| due(start, 100.0, 4, client, turn).duration_since(start).as_millis();
        assert_eq!([due(0, 0), due(1, 0), due(3, 0), due(0, 1), due(1, 25)], [0, 10, 30, 40, 1010]);
    }
}
