//! Rows of bits.

use std::ops::Range;

/// Rows of the same length, at first without a bit.
pub(super) struct Rows {
    words: usize,
    bits: Vec<u64>,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { words: 0, bits: Vec::new() }
    }

    /// As if new, in the memory that is there.
    pub(super) fn clear(&mut self, rows: usize, columns: usize) {
        self.words = columns.div_ceil(64);
        self.bits.clear();
        self.bits.resize(rows * self.words, 0);
    }

    pub(super) fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.words..(row + 1) * self.words]
    }

    pub(super) fn set(&mut self, row: usize, column: usize) {
        self.bits[row * self.words + column / 64] |= 1 << (column % 64);
    }

    /// Adds the bits of one row to another.
    pub(super) fn merge(&mut self, from: usize, into: usize) {
        let (low, high) = (from.min(into) * self.words, from.max(into) * self.words);
        let (left, right) = self.bits.split_at_mut(high);
        let (left, right) = (&mut left[low..low + self.words], &mut right[..self.words]);
        let (source, target) = if from < into { (left, right) } else { (right, left) };
        target.iter_mut().zip(source).for_each(|(target, source)| *target |= *source);
    }
}

/// The words in which `columns` are.
pub(super) fn words(columns: &Range<usize>) -> Range<usize> {
    if columns.is_empty() { 0..0 } else { columns.start / 64..columns.end.div_ceil(64) }
}

/// Those bits of a word that are in `columns`.
pub(super) fn mask(columns: &Range<usize>, word: usize) -> u64 {
    let from = columns.start.saturating_sub(word * 64);
    let to = (columns.end - word * 64).min(64);
    (u64::MAX << from) & (u64::MAX >> (64 - to))
}

/// Whether the bit of a column is set.
pub(super) fn has(row: &[u64], column: usize) -> bool {
    row[column / 64] & 1 << (column % 64) != 0
}
