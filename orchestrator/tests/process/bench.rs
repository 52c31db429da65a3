//! `bench` on a cluster of processes: what it counts, and what it says of it.

use std::process::Stdio;

use serde_json::Value;

use crate::hold::interrupted;
use crate::stage::{HALF, Sources, Stage};

fn stage() -> Stage {
    Stage::new("process", Sources::Workspace, 2, 1)
}

const SHORT: [&str; 6] = ["--seconds", "1", "--warm-up", "0", "--keys", "20"];

#[test]
fn a_load_is_told_in_figures_and_compared_with_an_earlier_one() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let bench = |words: &[&str]| stage.run(&[&["bench", "--connections", "4"], &SHORT[..], words].concat());
    let first = bench(&["--output", "json"]).exits(0);
    let told: Value = serde_json::from_str(first.stdout.trim()).expect("one object");
    let (summary, number) = (&told["summary"], |value: &Value| value.as_u64().expect("a number"));
    let operations = number(&summary["operations"]);
    assert!(operations > 0 && summary["errors"].as_object().is_some_and(serde_json::Map::is_empty), "{told}");
    let by_kind = ["get", "put"].map(|kind| number(&summary["kinds"][kind]["operations"]));
    let by_bar = summary["histogram"].as_array().expect("bars").iter().map(|bar| number(&bar["operations"]));
    assert_eq!((by_kind.iter().sum::<u64>(), by_bar.sum::<u64>()), (operations, operations));
    assert!(number(&summary["token_bytes"]["max"]) > 0, "clients carry their tokens: {told}");
    assert_eq!(told["processor"].as_array().map(Vec::len), Some(3));

    stage.write("old.json", &first.stdout);
    bench(&["--compare", "old.json"])
        .exits(0)
        .answers("by 4 clients, each asks again when it is answered")
        .answers("no errors")
        .answers("longest time without an answer: ")
        .answers("before")
        .answers("ratio");
    bench(&["--independent", "--compare", "old.json", "--mix", "get=1", "--distribution", "zipf", "--rate", "100"])
        .exits(0)
        .answers("100 due a second")
        .answers("the load was another then");
    stage.write("old.json", "{}");
    bench(&["--compare", "old.json"]).exits(2).reads("bench-compare");
    bench(&["--compare", "gone.json"]).exits(2).reads("bench-compare-missing");
    stage.write("old.json", r#"{"event":"bench","summary":{}}"#);
    bench(&["--compare", "old.json"]).exits(2).reads("bench-compare-damaged");

    let bench = stage.command(&["bench"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
    interrupted(bench).exits(130).reads("interrupted-bench");
    let logs = stage.command(&["logs", "-f"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
    interrupted(logs).exits(130).reads("interrupted-logs");
}

#[test]
fn a_load_that_is_not_answered_as_it_should_be_leaves_evidence() {
    let stage = Stage::new("process", HALF, 1, 1);
    stage.run(&["--timeout", "1s", "up", stage.name(1)]).exits(7);
    let bench =
        |words: &[&str]| stage.run(&[&["bench", "--connections", "2", "--seed", "7"], &SHORT[..], words].concat());

    let half = bench(&[]).exits(1).answers("HTTP 503");
    let evidence = stage.evidence(&half);
    half.reads("bench-of-failed-operations");
    let read = |name: &str| std::fs::read_to_string(evidence.join(name)).expect(name);
    let run: Value = serde_json::from_str(&read("run.json")).expect("JSON");
    assert_eq!((&run["seed"], &run["summary"]["load"]["connections"]), (&7.into(), &2.into()), "{run}");
    let transcript = read("transcript.jsonl");
    assert_eq!(transcript.lines().count(), 100);
    let last: Value = serde_json::from_str(transcript.lines().last().expect("a line")).expect("JSON");
    assert!(last["request"].as_str().is_some_and(|request| request.starts_with(&format!("PUT {}/", stage.url(1)))));
    assert!(last["body"].as_str().is_some_and(|body| body.contains("\"value\":\"vvv")), "{last}");
    assert_eq!((&last["status"], &last["reply"]), (&503.into(), &r#"{"error":"half of me is away"}"#.into()));
    assert!(read(&format!("{}.log", stage.name(1))).contains("serving at"));

    stage.evidence(&bench(&["--mix", "put=1"]).exits(1).reads("bench-of-no-good-operation"));
    let gone = bench(&["--mix", "delete=1"]).exits(1).reads("bench-of-a-node-that-ends");
    assert!(stage.evidence(&gone).join("failure.txt").exists());
}

#[test]
fn a_load_that_cannot_be_made_is_told() {
    let stage = stage();
    stage.run(&["bench"]).exits(1).complains("`orchestrator up` starts them");
    stage.run(&["up"]).exits(0);
    stage.run(&["bench", "--mix", "get=0"]).exits(2).complains("all shares are 0");
    stage.run(&["bench", "--mix", "take=1"]).exits(2).complains("`take=1` is not one of");
    stage.run(&["bench", "--node", &format!("{}x", stage.name(1))]).exits(2).complains("did you mean");
    stage.run(&["fault", "kill", stage.name(1)]).exits(0);
    stage.run(&["bench", "--node", stage.name(1)]).exits(1).reads("bench-of-a-stopped-node");
}
