//! The result of `bench` for people and for programs.

use load::{Percentiles, Summary};
use serde::Serialize;
use serde_json::{Value, json};

use crate::output::{self, text_of};

/// The longest bar of the histogram.
const BAR: usize = 40;

/// What one node had of the processors.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Share {
    pub(super) node: String,
    pub(super) us_per_operation: f64,
}

/// What came of it.
pub(super) struct Report {
    pub(super) summary: Summary,
    pub(super) shares: Vec<Share>,
}

impl Report {
    pub(super) fn json(&self) -> Value {
        json!({"event": "bench", "summary": self.summary, "processor": self.shares})
    }

    /// `12 × HTTP 503, 3 × no answer within 10 s`; empty when there was none.
    pub(super) fn errors(&self) -> String {
        let kinds = self.summary.errors.iter().map(|(error, count)| format!("{count} × {error}"));
        kinds.collect::<Vec<_>>().join(", ")
    }

    /// With `before`, what has changed since.
    pub(super) fn text(&self, before: Option<&Summary>) -> String {
        let Summary { load, seconds, operations, per_second, errors, longest_gap_ms, .. } = &self.summary;
        let loop_ = match load.rate {
            Some(rate) => format!("{rate:.0} due a second"),
            None => "each asks again when it is answered".to_owned(),
        };
        let mut lines = vec![
            format!(
                "{per_second:.0} operations/s: {operations} in {seconds:.1} s by {} clients, {loop_}",
                load.connections
            ),
            format!(
                "{}; {} keys, {}; values of {} B",
                load.mix,
                load.keys,
                distribution(&self.summary),
                load.value_bytes
            ),
            String::new(),
            self.latencies(),
            String::new(),
            self.bars(),
            String::new(),
        ];
        let total: u64 = errors.values().sum();
        lines.push(if total == 0 { "no errors".to_owned() } else { format!("{total} errors: {}", self.errors()) });
        lines.push(format!("longest time without an answer: {longest_gap_ms:.1} ms"));
        if let Some(Percentiles { p50, p99, max, .. }) = self.summary.token_bytes {
            lines.push(format!("causal tokens: half up to {p50} B, 99 % up to {p99} B, the largest {max} B"));
        }
        if !self.shares.is_empty() {
            let sum: f64 = self.shares.iter().map(|share| share.us_per_operation).sum();
            let each: Vec<String> =
                self.shares.iter().map(|share| format!("{} {:.0}", share.node, share.us_per_operation)).collect();
            lines.push(format!("processor time per operation: {sum:.0} µs ({})", each.join(", ")));
        }
        lines.extend(before.map(|before| format!("\n{}", self.comparison(before))));
        lines.join("\n")
    }

    fn latencies(&self) -> String {
        let mut table = output::table(["", "operations", "p50", "p90", "p99", "p99.9", "max"]);
        let row = |name: &str, operations: u64, latency: &Percentiles| {
            let Percentiles { p50, p90, p99, p999, max } = *latency;
            let times = [p50, p90, p99, p999, max].map(time);
            [name.to_owned(), operations.to_string()].into_iter().chain(times).collect::<Vec<_>>()
        };
        for (kind, summary) in &self.summary.kinds {
            table.add_row(row(kind, summary.operations, &summary.latency_us));
        }
        if self.summary.kinds.len() > 1 {
            table.add_row(row("all", self.summary.operations, &self.summary.latency_us));
        }
        text_of(&table)
    }

    fn bars(&self) -> String {
        let most = self.summary.histogram.iter().map(|bar| bar.operations).max().unwrap_or_default().max(1);
        let line = |bar: &load::Bucket| {
            let share = bar.operations as f64 / self.summary.operations.max(1) as f64;
            let length = (bar.operations as f64 / most as f64 * BAR as f64).ceil() as usize;
            let percent = share * 100.0;
            format!("up to {:>8} {:BAR$} {percent:5.1} %", time(bar.up_to_us), "█".repeat(length))
        };
        self.summary.histogram.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn comparison(&self, before: &Summary) -> String {
        let mut table = output::table(["", "before", "now", "ratio"]);
        let mut row = |what: &str, then: f64, now: f64, shown: fn(f64) -> String| {
            let ratio = if then > 0.0 { format!("{:.2}", now / then) } else { String::new() };
            table.add_row([what.to_owned(), shown(then), shown(now), ratio]);
        };
        let now = &self.summary;
        row("operations/s", before.per_second, now.per_second, |number| format!("{number:.0}"));
        let micros = |us: f64| time(us as u64);
        for (name, of) in
            [("p50", (|of| of.p50) as fn(&Percentiles) -> u64), ("p99", |of| of.p99), ("p99.9", |of| of.p999)]
        {
            row(name, of(&before.latency_us) as f64, of(&now.latency_us) as f64, micros);
        }
        let errors = |summary: &Summary| summary.errors.values().sum::<u64>() as f64;
        row("errors", errors(before), errors(now), |number| format!("{number:.0}"));
        let mut text = text_of(&table);
        if before.load != now.load {
            text.push_str("\nthe load was another then");
        }
        text
    }
}

fn distribution(summary: &Summary) -> &'static str {
    match summary.load.distribution {
        load::Distribution::Uniform => "all alike",
        load::Distribution::Zipf => "by Zipf's law",
    }
}

/// Three digits.
fn time(us: u64) -> String {
    let number = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{:.2} ms", number / 1e3),
        10_000..100_000 => format!("{:.1} ms", number / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", number / 1e3),
        _ => format!("{:.2} s", number / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(
            [time(0), time(999), time(1_234), time(98_765), time(2_500_000)],
            ["0 µs", "999 µs", "1.23 ms", "98.8 ms", "2.50 s"]
        );
    }
}
