//! The clocks of one node, as wrong as hosts have them: a monotonic one without meaning, a wall clock that drifts and jumps.

use node_core::Now;

/// Virtual time 0 by a right wall clock, in milliseconds since 1970.
const EPOCH_WALL_MS: u64 = 1_790_000_000_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct NodeClock {
    /// Where the monotonic clock of this boot began.
    monotonic_base_ms: u64,
    /// How far the wall clock is off.
    offset_ms: i64,
    /// How much faster than time the wall clock is.
    drift_ppm: i64,
}

impl NodeClock {
    pub(crate) fn new(drift_ppm: i64) -> Self {
        Self { drift_ppm, ..Self::default() }
    }

    /// A reboot: the monotonic clock begins anew.
    pub(crate) fn reboot(&mut self, monotonic_base_ms: u64) {
        self.monotonic_base_ms = monotonic_base_ms;
    }

    /// From now on the wall clock is so much faster than time.
    pub(crate) fn drift(&mut self, at_ms: u64, drift_ppm: i64) {
        self.offset_ms += drifted_ms(at_ms, self.drift_ppm) - drifted_ms(at_ms, drift_ppm);
        self.drift_ppm = drift_ppm;
    }

    pub(crate) fn jump(&mut self, by_ms: i64) {
        self.offset_ms += by_ms;
    }

    /// Both clocks at the virtual time `at_ms`.
    pub(crate) fn now(&self, at_ms: u64) -> Now {
        Now {
            monotonic_ms: self.monotonic_base_ms + at_ms,
            wall_ms: (EPOCH_WALL_MS + at_ms).saturating_add_signed(self.offset_ms + drifted_ms(at_ms, self.drift_ppm)),
        }
    }

    /// The virtual time of a reading of the monotonic clock.
    pub(crate) fn virtual_ms(&self, monotonic_ms: u64) -> u64 {
        monotonic_ms.saturating_sub(self.monotonic_base_ms)
    }
}

fn drifted_ms(at_ms: u64, drift_ppm: i64) -> i64 {
    at_ms as i64 * drift_ppm / 1_000_000
}
