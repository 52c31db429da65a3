//! How well a cluster served its clients while it was broken: figures of a history, in all and by kind of fault.
//!
//! Only what came before the last fault was undone counts; from then on clients look, and do not work.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

use crate::history::{History, Operation};

/// The row of all operations.
const ALL: &str = "all";

/// Figures of one history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// First of all operations, then of those that began while a fault of some kind was on.
    pub rows: Vec<Row>,
}

/// What operations came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The kind of fault, or `all`.
    pub name: String,
    /// How many there were of it.
    pub faults: usize,
    /// Operations that began while one was on.
    pub operations: usize,
    /// Those that were answered: done, or nothing to do it to.
    pub answered: usize,
    /// Those that a node said it could not answer now.
    pub unavailable: usize,
    /// Those that no reply came to.
    pub without_reply: usize,
    /// Those with any other reply.
    pub other: usize,
    /// Operations at nodes that no fault was about then, and how many of them were answered.
    pub elsewhere: (usize, usize),
    /// The longest time, while one was on, in which no operation was answered.
    pub longest_gap: Duration,
}

/// When a fault was on, in microseconds since the run began, and the nodes that it was about.
struct Span<'a> {
    time: RangeInclusive<u64>,
    nodes: &'a [String],
}

/// Those of each kind of fault.
type Spans<'a> = BTreeMap<&'a str, Vec<Span<'a>>>;

impl Availability {
    /// The figures of this history.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let (spans, end_us) = spans(history);
        let operations: Vec<&Operation> =
            history.operations().filter(|operation| !operation.last && operation.start_us <= end_us).collect();
        let start_us = operations.iter().map(|operation| operation.start_us).min().unwrap_or_default();
        let whole = [Span { time: start_us..=end_us.max(start_us), nodes: &[] }];
        let faults = spans.values().map(Vec::len).sum();
        let mut rows = vec![Row { faults, ..Row::of(ALL, &whole, &spans, &operations) }];
        rows.extend(spans.iter().map(|(kind, own)| Row::of(kind, own, &spans, &operations)));
        Self { rows }
    }
}

/// When faults were on, and when the last of all was over: the end, when there was none.
fn spans(history: &History) -> (Spans<'_>, u64) {
    let mut spans = Spans::new();
    let end_us = history.operations().map(|operation| operation.end_us).max().unwrap_or_default();
    for (begin, end) in history.spans() {
        // What did not end was on until the end.
        let until_us = end.map_or(end_us.max(begin.start_us), |end| end.end_us);
        spans.entry(&begin.kind).or_default().push(Span { time: begin.start_us..=until_us, nodes: &begin.nodes });
    }
    let last_us = spans.values().flatten().map(|span| *span.time.end()).max().unwrap_or(end_us);
    (spans, last_us)
}

impl Row {
    /// Of what began while one of `own` was on, `all` being those of all kinds.
    fn of(name: &str, own: &[Span<'_>], all: &Spans<'_>, operations: &[&Operation]) -> Self {
        let mut row = Self { name: name.to_owned(), faults: own.len(), ..Self::default() };
        for operation in operations.iter().filter(|operation| own.iter().any(|span| span.has(operation))) {
            row.operations += 1;
            *match operation.status {
                _ if operation.is_answered() => &mut row.answered,
                Some(503) => &mut row.unavailable,
                None => &mut row.without_reply,
                Some(_) => &mut row.other,
            } += 1;
            let mut on = all.values().flatten().filter(|span| span.has(operation));
            if !on.any(|span| span.nodes.contains(&operation.node)) {
                row.elsewhere.0 += 1;
                row.elsewhere.1 += usize::from(operation.is_answered());
            }
        }
        let mut answers: Vec<u64> =
            operations.iter().filter(|operation| operation.is_answered()).map(|operation| operation.end_us).collect();
        answers.sort_unstable();
        let gaps = own.iter().map(|span| longest_gap(&span.time, &answers));
        row.longest_gap = Duration::from_micros(gaps.max().unwrap_or_default());
        row
    }
}

impl Span<'_> {
    fn has(&self, operation: &Operation) -> bool {
        self.time.contains(&operation.start_us)
    }
}

/// Of all, so many in a hundred; nothing of nothing.
fn percent(part: usize, all: usize) -> String {
    if all == 0 { "–".to_owned() } else { format!("{:.2} %", 100.0 * part as f64 / all as f64) }
}

/// The longest part of the time without an answer.
fn longest_gap(time: &RangeInclusive<u64>, answers: &[u64]) -> u64 {
    let first = answers.partition_point(|at| at < time.start());
    let within = answers[first..].iter().take_while(|at| *at <= time.end());
    let mut longest = 0;
    let mut before = *time.start();
    for at in within.chain([time.end()]) {
        longest = longest.max(at - before);
        before = *at;
    }
    longest
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| while | faults | operations | answered | at other nodes | 503 | no reply | other | longest gap |"
        )?;
        write!(f, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let Row { name, faults, operations, unavailable, without_reply, other, .. } = row;
            let answered = percent(row.answered, row.operations);
            let elsewhere = percent(row.elsewhere.1, row.elsewhere.0);
            let gap_ms = row.longest_gap.as_millis();
            write!(f, "\n| {name} | {faults} | {operations} | {answered} | {elsewhere} ")?;
            write!(f, "| {unavailable} | {without_reply} | {other} | {gap_ms} ms |")?;
        }
        Ok(())
    }
}
