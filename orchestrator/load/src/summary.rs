//! What came of a load, as numbers.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::{
    Load,
    tally::{Tally, histogram},
};

/// The bars of the histogram double.
const FIRST_BAR_US: u64 = 64;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What was asked for.
    pub load: Load,
    /// How long was counted, in seconds.
    pub seconds: f64,
    /// Operations that were answered as they should be.
    pub operations: u64,
    /// Of these, in a second.
    pub per_second: f64,
    /// Of all operations, in microseconds.
    pub latency_us: Percentiles,
    /// By what was done.
    pub kinds: BTreeMap<String, KindSummary>,
    /// All latencies, in bars.
    pub histogram: Vec<Bucket>,
    /// How often each error came.
    pub errors: BTreeMap<String, u64>,
    /// The longest time in which nobody was answered, in milliseconds.
    pub longest_gap_ms: f64,
    /// How large the causal tokens were, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_bytes: Option<Percentiles>,
}

/// What came of one kind of operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindSummary {
    /// How many.
    pub operations: u64,
    /// In microseconds.
    pub latency_us: Percentiles,
}

/// Of so many numbers, so large was all but the largest share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: u64,
    /// Of nine in ten.
    pub p90: u64,
    /// Of 99 in a hundred.
    pub p99: u64,
    /// Of 999 in a thousand.
    #[serde(rename = "p99.9")]
    pub p999: u64,
    /// The largest.
    pub max: u64,
}

/// One bar: latencies up to this one, and above that of the bar before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// In microseconds.
    pub up_to_us: u64,
    /// How many operations.
    pub operations: u64,
}

impl Percentiles {
    fn of(numbers: &Histogram<u64>) -> Self {
        let at = |percentile| numbers.value_at_percentile(percentile);
        Self { p50: at(50.0), p90: at(90.0), p99: at(99.0), p999: at(99.9), max: numbers.max() }
    }
}

impl Summary {
    pub(crate) fn new(load: &Load, tally: &Tally, longest_gap: Duration) -> Self {
        let mut all = histogram();
        for latencies in tally.latencies.values() {
            // All have the same bounds.
            let _ = all.add(latencies);
        }
        let of_kind = |latencies: &Histogram<u64>| KindSummary {
            operations: latencies.len(),
            latency_us: Percentiles::of(latencies),
        };
        let seconds = tally.lasted.as_secs_f64();
        Self {
            load: load.clone(),
            seconds,
            operations: all.len(),
            per_second: if seconds > 0.0 { all.len() as f64 / seconds } else { 0.0 },
            latency_us: Percentiles::of(&all),
            kinds: tally
                .latencies
                .iter()
                .map(|(kind, latencies)| (kind.name().to_owned(), of_kind(latencies)))
                .collect(),
            histogram: bars(&all),
            errors: tally.errors.clone(),
            longest_gap_ms: longest_gap.as_secs_f64() * 1e3,
            token_bytes: tally.token_bytes.as_ref().map(Percentiles::of),
        }
    }
}

/// From the first that has something to the last.
fn bars(latencies: &Histogram<u64>) -> Vec<Bucket> {
    let mut bars = Vec::new();
    let (mut up_to_us, mut below) = (FIRST_BAR_US, 0);
    while below < latencies.len() {
        let count = latencies.count_between(0, up_to_us);
        if count > 0 {
            bars.push(Bucket { up_to_us, operations: count - below });
        }
        below = count;
        up_to_us *= 2;
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_double_and_count_everything_once() {
        let mut latencies = histogram();
        for us in [100, 120, 130, 1000, 1000, 5000] {
            latencies.record(us).expect("in bounds");
        }
        let bars: Vec<(u64, u64)> = bars(&latencies).iter().map(|bar| (bar.up_to_us, bar.operations)).collect();
        assert_eq!(bars, [(128, 2), (256, 1), (512, 0), (1024, 2), (2048, 0), (4096, 0), (8192, 1)]);
        assert!(super::bars(&histogram()).is_empty());
    }
}
