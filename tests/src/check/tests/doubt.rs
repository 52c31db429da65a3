//! What nothing can be known of is not a pass.

use super::lines::{findings, judge};
use crate::check::{Pattern, Verdict};

fn reasons(lines: &[&str]) -> Vec<String> {
    match judge(lines) {
        Verdict::Unknown(reasons) => reasons,
        other => panic!("unknown was expected of {lines:?}: {other}"),
    }
}

#[test]
fn a_history_that_is_whole_and_lawful_is_valid() {
    assert_eq!(judge(&["put x=1", "get x=1 after 1", "get x=1 last", "count 1=1 last"]), Verdict::Valid);
}

#[test]
fn a_history_that_was_cut_off_is_unknown() {
    assert_eq!(reasons(&["put x=1", "get x=1 last", "cut"]), ["the history was cut off"]);
}

#[test]
fn what_was_cut_off_may_have_held_the_write_that_was_read() {
    assert_eq!(findings(&["get x=1", "cut"]), []);
    assert_eq!(findings(&["put x=1", "get x=- after 1", "cut"]), []);
    assert_eq!(findings(&["put y=1", "get x=1", "cut"])[0].pattern, Pattern::ThinAir);
    let overwritten = ["put x=1", "put x=2 after 1", "get x=1 after 2", "cut"];
    assert_eq!(findings(&overwritten)[0].pattern, Pattern::OverwrittenRead);
}

#[test]
fn without_an_answer_nothing_is_known() {
    assert_eq!(reasons(&[]), ["no operation was answered"]);
    assert_eq!(reasons(&["put x=1 silent", "get x status 503 last"]), ["no operation was answered"]);
}

#[test]
fn keys_whose_last_value_nobody_knows_are_named() {
    let lines = ["put x=1", "put y=2", "put z=3", "get z=3 last", "get y status 503 last", "put a=4 silent"];
    assert_eq!(reasons(&lines), ["no last read was answered of x, y"]);
}

#[test]
fn a_history_that_contradicts_itself_is_unknown() {
    assert_eq!(reasons(&["get x=- after 7"]), ["nobody got token 7, which client 1 sent"]);
    assert_eq!(reasons(&["get x=- after 2", "put x=1"]), ["token 2 was sent before it was asked for"]);
    assert_eq!(reasons(&["put x=1", "put y=1"]), ["two puts write \"1\""]);
    assert_eq!(reasons(&["put x"]), ["client 1 puts no value to x"]);
    assert_eq!(reasons(&["get x"]), ["what client 1 read of x is missing"]);
}

#[test]
fn a_refusal_hands_on_no_token() {
    assert_eq!(findings(&["put x=1", "get y status 503 after 1", "get x=- after 2"]), []);
}

#[test]
fn what_misses_the_same_write_is_one_finding() {
    let lines = ["put x=1", "get x=- after 1", "get x=- after 1", "put y=2", "get y=- after 4", "get x=- last"];
    assert_eq!(findings(&lines).len(), 2);
}
