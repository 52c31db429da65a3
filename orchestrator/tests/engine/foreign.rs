//! `test` against small foreign servers, which know the contract's environment and nothing else of us: an honest one, and
//! such as do one thing wrong. Each must get the verdict that it deserves, with all that it takes to see why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::Scenario;
use crate::stage::{Done, Sources, Stage, docker, run};

pub(crate) const ALL: &[Scenario] = &[
    ("an_honest_store_that_is_slow_passes_assignment_4", honest),
    ("a_store_that_never_answers_is_not_ready", never_ready),
    ("a_store_that_answers_garbage_is_not_ready", garbage),
    ("a_store_that_hangs_is_not_ready", hangs),
    ("a_store_that_ignores_sigterm_is_remarked_on", ignores_sigterm),
    ("wrong_status_codes_fail_exactly_their_tests", wrong_status),
    ("the_cluster_of_a_failed_test_is_kept_when_asked_for", kept),
    ("a_store_that_forgets_writes_is_found_out", forgets),
    ("stale_answers_are_found_out", stale),
    ("a_crash_on_reshard_is_told_with_the_end_of_the_node", crashes),
];

/// A stage whose folder has a folder with a Dockerfile: the server with this flaw, or the honest one.
pub(crate) struct Store {
    stage: Stage,
    flaw: &'static str,
}

impl Store {
    pub(crate) fn with(flaw: &'static str) -> Self {
        let stage = Stage::new("docker", Sources::Foreign, 2, 1);
        let (folder, binary) = (stage.folder.path().join(flaw), binary());
        fs::create_dir(&folder).expect("a folder");
        fs::copy(binary, folder.join("foreign")).expect("the server");
        let variable = if flaw == "honest" { String::new() } else { format!("ENV FLAW={flaw}\n") };
        let dockerfile = format!("FROM scratch\nCOPY foreign /foreign\n{variable}ENTRYPOINT [\"/foreign\"]\n");
        fs::write(folder.join("Dockerfile"), dockerfile).expect("a Dockerfile");
        Self { stage, flaw }
    }

    pub(crate) fn test(&self, arguments: &[&str]) -> Done {
        let mut command = self.stage.command(&["test", "--build", self.flaw, "--output", "json"]);
        run(command.args(arguments))
    }

    /// The folder that the last line of the failed run names.
    fn evidence(&self, done: &Done) -> PathBuf {
        let last: Value = serde_json::from_str(done.stderr.lines().last().expect("a last line")).expect("an object");
        let message = last["message"].as_str().expect("a message");
        let (_, folder) = message.rsplit_once("evidence: ").expect("the folder at the end of the last line");
        self.stage.folder.path().join(folder)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = run(&mut self.stage.command(&["prune", "--yes", "-p", &self.stage.project]));
    }
}

/// The server, compiled once for all stages.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "-p", "foreign", "--message-format", "json", "--target", &target]);
        let done = run(cargo.current_dir(workspace)).exits(0);
        let messages = done.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut binaries = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
        binaries.next_back().expect("a binary")
    })
}

