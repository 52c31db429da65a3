//! `check`: a recorded history is judged again.

use crate::{folder, without_engine};

#[test]
fn a_history_is_judged_again_without_a_cluster() {
    let folder = folder();
    let put = r#"{"type":"operation","client":1,"node":"node1","kind":"put","key":"x","value":"1","token-out":1,"status":201,"start-us":0,"end-us":9}"#;
    let read = |status: u16, value: &str| {
        format!(
            r#"{{"type":"operation","client":1,"node":"node2","kind":"get","key":"x"{value},"token-in":1,"token-out":2,"status":{status},"start-us":20,"end-us":30,"last":true}}"#
        )
    };
    let judge = |name: &str, lines: &[&str]| {
        std::fs::write(folder.path().join(name), lines.join("\n")).expect("a file");
        without_engine(folder.path(), &["check", name])
    };
    let end = r#"{"type":"end","end-us":40}"#;
    judge("good.jsonl", &[put, &read(200, r#","value":"1""#), end]).exits(0).answers("2 operations: valid");
    judge("bad.jsonl", &[put, &read(404, ""), end])
        .exits(1)
        .answers("2 operations: invalid")
        .answers("client 1 writes x = \"1\" at node1")
        .reads("history-invalid");
    judge("short.jsonl", &[put]).exits(8).answers("unknown: the history was cut off").reads("history-unknown");
    judge("wrong.jsonl", &[put, "{}", end]).exits(2).reads("history-damaged");
    without_engine(folder.path(), &["check", "bad.jsonl", "--html", "page.html"]).exits(1);
    let page = std::fs::read_to_string(folder.path().join("page.html")).expect("the page");
    assert!(page.contains("<svg") && page.contains("reads x at node2"), "{page}");
    without_engine(folder.path(), &["check", "bad.jsonl", "--html", "gone/page.html"]).exits(2).reads("history-page");
    without_engine(folder.path(), &["check", "gone.jsonl"]).exits(2).reads("history-missing");
}
