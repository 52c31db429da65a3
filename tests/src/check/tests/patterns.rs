//! For every pattern the smallest histories that have it, each with its nearest neighbours that have not.

use super::lines::patterns;
use crate::check::Pattern;

struct Pair {
    what: &'static str,
    pattern: Pattern,
    bad: &'static [&'static str],
    good: &'static [&'static [&'static str]],
}

fn hold(pairs: &[Pair]) {
    for Pair { what, pattern, bad, good } in pairs {
        assert_eq!(patterns(bad), [*pattern], "{what}: {bad:?}");
        for good in *good {
            assert_eq!(patterns(good), [], "not {what}: {good:?}");
        }
    }
}

#[test]
fn thin_air_is_found_and_what_may_have_been_written_is_not() {
    let pattern = Pattern::ThinAir;
    hold(&[
        Pair {
            what: "a value that nobody wrote",
            pattern,
            bad: &["put x=1", "get x=2"],
            good: &[&["put x=1", "get x=1"], &["put x=1 silent", "get x=1"]],
        },
        Pair {
            what: "the value of another key",
            pattern,
            bad: &["put y=1", "get x=1"],
            good: &[&["put x=1", "get x=1"]],
        },
        Pair {
            what: "a value whose write was refused",
            pattern,
            bad: &["put x=1 status 400", "get x=1"],
            good: &[&["put x=1 status 503", "get x=1"]],
        },
        Pair {
            what: "a value from the future",
            pattern,
            bad: &["get x=1", "put x=1"],
            good: &[&["get x=1 until 2", "put x=1"]],
        },
        Pair {
            what: "a delete of something that nobody wrote",
            pattern,
            bad: &["put y=1", "delete x"],
            good: &[
                &["put x=1", "delete x"],
                &["put x=1 silent", "delete x"],
                &["delete x=-"],
                &["delete x status 503", "get x=-"],
            ],
        },
    ]);
}

#[test]
fn a_circle_of_causes_is_found() {
    hold(&[Pair {
        what: "each before the other",
        pattern: Pattern::CausalCircle,
        bad: &["get x=1 instant", "put y=2 instant after 1", "get y=2 instant", "put x=1 instant after 3"],
        good: &[&["get x=1 instant", "put y=2 instant after 1", "get y=2 instant", "put x=1 instant"]],
    }]);
}

#[test]
fn a_write_of_the_past_that_is_not_seen_is_found_and_what_may_be_deleted_is_not() {
    let pattern = Pattern::MissedWrite;
    hold(&[
        Pair {
            what: "nothing, in spite of the own write",
            pattern,
            bad: &["put x=1", "get x=- after 1"],
            good: &[&["put x=1", "get x=-"], &["put x=1", "get x=1 after 1"], &["put x=1", "get x status 503 after 1"]],
        },
        Pair {
            what: "nothing to delete, in spite of the own write",
            pattern,
            bad: &["put x=1", "delete x=- after 1"],
            good: &[&["put x=1", "delete x=-"], &["put x=1", "delete x after 1"]],
        },
        Pair {
            what: "nothing, in spite of what another value depends on",
            pattern,
            bad: &["put x=1", "put y=2 after 1", "get y=2", "get x=- after 3"],
            good: &[
                &["put x=1", "put y=2", "get y=2", "get x=- after 3"],
                &["put x=1", "put y=2 after 1", "get y=2", "get x=-"],
            ],
        },
        Pair {
            what: "nothing, though no delete came after",
            pattern,
            bad: &["delete x=-", "put x=1 after 1", "get x=- after 2"],
            good: &[
                &["put x=1", "delete x", "get x=- after 1"],
                &["put x=1", "delete x silent", "get x=- after 1"],
                &["put x=1", "delete x", "put x=2 after 1", "get x=- after 3"],
                &["put x=1", "delete x silent", "put x=2 after 1", "get x=- after 3"],
            ],
        },
        Pair {
            what: "nothing, though the only delete was overwritten",
            pattern,
            bad: &["put x=1", "delete x after 1", "put x=2 after 2", "get x=- after 3"],
            good: &[&["put x=1", "delete x after 1", "put x=2 after 1", "get x=- after 3"]],
        },
        Pair {
            what: "nothing, though the only delete was refused",
            pattern,
            bad: &["put x=1", "delete x status 400", "get x=- after 1"],
            good: &[&["put x=1", "delete x status 503", "get x=- after 1"]],
        },
        Pair {
            what: "nothing, though the only delete came later",
            pattern,
            bad: &["put x=1", "get x=- after 1", "delete x"],
            good: &[&["put x=1", "get x=- after 1 until 3", "delete x"]],
        },
        Pair {
            what: "nothing, in spite of what the only delete that was seen depends on",
            pattern,
            bad: &["put x=1", "put y=2", "delete x after 2", "get x=- after 1", "get y=- after 4"],
            good: &[
                &["put x=1", "put y=2", "delete x", "get x=- after 1", "get y=- after 4"],
                &["put x=1", "put y=2", "delete x after 2", "delete x silent", "get x=- after 1", "get y=- after 5"],
                &["put x=1", "put y=2", "delete x after 2", "get x=-", "get y=- after 4"],
            ],
        },
    ]);
}

