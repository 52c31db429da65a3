//! The axioms of causal convergence, over matrices of bits: some choice of what each read of nothing saw must satisfy all.

use conformance::history::{History, Kind, Operation, Wrote};

use crate::seen;

const CHOICES_MAX: usize = 300;

/// Row n has what comes after n.
type Matrix = Vec<u128>;

/// Whether the axioms allow it; `None` if there are too many choices to try.
pub(crate) fn allow(history: &History) -> Option<bool> {
    let operations: Vec<&Operation> = history.operations().collect();
    assert!(operations.len() < 128, "the rows are long enough");
    let options: Vec<Vec<Option<usize>>> = operations.iter().map(|operation| options(&operations, operation)).collect();
    let choices = options.iter().try_fold(1_usize, |product, options| product.checked_mul(options.len()))?;
    if choices > CHOICES_MAX {
        return None;
    }
    let plausible = seen::is_plausible(history);
    Some(plausible && (0..choices).any(|choice| holds(history, &operations, &chosen(&options, choice))))
}

/// The writes that an operation may have seen; `None` is the beginning, or that it saw nothing that matters.
fn options(operations: &[&Operation], read: &Operation) -> Vec<Option<usize>> {
    match (read.kind, read.status) {
        (Kind::Get, Some(200)) => vec![seen::put(operations, read)],
        _ if seen::is_nothing(read) => {
            let deletes = seen::deletes(operations, read).into_iter().map(Some);
            [None].into_iter().chain(deletes).collect()
        }
        _ => vec![None],
    }
}

fn chosen(options: &[Vec<Option<usize>>], mut choice: usize) -> Vec<Option<usize>> {
    let pick = |options: &Vec<Option<usize>>| {
        let picked = options[choice % options.len()];
        choice /= options.len();
        picked
    };
    options.iter().map(pick).collect()
}

fn holds(history: &History, operations: &[&Operation], seen: &[Option<usize>]) -> bool {
    let rest = operations.len();
    let mut causal: Matrix = vec![0; rest + 1];
    for (to, operation) in operations.iter().enumerate() {
        let sources = seen::giver(operations, operation).into_iter().chain(seen[to]);
        sources.for_each(|from| causal[from] |= 1 << to);
        if operation.wrote() == Wrote::Yes && !seen::may_be_lost(history, operation, u64::MAX) {
            causal[to] |= 1 << rest;
        }
        if operation.kind == Kind::Get && operation.last {
            causal[rest] |= 1 << to;
        }
    }
    close(&mut causal);
    let mut order = causal.clone();
    for (id, read) in operations.iter().enumerate() {
        if seen[id].is_none() && !seen::is_nothing(read) {
            continue;
        }
        for (other, write) in operations.iter().enumerate() {
            let before = write.key == read.key && write.wrote() != Wrote::No && causal[other] & 1 << id != 0;
            if Some(other) == seen[id] || !before || seen::may_be_lost(history, write, read.end_us) {
                continue;
            }
            match seen[id] {
                None => return false,
                Some(write) if causal[write] & 1 << other != 0 => return false,
                Some(write) => order[other] |= 1 << write,
            }
        }
    }
    close(&mut order);
    (0..=rest).all(|id| order[id] & 1 << id == 0)
}

/// What comes after what comes after comes after.
fn close(matrix: &mut Matrix) {
    for middle in 0..matrix.len() {
        let after = matrix[middle];
        for row in matrix.iter_mut().filter(|row| **row & 1 << middle != 0) {
            *row |= after;
        }
    }
}
