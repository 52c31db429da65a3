//! What each read may not have seen, and which writes it puts in order: for all keys, in one walk over the causal order for
//! every few thousand writes.
//!
//! Every operation has a set of writes, its past. For a read, the past falls apart into the latest writes to its key and
//! those that are hidden by them. A write that may be lost when the read is answered hides nothing.

use std::ops::Range;

use super::{
    account::{Account, Id, Seen},
    bits::{self, Rows},
    columns::Columns,
    graph::{Direction, Edge, Graph, Why},
};

/// How many writes are treated at once: so many bits for each operation.
const COLUMNS_MAX: usize = 4_096;

/// What came out.
#[derive(Default)]
pub(super) struct Outcome {
    /// Reads, each with the write that it saw although its past has a later one.
    pub(super) overwritten: Vec<(Id, Id)>,
    /// Reads of nothing whose past has a put that no delete can follow.
    pub(super) impossible: Vec<Id>,
    /// Reads of nothing that can only have seen this delete.
    pub(super) decided: Vec<(Id, Id)>,
    /// Which write comes before which, and the read that says so.
    pub(super) conflicts: Vec<Edge>,
}

/// The past of all operations, as far as it is in `chunk`.
struct Part<'a> {
    account: &'a Account<'a>,
    columns: &'a Columns,
    chunk: Range<usize>,
    past: Rows,
}

/// The past of a read, taken apart.
struct Apart {
    latest: Vec<Id>,
    /// Of the columns of the chunk.
    hidden: Vec<u64>,
}

/// Walks over a causal order without circles. `seen` is what each operation saw, as far as it is known by now.
pub(super) fn sweep(account: &Account, graph: &Graph, seen: &[Seen]) -> Outcome {
    let order = graph.order(Direction::Forward);
    let columns = Columns::of(account, &order);
    let mut outcome = Outcome::default();
    let mut part = Part { account, columns: &columns, chunk: 0..0, past: Rows::new() };
    for chunk in columns.chunks(COLUMNS_MAX) {
        part.fill(chunk, graph, &order);
        for (read, seen) in seen.iter().enumerate().filter(|(read, _)| part.is_about(*read)) {
            match *seen {
                Seen::Write(write) => part.judge(read, write, &mut outcome),
                Seen::Nothing => part.weigh(read, &mut outcome),
                Seen::Unasked | Seen::ThinAir => {}
            }
        }
    }
    outcome
}

impl Part<'_> {
    fn fill(&mut self, chunk: Range<usize>, graph: &Graph, order: &[Id]) {
        self.past.clear(graph.nodes(), chunk.len());
        for &node in order {
            for before in graph.before(node) {
                self.past.merge(before, node);
                if let Some(column) = self.columns.of_write(before).filter(|column| chunk.contains(column)) {
                    self.past.set(node, column - chunk.start);
                }
            }
        }
        self.chunk = chunk;
    }

    fn is_about(&self, id: Id) -> bool {
        let columns = self.columns.of_key(id);
        !columns.is_empty() && self.chunk.contains(&columns.start)
    }

    /// The columns of the key of an operation, counted in the chunk.
    fn of_key(&self, id: Id) -> Range<usize> {
        let Range { start, end } = self.columns.of_key(id);
        start - self.chunk.start..end - self.chunk.start
    }

    fn write(&self, column: usize) -> Id {
        self.columns.writes[self.chunk.start + column]
    }

    /// From the last column to the first: what no later one has hidden is one of the latest.
    fn take_apart(&self, read: Id) -> Apart {
        let (of_key, past) = (self.of_key(read), self.past.row(read));
        let mut apart = Apart { latest: Vec::new(), hidden: vec![0; past.len()] };
        for word in bits::words(&of_key).rev() {
            let mut left = past[word] & bits::mask(&of_key, word);
            while left & !apart.hidden[word] != 0 {
                left &= !apart.hidden[word];
                let bit = 63 - left.leading_zeros() as usize;
                left &= !(1 << bit);
                let write = self.write(word * 64 + bit);
                if self.account.binds(write, read) {
                    apart.latest.push(write);
                    apart.hide(self.past.row(write), &of_key);
                }
            }
        }
        apart
    }

    fn judge(&self, read: Id, write: Id, outcome: &mut Outcome) {
        let Apart { latest, hidden } = self.take_apart(read);
        let column = self.columns.of_write(write).expect("a write that was seen has a column");
        if bits::has(&hidden, column - self.chunk.start) {
            outcome.overwritten.push((read, write));
        } else {
            // What others of its past follow is before those, and need not be put before what was seen.
            let earlier = latest.into_iter().filter(|latest| *latest != write);
            outcome.conflicts.extend(earlier.map(|from| Edge { from, to: write, why: Why::Conflict(read) }));
        }
    }

    /// Which deletes a read of nothing may have seen.
    fn weigh(&self, read: Id, outcome: &mut Outcome) {
        let Apart { latest, hidden } = self.take_apart(read);
        if latest.is_empty() {
            // It may have seen the beginning.
            return;
        }
        let end_us = self.account.operations[read].end_us;
        let open = self.of_key(read).filter(|column| !bits::has(&hidden, *column)).map(|column| self.write(column));
        let mut deletes =
            open.filter(|write| self.account.is_delete(*write) && self.account.operations[*write].start_us <= end_us);
        match (deletes.next(), deletes.next()) {
            (None, _) => outcome.impossible.push(read),
            (Some(delete), None) => outcome.decided.push((read, delete)),
            _ => {}
        }
    }
}

impl Apart {
    fn hide(&mut self, past: &[u64], of_key: &Range<usize>) {
        for word in bits::words(of_key) {
            self.hidden[word] |= past[word] & bits::mask(of_key, word);
        }
    }
}