#[test]
fn a_read_older_than_its_past_is_found_and_one_beside_it_is_not() {
    let pattern = Pattern::OverwrittenRead;
    hold(&[
        Pair {
            what: "a value that its own past has overwritten",
            pattern,
            bad: &["put x=1", "put x=2 after 1", "get x=1 after 2"],
            good: &[
                &["put x=1", "put x=2", "get x=1 after 2"],
                &["put x=1", "put x=2 after 1", "get x=1"],
                &["put x=1", "put x=2 after 1", "get x=2 after 2"],
            ],
        },
        Pair {
            what: "a value that was read and then not any more",
            pattern,
            bad: &["put x=1", "put x=2 after 1", "get x=2", "get x=1 after 3"],
            good: &[&["put x=1", "put x=2 after 1", "get x=2", "get x=1"]],
        },
        Pair {
            what: "a value that comes back after its deletion",
            pattern,
            bad: &["put x=1", "delete x after 1", "get x=1 after 2"],
            good: &[
                &["put x=1", "delete x", "get x=1 after 2"],
                &["put x=1", "delete x after 1", "get x=1"],
                &["put x=1", "delete x after 1", "delete x after 2"],
            ],
        },
        Pair {
            what: "a value that comes back after nothing was there",
            pattern,
            bad: &["put x=1", "delete x after 1", "get x=- after 1", "get x=1 after 3"],
            good: &[&["put x=1", "delete x", "get x=- after 1", "get x=1"]],
        },
    ]);
}

#[test]
fn a_circle_of_conflicts_is_found_and_one_order_for_all_is_not() {
    let pattern = Pattern::ConflictCircle;
    hold(&[
        Pair {
            what: "two orders of two writes",
            pattern,
            bad: &["put x=1", "put x=2", "get x=2 after 1", "get x=1 after 2"],
            good: &[
                &["put x=1", "put x=2", "get x=2 after 1", "get x=2 after 2"],
                &["put x=1", "put x=2", "get x=2", "get x=1 after 2"],
            ],
        },
        Pair {
            what: "one order of two keys against the other",
            pattern,
            bad: &["put x=1", "put y=2", "put y=3 after 1", "put x=4 after 2", "get y=2 after 3", "get x=1 after 4"],
            good: &[&["put x=1", "put y=2", "put y=3 after 1", "put x=4", "get y=2 after 3", "get x=1 after 4"]],
        },
        Pair {
            what: "a put before a delete for one, after it for the other",
            pattern,
            bad: &["put x=1", "delete x", "get x=- after 1", "get x=1 after 2"],
            good: &[&["put x=1", "delete x", "delete x silent", "get x=- after 1", "get x=1 after 2"]],
        },
    ]);
}

#[test]
fn a_lost_write_is_found_and_what_may_be_lost_is_not() {
    let pattern = Pattern::LostWrite;
    hold(&[
        Pair {
            what: "an acknowledged write that is not there",
            pattern,
            bad: &["put x=1", "get x=- last"],
            good: &[
                &["put x=1", "get x=1 last"],
                &["put x=1 silent", "get x=- last"],
                &["put x=1", "get x=-"],
                &["put x=1 until 3", "get x=- last"],
            ],
        },
        Pair {
            what: "an acknowledged write on two disks, of which one is destroyed twice",
            pattern,
            bad: &["put x=1 on 2", "wipe node1", "wipe node1", "get x=- last"],
            good: &[&["put x=1 on 2", "wipe node1", "wipe node2", "get x=- last"]],
        },
        Pair {
            what: "an acknowledged write after the disk was destroyed",
            pattern,
            bad: &["wipe node1", "put x=1", "get x=- last"],
            good: &[&["put x=1", "wipe node1", "get x=- last"]],
        },
        Pair {
            what: "an acknowledged write of a node that was killed",
            pattern,
            bad: &["put x=1", "kill node1", "get x=- last"],
            good: &[&["put x=1", "kill node1", "get x=1 last"]],
        },
        Pair {
            what: "an acknowledged write on no disk, without a fault",
            pattern,
            bad: &["kill node1", "put x=1 on 0", "get x=- last"],
            good: &[&["put x=1 on 0", "kill node1", "get x=- last"]],
        },
        Pair {
            what: "an older value that is there again",
            pattern,
            bad: &["put x=1", "put x=2 after 1", "get x=1 last"],
            good: &[&["put x=1", "put x=2", "get x=1 last"], &["put x=1", "put x=2 after 1 silent", "get x=1 last"]],
        },
        Pair {
            what: "a deleted value that is there again",
            pattern,
            bad: &["put x=1", "delete x after 1", "get x=1 last"],
            good: &[&["put x=1", "delete x", "get x=1 last"]],
        },
        Pair {
            what: "a write that others depend on",
            pattern,
            bad: &["put x=1 silent", "get x=1", "put y=2 after 2", "get x=- last"],
            good: &[
                &["put x=1 silent", "get x=1", "put y=2", "get x=- last"],
                &["put x=1 silent", "get x=1", "put y=2 after 2 on 0", "kill node1", "get x=- last"],
            ],
        },
    ]);
}

