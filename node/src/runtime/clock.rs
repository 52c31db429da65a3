//! The host's two clocks, as the core is given them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use node_core::Now;
use tokio::time::Instant;

/// Reads the clocks; its monotonic zero is its own start.
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(super) fn now(&self) -> Now {
        // Before 1970 counts as 1970: the core's clocks only need to go on.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { monotonic_ms: milliseconds(self.start.elapsed()), wall_ms: milliseconds(wall) }
    }

    /// The moment that is `monotonic_ms` after the start, or a long time from now.
    pub(super) fn instant(&self, monotonic_ms: u64) -> Instant {
        const FAR: Duration = Duration::from_secs(24 * 3600);
        self.start.checked_add(Duration::from_millis(monotonic_ms)).unwrap_or_else(|| Instant::now() + FAR)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
