//! Stories, word for word.

use super::lines::{findings, judge};
use crate::check::{Arrow, Because};

/// The shortest story of these lines is this.
fn told(lines: &[&str], story: &[&str]) {
    let findings = findings(lines);
    let shortest = findings.first().map(ToString::to_string).unwrap_or_default();
    assert_eq!(shortest.lines().collect::<Vec<_>>(), story, "\n{shortest}\n");
}

#[test]
fn a_missed_write_is_told_with_the_token_that_names_it_and_the_fault_between() {
    told(&["put x=17 on 2 at node2 by 3", "kill node2", "kill node7", "get x=- after 1 at node4 by 5"], &["?"]);
}

#[test]
fn what_is_read_on_the_way_is_told() {
    told(
        &["put x=1", "get x=1 by 7", "put y=2 after 2 by 7", "get y=2 at node2", "get x=- after 4 by 4 at node2"],
        &["?"],
    );
}

#[test]
fn a_long_way_is_told_in_a_line() {
    let lines =
        ["put x=1", "get x=1", "get y=- after 2", "get z=- after 3", "put y=2 after 4", "get y=2", "get x=- after 6"];
    told(&lines, &["?"]);
    told(
        &[
            "put x=1",
            "get y=- after 1",
            "get y=- after 2",
            "get y=- after 3",
            "get y=- after 4",
            "get x=- after 5 by 1",
        ],
        &["?"],
    );
}

#[test]
fn overwritten() {
    told(&["put x=1", "put x=2 after 1", "get x=1 after 2 by 2"], &["?"]);
    told(&["put x=1", "delete x after 1", "get x=1 after 2 by 2"], &["?"]);
    told(&["put x=1", "delete x after 1", "delete x after 2 by 2"], &["?"]);
}

#[test]
fn lost() {
    told(&["put x=1 on 2", "kill node1", "get x=- last"], &["?"]);
    told(&["put x=1", "put x=2 after 1", "get x=1 last"], &["?"]);
}

#[test]
fn other() {
    told(&["put x=1", "get x=2"], &["?"]);
    told(&["delete x"], &["?"]);
    told(&["put x=1 status 400", "get x=1"], &["?"]);
    told(&["put x=1", "put x=2", "get x=2 after 1", "get x=1 after 2"], &["?"]);
    told(&["put x=1", "put y=2", "put y=3 after 1", "put x=4 after 2", "get y=2 after 3", "get x=1 after 4"], &["?"]);
    told(&["put x=1 silent", "get x=1 last", "get x=- last at node2"], &["?"]);
    told(&["put x=1", "get x=1 last", "count 1=2 last", "count 2=0 last"], &["?"]);
    told(&["get x=1 instant", "put y=2 instant after 1", "get y=2 instant", "put x=1 instant after 3"], &["?"]);
}
