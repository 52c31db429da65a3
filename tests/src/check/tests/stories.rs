//! Stories, word for word.

use super::lines::findings;
use crate::check::{Arrow, Because};

/// The shortest story of these lines is this.
fn told(lines: &[&str], story: &str) {
    let findings = findings(lines);
    let shortest = findings.first().map(ToString::to_string).unwrap_or_default();
    assert_eq!(shortest, story, "\n{shortest}\n");
}

#[test]
fn a_missed_write_is_told_with_the_token_that_names_it_and_the_fault_between() {
    told(
        &["put x=17 on 2 at node2 by 3", "kill node2", "kill node7", "get x=- after 1 at node4 by 5"],
        "    1.000 s  client 3 writes x = \"17\" at node2 (200, on 2 disks)
    2.000 s  node2 is killed
    4.500 s  client 5, with client 3's token, reads x at node4: nothing (404)
so: nothing was read, though the reader's token names the write",
    );
}

#[test]
fn a_delete_that_misses_a_write_is_told_as_such() {
    told(
        &["put x=17 at node2 by 3", "delete x=- after 1 at node4 by 3"],
        "    1.000 s  client 3 writes x = \"17\" at node2 (200)
    2.000 s  client 3, with its token, deletes x at node4: nothing there (404)
so: a delete found nothing, though its token names the write",
    );
}

#[test]
fn what_is_read_on_the_way_is_told() {
    told(
        &["put x=1", "get x=1 by 7", "put y=2 after 2 by 7", "get y=2 at node2", "get x=- after 4 by 4 at node2"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200)
    2.500 s  client 7 reads x at node1: \"1\" (200)
    3.000 s  client 7, with its token, writes y = \"2\" at node1 (200)
    4.500 s  client 4 reads y at node2: \"2\" (200)
    5.500 s  client 4, with its token, reads x at node2: nothing (404)
so: nothing was read, though the reader's token names the write",
    );
}

#[test]
fn a_long_way_is_told_in_a_line_that_no_fault_parts_from_its_end() {
    told(
        &[
            "put x=1 on 1",
            "get x=1",
            "get y=- after 2",
            "get y=- after 3",
            "get y=- after 4",
            "kill node1",
            "get y=- after 5",
            "get x=- after 7",
        ],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200, on 1 disk)
    6.000 s  node1 is killed
             \"1\" reached client 8 by way of 5 operations
    8.500 s  client 8 reads x at node1: nothing (404)
so: nothing was read, though the reader's token names the write",
    );
    told(
        &[
            "put x=1",
            "get y=- after 1",
            "get y=- after 2",
            "get y=- after 3",
            "get y=- after 4",
            "get x=- after 5 by 1",
        ],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200)
             the token of \"1\" reached client 1 by way of 4 operations
    6.500 s  client 1 reads x at node1: nothing (404)
so: nothing was read, though the reader's token names the write",
    );
}

#[test]
fn an_overwritten_read_is_told_with_what_follows() {
    told(
        &["put x=1", "put x=2 after 1", "get x=1 after 2 by 2"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200)
    2.000 s  client 2, with client 1's token, writes x = \"2\" at node1 (200)
    3.500 s  client 2, with its token, reads x at node1: \"1\" (200)
so: \"1\" was read, though the reader's token names \"2\", which followed it",
    );
    told(
        &["put x=1", "delete x after 1 status 503", "get x=- after 1", "get x=1 after 3 by 2"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200)
    2.000 s  client 2, with client 1's token, deletes x at node1 (503)
    3.500 s  client 3 reads x at node1: nothing (404)
    4.500 s  client 2, with client 3's token, reads x at node1: \"1\" (200)
so: a value was read, though the reader's token names its deletion",
    );
}

#[test]
fn a_lost_write_is_told_with_its_disks() {
    told(
        &["put x=1 on 2", "wipe node1", "get x=- last"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200, on 2 disks)
    2.000 s  the disk of node1 is destroyed
    3.500 s  client 3 reads x at node1, all being healed: nothing (404)
so: an acknowledged write is lost",
    );
    told(
        &["put x=1", "put x=2 after 1", "get x=1 last"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200)
    2.000 s  client 2, with client 1's token, writes x = \"2\" at node1 (200)
    3.500 s  client 3 reads x at node1, all being healed: \"1\" (200)
so: an acknowledged write is lost: what it replaced is there again",
    );
}

