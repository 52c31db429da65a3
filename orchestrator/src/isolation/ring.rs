//! A range of numbers that is handed out piece by piece, round and round, from a start that differs between processes.
//!
//! Invariant: within the process no number is handed out again before the range is through.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// The numbers from 0 up to its length.
pub(super) struct Ring {
    length: u32,
    /// Where the next piece begins; none has been handed out before it is set.
    next: Mutex<Option<u32>>,
}

impl Ring {
    pub(super) const fn new(length: u32) -> Self {
        Self { length, next: Mutex::new(None) }
    }

    /// Where a piece of `size` numbers begins, at a multiple of its size.
    fn take(&self, size: u32) -> u32 {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Its seed differs between processes; two that run at once would rarely meet.
        let start = next.unwrap_or_else(|| RandomState::new().hash_one(()) as u32 % self.length);
        let aligned = start.next_multiple_of(size);
        let start = if aligned + size > self.length { 0 } else { aligned };
        *next = Some(start + size);
        start
    }

    /// One turn: the starts of as many pieces as there are; none when not even one fits.
    pub(super) fn turn(&self, size: u32) -> impl Iterator<Item = u32> {
        (0..self.length / size).map(move |_| self.take(size))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_turn_hands_out_every_piece_once() {
        let ring = Ring::new(1 << 10);
        let starts: BTreeSet<u32> = ring.turn(64).collect();
        assert_eq!(starts, (0..1 << 10).step_by(64).collect());
        assert_eq!(ring.turn(1 << 11).count(), 0);
    }

    #[test]
    fn pieces_of_different_sizes_do_not_overlap() {
        let ring = Ring::new(1 << 12);
        let mut seen = BTreeSet::new();
        for size in [16, 256, 15, 64, 1, 128].into_iter().cycle().take(24) {
            let start = ring.take(size);
            assert!((start..start + size).all(|number| seen.insert(number)), "{start} {size}");
        }
    }

    #[test]
    fn callers_at_once_get_different_pieces() {
        let ring = Ring::new(1 << 12);
        let taken = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..32 {
                        let start = ring.take(16);
                        assert!(taken.lock().expect("no panic").insert(start), "{start} twice");
                    }
                });
            }
        });
    }
}
