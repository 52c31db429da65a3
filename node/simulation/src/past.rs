//! The causal past of a client: a set of operations, closed under what they depended on. Knows nothing of the store.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past(Vec<u64>);

impl Past {
    pub(crate) fn insert(&mut self, operation: usize) {
        let word = operation / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (operation % 64);
    }

    pub(crate) fn contains(&self, operation: usize) -> bool {
        self.0.get(operation / 64).is_some_and(|word| word & (1 << (operation % 64)) != 0)
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, theirs) in self.0.iter_mut().zip(&other.0) {
            *word |= theirs;
        }
    }

    /// Keeps what is in both.
    pub(crate) fn intersect(&mut self, other: &Self) {
        for (index, word) in self.0.iter_mut().enumerate() {
            *word &= other.0.get(index).copied().unwrap_or(0);
        }
    }
}