#[test]
fn a_value_from_thin_air_is_told_with_its_write_if_it_has_one() {
    told(
        &["put x=1", "get x=0123456789012345678901234"],
        "    2.500 s  client 2 reads x at node1: \"012345678901234567890123\"… (200)
so: nobody wrote \"012345678901234567890123\"…",
    );
    told(
        &["put x=1 status 400", "get x=1"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (400)
    2.500 s  client 2 reads x at node1: \"1\" (200)
so: a value was read whose write was refused",
    );
    told(
        &["delete x", "put x=1"],
        "    1.000 s  client 1 deletes x at node1 (200)
so: a delete found a value, and nobody had written one",
    );
}

#[test]
fn circles_are_told_with_what_each_read_claims() {
    told(
        &["put x=1", "put x=2", "get x=2 after 1", "get x=1 after 2"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (200)
    2.000 s  client 2 writes x = \"2\" at node1 (200)
    3.500 s  client 3, with client 1's token, reads x at node1: \"2\" (200)
    4.500 s  client 4, with client 2's token, reads x at node1: \"1\" (200)
so: client 3's read puts \"1\" before \"2\", and client 4's read puts \"2\" before \"1\"",
    );
    told(
        &["get x=1 instant", "put y=2 instant after 1", "get y=2 instant", "put x=1 instant after 3"],
        "    0.000 s  client 1 reads x at node1: \"1\" (200)
    0.000 s  client 2, with client 1's token, writes y = \"2\" at node1 (200)
    0.000 s  client 3 reads y at node1: \"2\" (200)
    0.000 s  client 4, with client 3's token, writes x = \"1\" at node1 (200)
so: each of them came before all the others",
    );
}

#[test]
fn what_differs_at_rest_is_told_side_by_side() {
    told(
        &["put x=1 silent", "get x=1 last", "get x=- last at node2"],
        "    1.000 s  client 1 writes x = \"1\" at node1 (no reply)
    2.500 s  client 2 reads x at node1, all being healed: \"1\" (200)
    3.500 s  client 3 reads x at node2, all being healed: nothing (404)
so: the nodes differ on x when all is healed",
    );
    told(
        &["put x=1", "get x=1 last", "count 1=2 last", "count 2=0 last"],
        "    3.500 s  client 3 counts shard 1 at node1, all being healed: \"2\" (200)
    4.500 s  client 4 counts shard 2 at node1, all being healed: \"0\" (200)
so: node1 counts 2 keys when all is healed, and its reads find 1",
    );
}

#[test]
fn the_shortest_story_comes_first() {
    let lines = ["put x=1", "put x=2 after 1", "get x=1 after 2", "put y=3", "get y=- after 4"];
    let lengths: Vec<usize> = findings(&lines).iter().map(|finding| finding.lines.len()).collect();
    assert_eq!(lengths, [2, 3]);
}

#[test]
fn lines_and_arrows_name_the_events_of_the_history() {
    let lines = [
        "put x=1",
        "kill node1",
        "put x=2 after 1",
        "get x=2",
        "get y=- after 4",
        "get y=- after 5",
        "get y=- after 6",
        "get x=1 after 7",
    ];
    let finding = &findings(&lines)[0];
    let events: Vec<_> = finding.lines.iter().map(|line| line.event).collect();
    assert_eq!(events, [Some(0), Some(1), Some(2), None, Some(7)]);
    let arrow = |from, to, because| Arrow { from, to, because };
    let arrows = [arrow(0, 2, Because::Token), arrow(0, 7, Because::Read), arrow(2, 7, Because::Way(4))];
    assert_eq!(finding.arrows, arrows);
    let conflict = &findings(&["put x=1", "put x=2", "get x=2 after 1", "get x=1 after 2"])[0];
    assert_eq!(conflict.arrows.iter().filter(|arrow| arrow.because == Because::Order).count(), 2);
    let lost = &findings(&["put x=1", "get x=- last"])[0];
    assert_eq!(lost.arrows, [arrow(0, 1, Because::Rest)]);
}
