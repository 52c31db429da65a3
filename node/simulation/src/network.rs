//! What becomes of a message between two nodes: lost, late, twice, or cut off. Knows directed pairs of node indices only.

use std::collections::BTreeMap;

use crate::random::Random;

/// Milliseconds by which a message that is late may be late.
const LATE_MS: (u64, u64) = (40, 2_500);

#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// How many faults cut each directed pair now.
    cuts: BTreeMap<(usize, usize), u32>,
    pub(crate) delay_ms: (u64, u64),
    pub(crate) loss_permille: u64,
    pub(crate) double_permille: u64,
    pub(crate) late_permille: u64,
}

impl Network {
    /// In order and without loss, but not at once.
    pub(crate) fn healthy() -> Self {
        Self { cuts: BTreeMap::new(), delay_ms: (1, 1), loss_permille: 0, double_permille: 0, late_permille: 0 }
    }

    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        *self.cuts.entry((from, to)).or_insert(0) += 1;
    }

    pub(crate) fn mend(&mut self, from: usize, to: usize) {
        if let Some(count) = self.cuts.get_mut(&(from, to)) {
            *count -= 1;
            if *count == 0 {
                self.cuts.remove(&(from, to));
            }
        }
    }

    pub(crate) fn has_cuts(&self) -> bool {
        !self.cuts.is_empty()
    }

    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts.contains_key(&(from, to))
    }

    /// After how many milliseconds each copy of a message arrives: none, one or two of them.
    pub(crate) fn fate(&self, from: usize, to: usize, random: &mut Random) -> Vec<u64> {
        if self.is_cut(from, to) || random.chance(self.loss_permille) {
            return Vec::new();
        }
        let copies = 1 + usize::from(random.chance(self.double_permille));
        (0..copies)
            .map(|_| {
                let late_ms = if random.chance(self.late_permille) { random.between(LATE_MS.0, LATE_MS.1) } else { 0 };
                random.between(self.delay_ms.0, self.delay_ms.1) + late_ms
            })
            .collect()
    }
}
