//! All writes in a row, those of one key side by side.

use std::{collections::BTreeMap, ops::Range};

use super::account::{Account, Id};

/// The row, and where in it an operation finds its key.
pub(super) struct Columns {
    pub(super) writes: Vec<Id>,
    keys: Vec<Range<usize>>,
    of_write: Vec<Option<usize>>,
}

impl Columns {
    pub(super) fn of(account: &Account) -> Self {
        let operations = account.operations.len();
        let (mut writes, mut ranges) = (Vec::new(), BTreeMap::new());
        let mut of_write = vec![None; operations];
        for (name, key) in &account.keys {
            ranges.insert(*name, writes.len()..writes.len() + key.writes.len());
            for &write in &key.writes {
                of_write[write] = Some(writes.len());
                writes.push(write);
            }
        }
        // A count has the name of a shard in the place of a key, and no columns: it reads none.
        let range = |id: Id| ranges.get(account.operations[id].key.as_str()).cloned().unwrap_or_default();
        Self { writes, keys: (0..operations).map(range).collect(), of_write }
    }

    pub(super) fn chunks(&self, columns_max: usize) -> Vec<Range<usize>> {
        let all = self.writes.len();
        (0..all).step_by(columns_max).map(|start| start..all.min(start + columns_max)).collect()
    }

    /// The column of a write.
    pub(super) fn of_write(&self, id: Id) -> Option<usize> {
        self.of_write.get(id).copied().flatten()
    }

    /// The columns of an operation's key that are in `chunk`, counted from its start.
    pub(super) fn of_key(&self, id: Id, chunk: &Range<usize>) -> Range<usize> {
        let Range { start, end } = &self.keys[id];
        let start = (*start).clamp(chunk.start, chunk.end) - chunk.start;
        let end = (*end).clamp(chunk.start, chunk.end) - chunk.start;
        start..end
    }
}
