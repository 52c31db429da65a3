//! Histories as lines of words. Line n is sent at n seconds by client n to node1, and answered half a second later:
//!
//! `put x=1`, `get x=1`, `get x=-` (404), `delete x`, `delete x=-` (404), `count 1=3`, `wipe node1`, `kill node1`,
//! `remove node1` (given up) and `return node1` (not any more), `cut`
//!
//! and then, where it is different: `after 1` (with the token of line 1), `by 7` (the client), `at node2`, `on 2` (disks),
//! `status 503`, `silent` (no reply), `last`, `until 9` (seconds), `instant` (at 0 s, and in no time).

use crate::{
    check::{Finding, Pattern, Verdict, check},
    history::{End, Event, Fault, History, Kind, Operation, Phase},
};

const SECOND_US: u64 = 1_000_000;

/// The history of these lines.
pub(super) fn history(lines: &[&str]) -> History {
    let mut events: Vec<Event> = (1..).zip(lines).filter_map(|(number, line)| event(number, line)).collect();
    if lines.last() != Some(&"cut") {
        events.push(Event::End(End { end_us: 100 * SECOND_US }));
    }
    History { events }
}

pub(super) fn judge(lines: &[&str]) -> Verdict {
    check(&history(lines))
}

pub(super) fn findings(lines: &[&str]) -> Vec<Finding> {
    match judge(lines) {
        Verdict::Invalid(findings) => findings,
        Verdict::Valid => Vec::new(),
        // Nothing is wrong with it: short histories have no last reads.
        Verdict::Unknown(reasons) => {
            let lacking = |reason: &String| !reason.starts_with("no last read") && reason != "the history was cut off";
            assert_eq!(reasons.iter().find(|reason| lacking(reason)), None, "{lines:?}");
            Vec::new()
        }
    }
}

pub(super) fn patterns(lines: &[&str]) -> Vec<Pattern> {
    findings(lines).iter().map(|finding| finding.pattern).collect()
}

fn event(number: u64, line: &str) -> Option<Event> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[0] {
        "cut" => None,
        "wipe" | "kill" | "remove" | "return" => Some(Event::Fault(fault(number, words[0], words[1]))),
        _ => Some(Event::Operation(operation(number, &words))),
    }
}

fn fault(number: u64, kind: &str, node: &str) -> Fault {
    let nodes = vec![node.to_owned()];
    let only = |of: &str| if kind == of { nodes.clone() } else { Vec::new() };
    let what = match kind {
        "wipe" => format!("the disk of {node} is destroyed"),
        "kill" => format!("{node} is killed"),
        _ => format!("{kind} {node}"),
    };
    Fault {
        // One removal at a time.
        number: if matches!(kind, "remove" | "return") { 1_000 } else { number as u32 },
        kind: kind.to_owned(),
        what,
        destroys: only("wipe"),
        gives_up: only("remove"),
        nodes,
        phase: if kind == "return" { Phase::Ends } else { Phase::Begins },
        start_us: number * SECOND_US,
        end_us: number * SECOND_US + SECOND_US / 2,
    }
}

fn operation(number: u64, words: &[&str]) -> Operation {
    let (key, value) = words[1].split_once('=').unwrap_or((words[1], ""));
    let kind = match words[0] {
        "put" => Kind::Put,
        "get" => Kind::Get,
        "delete" => Kind::Delete,
        "count" => Kind::Count,
        other => panic!("no operation is called {other}"),
    };
    let missing = value == "-";
    let mut operation = Operation {
        client: number as u32,
        node: "node1".to_owned(),
        kind,
        key: key.to_owned(),
        value: (!missing && !value.is_empty()).then(|| value.to_owned()),
        token_in: None,
        token_out: Some(number),
        status: Some(if missing { 404 } else { 200 }),
        start_us: number * SECOND_US,
        end_us: number * SECOND_US + SECOND_US / 2,
        durable: None,
        last: false,
    };
    let mut words = words[2..].iter().copied();
    while let Some(word) = words.next() {
        let mut argument = || words.next().expect("a word after it");
        let number = |word: &str| word.parse().expect("a number");
        match word {
            "after" => operation.token_in = Some(number(argument())),
            "by" => operation.client = number(argument()) as u32,
            "at" => operation.node = argument().to_owned(),
            "on" => operation.durable = Some(number(argument()) as u32),
            "status" => operation.status = Some(number(argument()) as u16),
            "silent" => (operation.status, operation.token_out) = (None, None),
            "last" => operation.last = true,
            "until" => operation.end_us = number(argument()) * SECOND_US,
            "instant" => (operation.start_us, operation.end_us) = (0, 0),
            other => panic!("no operation is {other}"),
        }
    }
    operation
}
