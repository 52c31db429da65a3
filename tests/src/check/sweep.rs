//! What each read may not have seen, and which writes it puts in order: for all keys, in one walk over the causal order for
//! every few thousand writes.
//!
//! Every operation has two sets of writes: its past, and what is hidden from it, which are those of its past that a later
//! write to the same key follows, also of its past and not lost. What may be lost differs with the time of a read, so each
//! stretch of time between destructions has hidden sets of its own.

use std::{collections::BTreeSet, ops::Range};

use super::{
    account::{Account, Id, Seen},
    bits::{self, Rows},
    columns::Columns,
    graph::{Direction, Edge, Graph, Why},
    loss::NEVER_US,
};

/// How many writes are treated at once: two sets of so many bits for each operation.
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

/// Which deletes a read of nothing may have seen.
#[derive(Clone, Copy, Default)]
struct Options {
    /// Whether its past has a write, so that it cannot have seen the beginning.
    bound: bool,
    /// How many they are; more than two are counted as two.
    count: u8,
    first: Id,
}

/// Some columns, and what is the same for all reads that end between two destructions.
struct Part<'a> {
    chunk: Range<usize>,
    past: &'a Rows,
    hidden: Rows,
    binding: Vec<u64>,
}

struct Sweep<'a> {
    account: &'a Account<'a>,
    graph: &'a Graph,
    seen: &'a [Seen],
    order: Vec<Id>,
    columns: Columns,
    options: Vec<Options>,
    outcome: Outcome,
}

/// Walks over a causal order without circles. `seen` is what each operation saw, as far as it is known by now.
pub(super) fn sweep(account: &Account, graph: &Graph, seen: &[Seen]) -> Outcome {
    let mut sweep = Sweep {
        account,
        graph,
        seen,
        order: graph.order(Direction::Forward),
        columns: Columns::of(account),
        options: vec![Options::default(); seen.len()],
        outcome: Outcome::default(),
    };
    let stretches = sweep.stretches();
    for chunk in sweep.columns.chunks(COLUMNS_MAX) {
        let past = sweep.past(&chunk);
        for (from_us, reads) in &stretches {
            let part = sweep.part(&chunk, &past, *from_us);
            reads.iter().for_each(|read| sweep.judge(*read, &part));
        }
    }
    sweep.decide();
    sweep.outcome
}

impl Sweep<'_> {
    /// The reads that end between two destructions, and when the first of these was.
    fn stretches(&self) -> Vec<(u64, Vec<Id>)> {
        let mut times_us: BTreeSet<u64> =
            self.columns.writes.iter().map(|write| self.account.lost_us[*write]).collect();
        times_us.remove(&NEVER_US);
        times_us.insert(0);
        let mut stretches: Vec<_> = times_us.into_iter().map(|from_us| (from_us, Vec::new())).collect();
        for (read, _) in self.seen.iter().enumerate().filter(|(_, seen)| **seen != Seen::Unasked) {
            let end_us = self.account.operations[read].end_us;
            let after = stretches.partition_point(|(from_us, _)| *from_us <= end_us);
            stretches[after - 1].1.push(read);
        }
        stretches.retain(|(_, reads)| !reads.is_empty());
        stretches
    }

    fn past(&self, chunk: &Range<usize>) -> Rows {
        let mut past = Rows::new(self.graph.nodes(), chunk.len());
        for &node in &self.order {
            for before in self.graph.before(node) {
                past.merge(before, node);
                if let Some(column) = self.columns.of_write(before).filter(|column| chunk.contains(column)) {
                    past.set(node, column - chunk.start);
                }
            }
        }
        past
    }

    /// For reads that end between the destruction at `from_us` and the next one.
    fn part<'a>(&self, chunk: &Range<usize>, past: &'a Rows, from_us: u64) -> Part<'a> {
        let binds = |write: Id| self.account.lost_us[write] > from_us;
        let mut hidden = Rows::new(self.graph.nodes(), chunk.len());
        for &node in &self.order {
            for before in self.graph.before(node) {
                hidden.merge(before, node);
                if self.columns.of_write(before).is_none() || !binds(before) {
                    continue;
                }
                let (row, behind) = (hidden.row_mut(node), past.row(before));
                for (word, mask) in bits::words(self.columns.of_key(before, chunk)) {
                    row[word] |= behind[word] & mask;
                }
            }
        }
        let mut binding = Rows::new(1, chunk.len());
        for column in chunk.clone().filter(|column| binds(self.columns.writes[*column])) {
            binding.set(0, column - chunk.start);
        }
        Part { chunk: chunk.clone(), past, hidden, binding: binding.row(0).to_vec() }
    }

    fn judge(&mut self, read: Id, part: &Part) {
        match self.seen[read] {
            Seen::Write(write) => self.judge_value(read, write, part),
            Seen::Nothing => self.weigh_options(read, part),
            Seen::Unasked | Seen::ThinAir => {}
        }
    }

    fn judge_value(&mut self, read: Id, write: Id, part: &Part) {
        let column = self.columns.of_write(write).filter(|column| part.chunk.contains(column));
        if column.is_some_and(|column| part.hidden.has(read, column - part.chunk.start)) {
            self.outcome.overwritten.push((read, write));
        }
        let (past, hidden) = (part.past.row(read), part.hidden.row(read));
        for (word, mask) in bits::words(self.columns.of_key(read, &part.chunk)) {
            // What others of its past follow is before those, and need not be put before what was seen.
            for column in bits::columns(word, past[word] & part.binding[word] & !hidden[word] & mask) {
                let from = self.columns.writes[part.chunk.start + column];
                if from != write {
                    self.outcome.conflicts.push(Edge { from, to: write, why: Why::Conflict(read) });
                }
            }
        }
    }

    fn weigh_options(&mut self, read: Id, part: &Part) {
        let account = self.account;
        let end_us = account.operations[read].end_us;
        let options = &mut self.options[read];
        let (past, hidden) = (part.past.row(read), part.hidden.row(read));
        for (word, mask) in bits::words(self.columns.of_key(read, &part.chunk)) {
            options.bound |= past[word] & part.binding[word] & mask != 0;
            for column in bits::columns(word, !hidden[word] & mask) {
                if options.count == 2 {
                    break;
                }
                let write = self.columns.writes[part.chunk.start + column];
                if account.is_delete(write) && account.operations[write].start_us <= end_us {
                    options.count += 1;
                    options.first = write;
                }
            }
        }
    }

    fn decide(&mut self) {
        for (read, Options { count, first, .. }) in self.options.iter().enumerate().filter(|(_, options)| options.bound)
        {
            match count {
                0 => self.outcome.impossible.push(read),
                1 => self.outcome.decided.push((read, *first)),
                _ => {}
            }
        }
    }
}