#[test]
fn what_was_destroyed_binds_no_read_after_it() {
    hold(&[Pair {
        what: "an older value before the newer could be lost",
        pattern: Pattern::OverwrittenRead,
        bad: &["put x=1 on 2", "put x=2 after 1 on 1", "get x=1 after 2", "wipe node1"],
        good: &[
            &["put x=1 on 2", "put x=2 after 1 on 1", "wipe node1", "get x=1 after 2"],
            &["put x=1 on 2", "put x=2 after 1 on 1", "get x=1 after 2 until 5", "wipe node1"],
            &["put x=1 on 2", "put x=2 after 1 on 1", "wipe node1", "get x=1 last"],
            &["put x=1 on 2", "delete x after 1 on 1", "wipe node1", "get x=1 after 2", "get x=1 last"],
        ],
    }]);
}

#[test]
fn what_only_a_node_has_that_was_given_up_binds_no_read() {
    let pattern = Pattern::MissedWrite;
    hold(&[
        Pair {
            what: "nothing, in spite of a write before and after its node was given up",
            pattern,
            bad: &["put x=1 on 1", "get x=- after 1", "remove node1", "return node1"],
            good: &[
                &["put x=1 on 1", "remove node1", "get x=- after 1", "return node1"],
                &["remove node1", "put x=1 on 1", "get x=- after 2", "return node1"],
                &["remove node1", "put x=1 on 1", "get x=- after 2"],
                &["remove node1", "put x=1 on 1", "return node1", "get x=- after 2"],
            ],
        },
        Pair {
            what: "nothing, in spite of a write when its node was there again",
            pattern,
            bad: &["remove node1", "return node1", "put x=1 on 1", "get x=- after 3"],
            good: &[],
        },
        Pair {
            what: "nothing, in spite of a write that one more node has",
            pattern,
            bad: &["remove node1", "put x=1 on 2", "get x=- after 2", "return node1"],
            good: &[&["wipe node2", "remove node1", "put x=1 on 1", "get x=- after 3", "return node1"]],
        },
    ]);
}

#[test]
fn replicas_that_differ_are_found() {
    let pattern = Pattern::Divergence;
    hold(&[
        Pair {
            what: "two last values",
            pattern,
            bad: &["put x=1", "put x=2", "get x=1 last", "get x=2 last at node2"],
            good: &[&["put x=1", "put x=2", "get x=2 last", "get x=2 last at node2"]],
        },
        Pair {
            what: "a value and none",
            pattern,
            bad: &["put x=1 silent", "get x=1 last", "get x=- last at node2"],
            good: &[&["put x=1 silent", "get x=1 last", "get x=1 last at node2"]],
        },
    ]);
}

#[test]
fn a_wrong_count_is_found() {
    let pattern = Pattern::WrongCount;
    hold(&[
        Pair {
            what: "one too many",
            pattern,
            bad: &["put x=1", "get x=1 last", "count 1=2 last"],
            good: &[
                &["put x=1", "get x=1 last", "count 1=1 last"],
                &["put x=1", "get x=1 last at node2", "count 1=2 last"],
                &["put x=1", "get x=1 last", "get x=1 last status 503", "count 1=2 last"],
                &["put x=1", "get x=1 last", "count 1=2 last", "count 2=0 last status 503"],
                &["put x=1", "get x=1 last", "count 1=2"],
            ],
        },
        Pair {
            what: "a deleted key that is counted",
            pattern,
            bad: &["put x=1", "delete x after 1", "get x=- last", "count 1=0 last", "count 2=1 last"],
            good: &[&["put x=1", "delete x after 1", "get x=- last", "count 1=0 last", "count 2=0 last"]],
        },
    ]);
}
