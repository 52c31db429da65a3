//! How well a cluster served its clients while it was broken: figures of a history, in all and by kind of fault.
//!
//! Only what came before the last fault was undone counts; from then on clients look, and do not work.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

use crate::history::{History, Operation, Phase};

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
    /// The longest time, while one was on, in which no operation was answered.
    pub longest_gap: Duration,
}

/// Microseconds since the run began.
type Span = RangeInclusive<u64>;

impl Availability {
    /// The figures of this history.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let (spans, end_us) = spans(history);
        let operations: Vec<&Operation> =
            history.operations().filter(|operation| !operation.last && operation.start_us <= end_us).collect();
        let start_us = operations.iter().map(|operation| operation.start_us).min().unwrap_or_default();
        let all = Row::of(ALL, &[start_us..=end_us.max(start_us)], &operations);
        let faults = spans.values().map(Vec::len).sum();
        let mut rows = vec![Row { faults, ..all }];
        rows.extend(spans.iter().map(|(kind, spans)| Row::of(kind, spans, &operations)));
        Self { rows }
    }
}

/// When faults of each kind were on, and when the last of all was over: the end, when there was none.
fn spans(history: &History) -> (BTreeMap<&str, Vec<Span>>, u64) {
    let mut spans: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    let mut begun: BTreeMap<u32, u64> = BTreeMap::new();
    let end_us = history.operations().map(|operation| operation.end_us).max().unwrap_or_default();
    for fault in history.faults() {
        let start_us = match fault.phase {
            Phase::Begins => {
                begun.insert(fault.number, fault.start_us);
                continue;
            }
            Phase::Ends => begun.remove(&fault.number).unwrap_or(fault.start_us),
            Phase::Passes => fault.start_us,
        };
        spans.entry(&fault.kind).or_default().push(start_us..=fault.end_us);
    }
    // What did not end was on until the end.
    for fault in history.faults().filter(|fault| fault.phase == Phase::Begins) {
        if let Some(start_us) = begun.get(&fault.number) {
            spans.entry(&fault.kind).or_default().push(*start_us..=end_us.max(*start_us));
        }
    }
    let last_us = spans.values().flatten().map(|span| *span.end()).max().unwrap_or(end_us);
    (spans, last_us)
}

impl Row {
    fn of(name: &str, spans: &[Span], operations: &[&Operation]) -> Self {
        let mut row = Self { name: name.to_owned(), faults: spans.len(), ..Self::default() };
        for operation in operations.iter().filter(|o| spans.iter().any(|span| span.contains(&o.start_us))) {
            row.operations += 1;
            *match operation.status {
                _ if operation.is_answered() => &mut row.answered,
                Some(503) => &mut row.unavailable,
                None => &mut row.without_reply,
                Some(_) => &mut row.other,
            } += 1;
        }
        let mut answers: Vec<u64> =
            operations.iter().filter(|operation| operation.is_answered()).map(|operation| operation.end_us).collect();
        answers.sort_unstable();
        let gaps = spans.iter().map(|span| longest_gap(span, &answers));
        row.longest_gap = Duration::from_micros(gaps.max().unwrap_or_default());
        row
    }

    /// Of all operations, so many were answered; 1 when there were none.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.operations == 0 { 1.0 } else { self.answered as f64 / self.operations as f64 }
    }
}

/// The longest part of the span without an answer.
fn longest_gap(span: &Span, answers: &[u64]) -> u64 {
    let first = answers.partition_point(|at| at < span.start());
    let within = answers[first..].iter().take_while(|at| *at <= span.end());
    let mut longest = 0;
    let mut before = *span.start();
    for at in within.chain([span.end()]) {
        longest = longest.max(at - before);
        before = *at;
    }
    longest
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| while | faults | operations | answered | 503 | no reply | other | longest gap |")?;
        write!(f, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let Row { name, faults, operations, unavailable, without_reply, other, .. } = row;
            let (share, gap_ms) = (100.0 * row.share(), row.longest_gap.as_millis());
            write!(
                f,
                "\n| {name} | {faults} | {operations} | {share:.2} % | {unavailable} | {without_reply} | {other} | {gap_ms} ms |"
            )?;
        }
        Ok(())
    }
}
