//! A row of bits for each operation.

use std::ops::Range;

/// Rows of the same length, at first without a bit.
pub(super) struct Rows {
    words: usize,
    bits: Vec<u64>,
}

impl Rows {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        let words = columns.div_ceil(64);
        Self { words, bits: vec![0; rows * words] }
    }

    pub(super) fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.words..(row + 1) * self.words]
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut [u64] {
        &mut self.bits[row * self.words..(row + 1) * self.words]
    }

    pub(super) fn set(&mut self, row: usize, column: usize) {
        self.row_mut(row)[column / 64] |= 1 << (column % 64);
    }

    pub(super) fn has(&self, row: usize, column: usize) -> bool {
        self.row(row)[column / 64] & 1 << (column % 64) != 0
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

/// The words in which `columns` are, each with a mask for them.
pub(super) fn words(columns: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let words = if columns.is_empty() { 0..0 } else { columns.start / 64..columns.end.div_ceil(64) };
    words.map(move |word| {
        let from = columns.start.saturating_sub(word * 64);
        let to = (columns.end - word * 64).min(64);
        (word, (u64::MAX << from) & (u64::MAX >> (64 - to)))
    })
}

/// The columns of the bits of a word.
pub(super) fn columns(word: usize, mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(word * 64 + bit)
    })
}
