//! What the clients count while they are at it.

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::Kind;

/// Counts in microseconds, or in bytes; three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    let largest = 100_000_000;
    // The bounds are good.
    Histogram::new_with_max(largest, 3).unwrap_or_else(|_| unreachable!("good bounds"))
}

/// What one client saw, or all of them.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) latencies: BTreeMap<Kind, Histogram<u64>>,
    pub(crate) token_bytes: Option<Histogram<u64>>,
    /// How often, by what they said.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) lasted: Duration,
}

impl Tally {
    pub(crate) fn count(&mut self, kind: Kind, latency: Duration, token_bytes: Option<usize>) {
        let latencies = self.latencies.entry(kind).or_insert_with(histogram);
        latencies.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        if let Some(bytes) = token_bytes {
            self.token_bytes.get_or_insert_with(histogram).saturating_record(bytes as u64);
        }
    }

    pub(crate) fn fail(&mut self, error: &str) {
        match self.errors.get_mut(error) {
            Some(count) => *count += 1,
            None => drop(self.errors.insert(error.to_owned(), 1)),
        }
    }

    pub(crate) fn lasted(&mut self, time: Duration) {
        self.lasted = time;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, latencies) in &other.latencies {
            // Both have the same bounds.
            let _ = self.latencies.entry(*kind).or_insert_with(histogram).add(latencies);
        }
        if let Some(bytes) = &other.token_bytes {
            let _ = self.token_bytes.get_or_insert_with(histogram).add(bytes);
        }
        for (error, count) in &other.errors {
            *self.errors.entry(error.clone()).or_default() += count;
        }
        self.lasted = self.lasted.max(other.lasted);
    }
}

/// The longest time in which no client was answered.
#[derive(Default)]
pub(crate) struct Gap {
    begin: OnceLock<Instant>,
    last_us: AtomicU64,
    longest_us: AtomicU64,
}

impl Gap {
    /// Counts from then on; the first who says so decides.
    pub(crate) fn begins(&self, at: Instant) {
        let _ = self.begin.set(at);
    }

    pub(crate) fn answered(&self, at: Instant) {
        let Some(begin) = self.begin.get() else { return };
        let now = u64::try_from(at.saturating_duration_since(*begin).as_micros()).unwrap_or(u64::MAX);
        let before = self.last_us.fetch_max(now, Ordering::Relaxed);
        self.longest_us.fetch_max(now.saturating_sub(before), Ordering::Relaxed);
    }

    pub(crate) fn longest(&self) -> Duration {
        Duration::from_micros(self.longest_us.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_between_two_answers_of_anybody() {
        let gap = Gap::default();
        let start = Instant::now();
        gap.begins(start);
        // Two clients need not report in the order of their answers.
        for ms in [5, 30, 20, 31, 95, 96] {
            gap.answered(start + Duration::from_millis(ms));
        }
        assert_eq!(gap.longest(), Duration::from_millis(64));
    }

    #[test]
    fn tallies_add_up() {
        let mut all = Tally::default();
        for ms in [1, 3] {
            let mut one = Tally::default();
            one.count(Kind::Get, Duration::from_millis(ms), Some(100));
            one.fail("HTTP 503");
            one.lasted(Duration::from_secs(ms));
            all.add(&one);
        }
        assert_eq!((all.latencies[&Kind::Get].len(), all.latencies[&Kind::Get].max()), (2, 3001));
        assert_eq!(all.token_bytes.map(|bytes| bytes.len()), Some(2));
        assert_eq!(all.errors["HTTP 503"], 2);
        assert_eq!(all.lasted, Duration::from_secs(3));
    }
}
