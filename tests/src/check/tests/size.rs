//! More writes than are treated at once.

use super::lines::history;
use crate::{
    check::{Verdict, check},
    history::{End, Event, Operation},
};

/// A chain of writes to one key, each with the token of the last, and reads of each at the end.
fn chain(writes: u64, read: u64) -> Vec<Event> {
    let line = |number: u64, text: String| -> Operation {
        let one = history(&[&text]);
        let mut operation = one.operations().next().expect("one operation").clone();
        (operation.start_us, operation.end_us, operation.token_out) = (number * 10, number * 10 + 5, Some(number));
        operation
    };
    let write = |number: u64| Operation { token_in: number.checked_sub(1), ..line(number, format!("put x={number}")) };
    let mut operations: Vec<Operation> = (0..writes).map(write).collect();
    operations.push(Operation { token_in: Some(writes - 1), ..line(writes, format!("get x={read}")) });
    operations.push(line(writes + 1, format!("get x={} last", writes - 1)));
    operations.into_iter().map(Event::Operation).chain([Event::End(End { end_us: u64::MAX })]).collect()
}

#[test]
fn a_key_with_more_writes_than_are_treated_at_once_is_judged() {
    let judge = |read| check(&crate::history::History { events: chain(5_000, read) });
    assert_eq!(judge(4_999), Verdict::Valid);
    for read in [0, 4_095, 4_096, 4_998] {
        assert!(matches!(judge(read), Verdict::Invalid(findings) if findings.len() == 1), "{read}");
    }
}
