//! Thin air: values that nobody wrote where they were read, or not yet.

use std::collections::HashSet;

use super::{
    Pattern,
    account::{Account, Seen},
    evidence::Evidence,
    words,
};
use crate::history::Wrote;

/// The reads of such values, the first of each value.
pub(super) fn find(account: &Account) -> Vec<Evidence> {
    let mut values = HashSet::new();
    let mut found = Vec::new();
    for (read, operation) in account.operations.iter().enumerate().filter(|(id, _)| account.seen[*id] == Seen::ThinAir)
    {
        let Some(value) = operation.value.as_deref() else {
            found.push(Evidence::new(
                Pattern::ThinAir,
                vec![read],
                "a delete found a value, and nobody had written one",
            ));
            continue;
        };
        if !values.insert((value, &operation.key)) {
            continue;
        }
        let Some(&writer) = account.writers.get(value) else {
            found.push(Evidence::new(Pattern::ThinAir, vec![read], format!("nobody wrote {}", words::value(value))));
            continue;
        };
        let write = account.operations[writer];
        let so = if write.key != operation.key {
            format!("{} was read from {}, and written to {}", words::value(value), operation.key, write.key)
        } else if write.wrote() == Wrote::No {
            "a value was read whose write was refused".to_owned()
        } else {
            "a value was read before its write was sent".to_owned()
        };
        found.push(Evidence::new(Pattern::ThinAir, vec![writer, read], so));
    }
    found
}
