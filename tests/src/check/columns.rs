//! All writes in a row: those of one key side by side, and each after what is before it.

use std::{collections::BTreeMap, ops::Range};

use super::account::{Account, Id};

/// The row, and where in it an operation finds its key.
pub(super) struct Columns {
    pub(super) writes: Vec<Id>,
    keys: Vec<Range<usize>>,
    of_operation: Vec<Range<usize>>,
    of_write: Vec<Option<usize>>,
}

impl Columns {
    /// `order` has each operation after what is before it.
    pub(super) fn of(account: &Account, order: &[Id]) -> Self {
        let operations = account.operations.len();
        let mut place = vec![0; operations + 1];
        order.iter().enumerate().for_each(|(number, id)| place[*id] = number);
        let (mut writes, mut keys, mut of_write) = (Vec::new(), BTreeMap::new(), vec![None; operations]);
        for (name, key) in &account.keys {
            let start = writes.len();
            writes.extend(&key.writes);
            writes[start..].sort_by_key(|write| place[*write]);
            keys.insert(*name, start..writes.len());
        }
        writes.iter().enumerate().for_each(|(column, write)| of_write[*write] = Some(column));
        // A count has the name of a shard in the place of a key, and no columns: it reads none.
        let range = |id: Id| keys.get(account.operations[id].key.as_str()).cloned().unwrap_or_default();
        let of_operation = (0..operations).map(range).collect();
        Self { writes, keys: keys.into_values().collect(), of_operation, of_write }
    }

    /// Parts of whole keys, none with more than `columns_max` columns unless one key has more.
    pub(super) fn chunks(&self, columns_max: usize) -> Vec<Range<usize>> {
        let mut chunks: Vec<Range<usize>> = Vec::new();
        for key in &self.keys {
            match chunks.last_mut() {
                Some(chunk) if key.end - chunk.start <= columns_max => chunk.end = key.end,
                _ => chunks.push(key.clone()),
            }
        }
        chunks
    }

    /// The column of a write.
    pub(super) fn of_write(&self, id: Id) -> Option<usize> {
        self.of_write.get(id).copied().flatten()
    }

    /// The columns of an operation's key.
    pub(super) fn of_key(&self, id: Id) -> Range<usize> {
        self.of_operation[id].clone()
    }
}
