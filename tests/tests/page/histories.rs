//! Histories with all that a page shows, and with what could spoil one.

use std::fmt::Write;

use serde_json::json;

const OPERATIONS: u64 = 400;

/// By name, as lines.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("a_page_of_nothing_must_open", String::new()),
        ("a_page_of_a_single_moment_must_open", moment()),
        ("a_page_of_a_valid_history_must_open", run(|_| None)),
        ("a_page_with_many_findings_must_open", run(|number| (number % 7 == 3).then(|| number.saturating_sub(40)))),
    ]
}

/// One operation that took no time, at a node that the run does not name.
fn moment() -> String {
    let put = json!({"type": "operation", "client": 1, "node": "<&\"'", "kind": "put", "key": "<&\"'", "value": "<&\"'",
        "token-out": 1, "status": 201, "start-us": 0, "end-us": 0});
    let read = json!({"type": "operation", "client": 1, "node": "<&\"'", "kind": "get", "key": "<&\"'", "token-in": 1,
        "token-out": 2, "status": 404, "start-us": 0, "end-us": 0});
    let end = json!({"type": "end", "end-us": 0});
    format!("{put}\n{read}\n{end}\n")
}

/// One client writes, another reads what it wrote last, or what `stale` says; meanwhile there are faults of each shape.
fn run(stale: impl Fn(u64) -> Option<u64>) -> String {
    let nodes = ["node1", "node2", "node3"];
    let mut lines = String::new();
    let mut line = |value: serde_json::Value| writeln!(lines, "{value}").expect("memory takes it");
    line(json!({"type": "run", "seed": 7, "store": "a <store>", "nodes": nodes}));
    for number in 0..OPERATIONS {
        let (at_us, node) = (number * 10_000, nodes[(number % 3) as usize]);
        let before = number.checked_sub(1);
        let lost = number % 11 == 5;
        line(json!({"type": "operation", "client": 1, "node": node, "kind": "put", "key": "x",
            "value": number.to_string(), "token-in": before.map(|before| 2 * before + 1), "token-out": 2 * number,
            "status": if number == 0 { 201 } else { 200 }, "start-us": at_us, "end-us": at_us + 2_000, "durable": 2}));
        let seen = stale(number).unwrap_or(number).to_string();
        line(json!({"type": "operation", "client": 2, "node": node, "kind": "get", "key": "x",
            "value": seen, "token-in": 2 * number, "token-out": 2 * number + 1, "status": 200,
            "start-us": at_us + 3_000, "end-us": at_us + 4_000}));
        if lost {
            line(json!({"type": "operation", "client": 3, "node": node, "kind": "delete", "key": "y",
                "start-us": at_us, "end-us": at_us + 900_000}));
        }
        if let Some(phase) =
            [(50, "begins"), (90, "ends"), (120, "passes"), (300, "begins")].iter().find(|at| at.0 == number)
        {
            line(
                json!({"type": "fault", "number": number / 100, "kind": "partition", "what": format!("{node} & <others>"),
                "nodes": [node], "phase": phase.1, "start-us": at_us, "end-us": at_us + 5_000}),
            );
        }
    }
    line(json!({"type": "end", "end-us": OPERATIONS * 10_000}));
    lines
}