/// The cases that have ended so, by name.
fn cases(done: &Done, verdict: &str) -> Vec<String> {
    let events = done.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let ended = events.filter(|event| event["event"] == "test.finished" && event["verdict"] == verdict);
    ended.map(|event| event["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn honest() {
    let store = Store::with("slow");
    let done = store.test(&["--suite", "assignment4"]).exits(0);
    assert!(cases(&done, "passed").len() > 20, "{}", done.stderr);
    assert!(!store.stage.folder.path().join("evidence").exists(), "nothing failed, so there is no evidence");
}

fn not_ready(flaw: &'static str, seen: &str) {
    let store = Store::with(flaw);
    let done = store.test(&["--timeout", "4s", "key-value"]).exits(7);
    assert!(cases(&done, "passed").is_empty());
    let without = cases(&done, "without a cluster").len();
    assert_eq!(without, 1, "one cluster is tried, the others are not: {}", done.stderr);
    let done = done.complains(seen).complains("no cluster got ready to be tested");
    let evidence = store.evidence(&done);
    assert!(evidence.join("run.json").is_file(), "{evidence:?}");
}

fn never_ready() {
    not_ready("never-ready", "almost there");
}

fn garbage() {
    not_ready("garbage", "does not get to the point where it answers");
}

fn hangs() {
    not_ready("hangs", "no answer in time");
}

/// It is no clause that a store must not, but one that docker has to kill is worth a word.
fn ignores_sigterm() {
    let store = Store::with("ignores-sigterm");
    let done = store.test(&["--strict", "a stopped node must leave every view"]).exits(0);
    done.complains("ignored SIGTERM");
}

fn wrong_status() {
    let store = Store::with("wrong-status");
    let junit = store.stage.folder.path().join("junit.xml");
    let done = store.test(&["--junit", "junit.xml", "key-value"]).exits(1);
    let failed = cases(&done, "failed");
    let wrong = |name: &String| name.contains("must be 404") && name.contains("GET") || name.contains("must be 201");
    assert!(failed.len() >= 4 && failed.iter().all(wrong), "{failed:?}");
    assert!(cases(&done, "passed").iter().any(|name| name.contains("a PUT of an existing key must be 200")));

    let evidence = store.evidence(&done);
    let run: Value = serde_json::from_slice(&fs::read(evidence.join("run.json")).expect("run.json")).expect("JSON");
    assert_eq!(run["failures"].as_array().map(Vec::len), Some(failed.len()));
    let folders = fs::read_dir(&evidence).expect("the evidence").flatten().filter(|entry| entry.path().is_dir());
    let put = folders.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("put-of-a-new-key"));
    let put = put.expect("the evidence of the PUT");
    let failure = fs::read_to_string(put.join("failure.txt")).expect("failure.txt");
    for part in
        ["clause:  put-new", "expected status 201", "request: PUT http://127.0.0.1:", "reply:   200", "node1 is "]
    {
        assert!(failure.contains(part), "`{part}` in\n{failure}");
    }
    let transcript = fs::read_to_string(put.join("transcript.jsonl")).expect("transcript.jsonl");
    let last: Value = serde_json::from_str(transcript.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["status"], 200);
    for kind in ["log", "json"] {
        let file = put.join(format!("{}.{kind}", store.stage.name(1)));
        assert!(file.is_file(), "{file:?}");
    }
    let events = fs::read_to_string(put.join("events.jsonl")).expect("events.jsonl");
    assert!(events.lines().any(|line| line.contains("\"start\"") && line.contains(store.stage.name(1))), "{events}");
    validate(&junit);
}

fn kept() {
    let store = Store::with("wrong-status");
    let mut command = store.stage.command(&["test", "--build", store.flaw, "--keep", "a PUT of a new key must be 201"]);
    // A summary that cannot be written is told, and hides no verdict.
    let done = run(command.env("GITHUB_STEP_SUMMARY", "/nonexistent/summary")).exits(1);
    let done = done.complains("GITHUB_STEP_SUMMARY: /nonexistent/summary cannot be written").reads("test-failed");
    let kept = done.stdout.lines().find_map(|line| line.strip_prefix("kept: ")?.split(';').next());
    let project = kept.expect("the project that is kept").to_owned();
    store.stage.run(&["status", "-p", &project]).exits(0).answers(store.stage.name(1));
    store.stage.run(&["down", "-v", "-p", &project]).exits(0).answers("removed 6 nodes");
    store.stage.run(&["prune", "--yes", "-p", &store.stage.project]).exits(0).answers("removed 1 unused image");
    let label = format!("label=orchestrator.project={}", store.stage.project);
    assert_eq!(docker(&["images", "--quiet", "--filter", &label]), "", "the image goes too");
}

/// The file against the schema of what we write, which is a part of Jenkins' one.
fn validate(junit: &Path) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/junit.xsd");
    let done = Command::new("xmllint").arg("--noout").arg("--schema").arg(schema).arg(junit).output();
    let done = done.expect("xmllint, of the package libxml2-utils");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn forgets() {
    let store = Store::with("forgets");
    let done = store.test(&["600 keys must be readable"]).exits(1).complains("expected `value` to be");
    assert_eq!(cases(&done, "failed").len(), 1);
}

fn stale() {
    let store = Store::with("stale");
    let done = store.test(&["--suite", "assignment3", "causality"]).exits(1);
    let failed = cases(&done, "failed");
    assert!(failed.iter().any(|name| name.contains("a client must read its own writes")), "{failed:?}");
}

fn crashes() {
    let store = Store::with("crashes-on-reshard");
    let done = store.test(&["a token from before must hold after reshards"]).exits(1);
    assert_eq!(cases(&done, "failed").len(), 1);
    let evidence = store.evidence(&done);
    done.complains("exited with code 101").complains("panicked at");
    let folder = fs::read_dir(&evidence).expect("the evidence").flatten().find(|entry| entry.path().is_dir());
    let logs = fs::read_dir(folder.expect("a failure").path()).expect("its folder").flatten();
    let logs = logs.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "log"));
    let logs: Vec<String> = logs.map(|log| fs::read_to_string(log.path()).expect("a log")).collect();
    assert!(logs.iter().any(|log| log.contains("panicked at")), "{logs:?}");
}
