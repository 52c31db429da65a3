//! Time, which the core is given and never takes: two clocks of the host, and the hybrid logical clock of the data.

use serde::{Deserialize, Serialize};

/// The moment of an input, by two clocks of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back and has no meaning across restarts. Every deadline uses it.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970 by the host's wall clock, which may jump. Only [`Hlc`]s and the first identity use it.
    pub wall_ms: u64,
}

/// A hybrid logical clock reading: 48 bits of wall-clock milliseconds, 16 bits of counter.
///
/// Ordered as the number it is. A write's reading is above those of everything it depends on, so last-writer-wins by
/// `(Hlc, Origin)` extends causal order whatever the wall clocks do (Kulkarni et al., OPODIS 2014).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hlc(pub u64);

impl Hlc {
    /// The reading of a wall clock alone.
    #[must_use]
    pub fn from_wall_ms(wall_ms: u64) -> Self {
        Self(wall_ms << 16)
    }

    /// The wall-clock part, in milliseconds since 1970.
    #[must_use]
    pub fn wall_ms(self) -> u64 {
        self.0 >> 16
    }

    /// The smallest reading that is above `self` and not below the wall clock.
    #[must_use]
    pub fn next(self, wall_ms: u64) -> Self {
        Self(self.0.saturating_add(1).max(wall_ms << 16))
    }
}
