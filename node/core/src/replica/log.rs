//! The newest writes of a slot by origin, kept to answer pulls without sending the whole slot.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::limits::{LOG_BYTES_MAX, LOG_RECORDS_MAX, MESSAGE_BYTES_MAX};
use crate::{Frontier, Origin, Record};

/// Runs of consecutive writes, one run per origin, each ending at the slot's frontier.
#[derive(Debug, Default)]
pub(super) struct Log {
    runs: BTreeMap<Origin, VecDeque<Arc<Record>>>,
    records: usize,
    bytes: usize,
}

impl Log {
    /// Appends a write that was just applied.
    pub(super) fn push(&mut self, record: Arc<Record>) {
        let run = self.runs.entry(record.dot.origin).or_default();
        if run.back().is_some_and(|last| record.dot.seq.wrapping_sub(last.dot.seq) != 1) {
            // A snapshot jumped over a part: what was before is no run with what follows.
            self.records -= run.len();
            self.bytes -= run.drain(..).map(|old| old.size_bytes()).sum::<usize>();
        }
        self.records += 1;
        self.bytes += record.size_bytes();
        run.push_back(record);
        while self.records > LOG_RECORDS_MAX || self.bytes > LOG_BYTES_MAX {
            let Some(longest) = self.runs.values_mut().max_by_key(|run| run.len()) else { return };
            let Some(oldest) = longest.pop_front() else { return };
            self.records -= 1;
            self.bytes -= oldest.size_bytes();
        }
    }

    /// What someone at `have` lacks of `frontier`, in order per origin and at most one message full; `None` when the log
    /// does not reach back far enough.
    pub(super) fn range(&self, have: &Frontier, frontier: &Frontier) -> Option<Vec<Arc<Record>>> {
        let mut range = Vec::new();
        let mut bytes = 0;
        for (origin, last) in frontier.iter() {
            let first = match have.get(origin) {
                have if have < last => have + 1,
                _ => continue,
            };
            let run = self.runs.get(&origin)?;
            let start = run.front()?.dot.seq;
            let end = run.back()?.dot.seq;
            if first < start || end != last {
                return None;
            }
            for record in run.iter().skip(usize::try_from(first - start).ok()?) {
                if bytes > MESSAGE_BYTES_MAX {
                    return Some(range);
                }
                bytes += record.size_bytes();
                range.push(record.clone());
            }
        }
        Some(range)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
