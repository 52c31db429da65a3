//! From moments and nodes to places on a chart.

use super::WIDTH;

/// Left of the lines, where the nodes' names are.
const NAMES: f64 = 90.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
/// Ticks of a time axis, about.
const TICKS: f64 = 8.0;

/// Where things are on a chart.
pub(super) struct Scale<'a> {
    from_us: f64,
    to_us: f64,
    nodes: &'a [&'a str],
    /// From one node's line to the next.
    row: f64,
}

impl<'a> Scale<'a> {
    pub(super) fn new(from_us: u64, to_us: u64, nodes: &'a [&'a str], row: f64) -> Self {
        Self { from_us: from_us as f64, to_us: to_us.max(from_us + 1) as f64, nodes, row }
    }

    pub(super) fn x(&self, at_us: u64) -> f64 {
        let share = (at_us as f64 - self.from_us) / (self.to_us - self.from_us);
        NAMES + share.clamp(0.0, 1.0) * (WIDTH - NAMES - RIGHT)
    }

    /// The line of a node; the last one for a node that nobody knows.
    pub(super) fn y(&self, node: &str) -> f64 {
        let index = self.nodes.iter().position(|other| *other == node).unwrap_or(self.nodes.len());
        TOP + (index as f64 + 0.5) * self.row
    }

    pub(super) fn row(&self) -> f64 {
        self.row
    }

    pub(super) fn nodes(&self) -> &[&'a str] {
        self.nodes
    }

    pub(super) fn bottom(&self) -> f64 {
        TOP + self.nodes.len() as f64 * self.row
    }

    pub(super) fn shows(&self, from_us: u64, to_us: u64) -> bool {
        to_us as f64 >= self.from_us && from_us as f64 <= self.to_us
    }

    /// Round moments, in microseconds.
    pub(super) fn ticks(&self) -> Vec<u64> {
        let rough = (self.to_us - self.from_us) / TICKS;
        let power = 10_f64.powf(rough.max(1.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough).max(1.0);
        let first = (self.from_us / step).ceil() as u64;
        let last = (self.to_us / step).floor() as u64;
        (first..=last).map(|index| (index as f64 * step) as u64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let scale = Scale::new(0, 120_000_000, &["node1"], 20.0);
        assert_eq!(scale.ticks(), [0, 20, 40, 60, 80, 100, 120].map(|seconds| seconds * 1_000_000));
        let scale = Scale::new(1_230_000, 1_290_000, &["node1"], 20.0);
        assert_eq!(scale.ticks(), [1_230, 1_240, 1_250, 1_260, 1_270, 1_280, 1_290].map(|ms| ms * 1_000));
        assert!(Scale::new(5, 5, &[], 20.0).ticks().len() < 10);
    }
}
