//! `test` on our own image: beside a running cluster, on the running cluster, interrupted, killed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::Scenario;
use crate::stage::{Sources, Stage, docker, eventually, fetch, put};

pub(crate) const ALL: &[Scenario] = &[
    ("tests_beside_a_running_cluster_leave_it_as_it_is", beside),
    ("tests_on_the_running_cluster_leave_only_its_own_keys", attached),
    ("a_broken_cluster_is_not_tested", attached_to_a_broken_one),
    ("interrupted_tests_leave_nothing", interrupted),
    ("an_interrupted_run_of_faults_leaves_nothing", interrupted_faults),
    ("prune_removes_what_killed_tests_left", killed),
];

/// An engine that has done nothing more for so long has done all.
const SETTLED: Duration = Duration::from_secs(1);

fn stage() -> Stage {
    Stage::new("docker", Sources::Workspace, 2, 1)
}

/// Containers, networks and volumes whose project begins so.
fn objects(project: &str) -> Vec<String> {
    let format = "{{.Label \"orchestrator.project\"}}";
    let lists = [
        docker(&["ps", "--all", "--filter", "label=orchestrator.project", "--format", format]),
        docker(&["network", "ls", "--filter", "label=orchestrator.project", "--format", format]),
        docker(&["volume", "ls", "--filter", "label=orchestrator.project", "--format", format]),
    ];
    let all = lists.iter().flat_map(|list| list.lines());
    all.filter(|name| name.starts_with(project)).map(str::to_owned).collect()
}

/// The ids of the cluster's containers that run.
fn containers(stage: &Stage) -> String {
    let label = format!("label=orchestrator.project={}", stage.project);
    docker(&["ps", "--no-trunc", "--quiet", "--filter", &label])
}

/// The running cluster has its key, and no other in any of its shards.
fn has_its_data(stage: &Stage, shards: u64) {
    let ask = |path: &str| fetch(&format!("{}/{path}", stage.url(1))).expect("an answer").1;
    let body = ask("key-value-store/mine");
    assert!(body.contains("\"value\":\"kept\""), "{body}");
    let counts = (1..=shards).map(|id| {
        let body = ask(&format!("key-value-store-shard/shard-id-key-count/{id}"));
        let reply: Value = serde_json::from_str(&body).expect("an object");
        reply["shard-id-key-count"].as_u64().expect("a count")
    });
    assert_eq!(counts.sum::<u64>(), 1);
}

fn beside() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    put(&stage.url(1), "mine", "kept");
    let before = containers(&stage);
    assert_eq!(before.lines().count(), 3);
    stage.run(&["test", "--suite", "assignment3"]).exits(0).answers(" 0 failed");
    assert_eq!(containers(&stage), before);
    has_its_data(&stage, 1);
    assert!(objects(&format!("{}-test-", stage.project)).is_empty());
}

/// Beside the members there is a node without a shard, as in the class's cluster.
fn attached() {
    let stage = Stage::new("docker", Sources::Workspace, 6, 2);
    stage.run(&["up"]).exits(0);
    put(&stage.url(1), "mine", "kept");
    let done = stage.run(&["test", "--attach", "--suite", "assignment4", "--output", "json"]).exits(0);
    let result: Value = serde_json::from_str(done.stdout.trim()).expect("an object");
    assert!(result["passed"].as_u64() > Some(20) && result["skipped"] == 0, "{result}");
    has_its_data(&stage, 2);
}

fn attached_to_a_broken_one() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let (first, second) = (stage.name(1), stage.name(2));
    stage.run(&["fault", "pause", first]).exits(0);
    stage.run(&["test", "--attach"]).exits(1).complains(&format!("{first} paused")).complains("fault heal");
    stage.run(&["fault", "heal"]).exits(0);
    docker(&["kill", second]);
    stage.run(&["test", "--attach"]).exits(1).complains(&format!("{second} stopped"));
}

/// Starts tests and waits until the first of their clusters is there.
fn under_way(stage: &Stage) -> std::process::Child {
    let mut command = stage.command(&["test"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
    let prefix = format!("{}-test-", stage.project);
    eventually("the tests have started a node", || objects(&prefix).len() > 2);
    child
}

fn interrupted() {
    let stage = stage();
    let mut child = under_way(&stage);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(objects(&format!("{}-test-", stage.project)), Vec::<String>::new());
}

/// While something is broken, with whatever its schedule begins.
fn interrupted_faults() {
    let stage = stage();
    let history = stage.folder.path().join("history.jsonl");
    let mut command = stage.command(&["test", "--suite", "faults", "--history"]);
    let mut child = command.arg(&history).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let text = || std::fs::read_to_string(&history).unwrap_or_default();
    eventually("something is broken", || text().contains("\"phase\":\"begins\""));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(text().matches("\"phase\":\"begins\"").count(), text().matches("\"phase\":\"ends\"").count());
    assert_eq!(objects(&format!("{}-test-", stage.project)), Vec::<String>::new());
}

fn killed() {
    let stage = stage();
    let mut child = under_way(&stage);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(!objects(&format!("{}-test-", stage.project)).is_empty(), "what was killed left something");
    // The engine goes on for a while with what the killed run has asked for, and that comes after a first look.
    let mut empty_since = None;
    eventually("prune has found nothing any more for a while", || {
        stage.run(&["prune", "--yes", "-p", &stage.project]).exits(0);
        let is_empty = objects(&stage.project).is_empty();
        empty_since = empty_since.filter(|_| is_empty).or_else(|| is_empty.then(Instant::now));
        empty_since.is_some_and(|since| since.elapsed() > SETTLED)
    });
}
