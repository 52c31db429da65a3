//! What both judges need to know of a history before they judge it, looked up the slow way.

use std::collections::BTreeSet;

use conformance::history::{History, Kind, Operation, Wrote};

/// Whether it takes a choice to say what a read of nothing saw.
pub(crate) fn is_ambiguous(history: &History) -> bool {
    let operations: Vec<&Operation> = history.operations().collect();
    operations.iter().any(|read| is_nothing(read) && deletes(&operations, read).len() > 1)
}

pub(crate) fn is_nothing(read: &Operation) -> bool {
    matches!(read.kind, Kind::Get | Kind::Delete) && read.status == Some(404)
}

/// The deletes that a read of nothing may have seen.
pub(crate) fn deletes(operations: &[&Operation], read: &Operation) -> Vec<usize> {
    let fits = |write: &Operation| write.kind == Kind::Delete && may_be_seen(write, read);
    (0..operations.len()).filter(|id| fits(operations[*id])).collect()
}

pub(crate) fn may_be_seen(write: &Operation, read: &Operation) -> bool {
    write.key == read.key && write.wrote() != Wrote::No && write.start_us <= read.end_us
}

/// The put that a read of a value saw.
pub(crate) fn put(operations: &[&Operation], read: &Operation) -> Option<usize> {
    let fits = |write: &Operation| write.kind == Kind::Put && write.value == read.value && may_be_seen(write, read);
    (0..operations.len()).find(|id| fits(operations[*id]))
}

/// Who got the token of an operation.
pub(crate) fn giver(operations: &[&Operation], operation: &Operation) -> Option<usize> {
    let token = operation.token_in?;
    operations.iter().position(|giver| giver.token_out == Some(token) && giver.is_answered())
}

/// Whether so many disks were destroyed that the write may not be there at `until_us`.
pub(crate) fn may_be_lost(history: &History, write: &Operation, until_us: u64) -> bool {
    let faults = history.faults().filter(|fault| fault.end_us >= write.start_us && fault.start_us <= until_us);
    let disks: BTreeSet<&String> = faults.flat_map(|fault| &fault.destroys).collect();
    disks.len() >= write.durable.unwrap_or(1) as usize
}

/// Whether the last reads of each key are the same, the last counts are right, and every value found was put there.
pub(crate) fn is_plausible(history: &History) -> bool {
    let operations: Vec<&Operation> = history.operations().collect();
    let written = |read: &Operation| match (read.kind, read.status) {
        (Kind::Get, Some(200)) => put(&operations, read).is_some(),
        (Kind::Delete, Some(200)) => operations.iter().any(|write| write.kind == Kind::Put && may_be_seen(write, read)),
        _ => true,
    };
    let last: Vec<&&Operation> = operations.iter().filter(|operation| operation.last).collect();
    let same = |one: &Operation, other: &Operation| one.key != other.key || one.value == other.value;
    let gets = || last.iter().filter(|operation| operation.kind == Kind::Get && operation.is_answered());
    let count = |count: &&&&Operation| {
        let found = gets().filter(|read| read.node == count.node && read.status == Some(200)).count();
        count.kind != Kind::Count || count.value == Some(found.to_string())
    };
    operations.iter().all(|read| written(read))
        && gets().all(|one| gets().all(|other| same(one, other)))
        && last.iter().filter(count).count() == last.len()
}
