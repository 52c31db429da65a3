//! Nodes that are broken, cut off from each other, and mended again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Scenario;
use crate::clients::measured;
use crate::stage::{Done, Sources, Stage, docker, eventually, fetch, status_json};

pub(crate) const ALL: &[Scenario] = &[
    ("a_one_way_cut_lets_the_other_way_through", one_way),
    ("a_node_that_starts_again_is_still_cut", starts_again),
    ("faults_add_up_until_they_are_healed", add_up),
    ("a_broken_life_is_mended", lives),
    ("down_and_prune_leave_no_barrier", removal),
    ("what_a_killed_run_left_half_way_is_healed", killed_half_way),
];

/// Those that measure.
pub(crate) const TIMED: &[Scenario] = &[("a_partition_splits_the_views_and_healing_joins_them", partition)];

/// From the command's end until all views are right.
const VIEW_LIMIT: Duration = Duration::from_secs(5);

/// Four nodes in two shards, and one in none; running.
fn up() -> Stage {
    let stage = Stage::new("docker", Sources::Workspace, 4, 2);
    stage.run(&["up"]).exits(0);
    stage
}

fn fault(stage: &Stage, words: &[&str]) -> Done {
    stage.run(&[&["fault"], words].concat())
}

fn view(stage: &Stage, number: usize) -> BTreeSet<String> {
    let (status, body) = fetch(&format!("{}/key-value-store-view", stage.url(number))).expect("an answer");
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    body["view"].as_str().expect("a view").split(',').map(str::to_owned).collect()
}

/// Until each of these nodes sees exactly these; how long it took.
fn sees_only(stage: &Stage, groups: &[&[usize]]) -> Duration {
    let start = Instant::now();
    for group in groups {
        let expected = group.iter().map(|number| format!("{}:8080", stage.nodes[number - 1].address)).collect();
        for number in *group {
            eventually("the view is right", || view(stage, *number) == expected);
        }
    }
    start.elapsed()
}

fn barrier(stage: &Stage, number: usize) -> String {
    format!("{}-{}-barrier", stage.project, stage.name(number))
}

fn barriers(stage: &Stage) -> String {
    let label = format!("label=orchestrator.project={}", stage.project);
    docker(&["ps", "--all", "--no-trunc", "--quiet", "--filter", &label, "--filter", "label=orchestrator.barrier"])
}

/// What the node's barrier said last: whom it cuts off, and whom it hears.
fn said(stage: &Stage, number: usize, field: &str) -> Value {
    let line = docker(&["logs", "--tail", "1", &barrier(stage, number)]);
    serde_json::from_str::<Value>(&line).expect("JSON")[field].take()
}

fn addresses(stage: &Stage, numbers: &[usize]) -> Value {
    numbers.iter().map(|number| stage.nodes[number - 1].address.as_str()).collect()
}

fn partition() {
    let stage = up();
    let names: Vec<&str> = (1..=5).map(|number| stage.name(number)).collect();
    let groups = format!("{},{},{} / {},{}", names[0], names[1], names[4], names[2], names[3]);
    // The first builds the barrier's image.
    fault(&stage, &["partition", names[0], names[1]]).exits(0);
    fault(&stage, &["heal"]).exits(0).answers("unmade 2 cuts");
    assert_eq!(barriers(&stage), "");

    let start = Instant::now();
    fault(&stage, &["partition", &groups]).exits(0).answers(&format!("{} ↮ {}", names[0], names[2]));
    let cut = start.elapsed();
    let split = sees_only(&stage, &[&[1, 2, 5], &[3, 4]]);
    assert!(split <= VIEW_LIMIT, "the views are split after {split:?}");
    let status = stage.run(&["status"]).exits(1);
    status.answers(&format!("cut from {}, {}, {}", names[0], names[1], names[4]));

    let start = Instant::now();
    fault(&stage, &["heal"]).exits(0).answers("unmade 12 cuts");
    let heal = start.elapsed();
    let joined = sees_only(&stage, &[&[1, 2, 3, 4, 5]]);
    assert!(joined <= VIEW_LIMIT, "the views are joined after {joined:?}");
    stage.run(&["up"]).exits(0).answers("up to date");
    measured(&format!(
        "partition of 5 nodes: cut and proven in {cut:.1?}, views split after {split:.1?}; \
         healed and proven in {heal:.1?}, views joined after {joined:.1?}"
    ));
}

fn one_way() {
    let stage = up();
    let [first, second] = [1, 2].map(|number| stage.name(number));
    fault(&stage, &["partition", "--one-way", first, second]).exits(0).answers(&format!("{first} ↛ {second}"));
    assert_eq!(said(&stage, 1, "cuts"), addresses(&stage, &[2]));
    assert_eq!(said(&stage, 1, "heard"), addresses(&stage, &[2]));
    assert_eq!(said(&stage, 2, "heard"), addresses(&stage, &[]));
    let nodes = status_json(&stage);
    assert_eq!(nodes[first]["faults"], Value::from(vec![format!("does not reach {second}")]));
    assert_eq!(nodes[second]["faults"], Value::from(vec![format!("not reached by {first}")]));
    // The host reaches both.
    assert_eq!([1, 2].map(|number| view(&stage, number).is_empty()), [false, false]);
}

fn starts_again() {
    let stage = up();
    let [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(|number| stage.name(number));
    let others = format!("{second},{fourth},{fifth}");
    fault(&stage, &["partition", first, &others]).exits(0);
    fault(&stage, &["partition", "--one-way", first, third]).exits(0);
    sees_only(&stage, &[&[1], &[2, 3, 4, 5]]);
    for end in ["stop", "kill", "wipe"] {
        fault(&stage, &[end, first]).exits(0);
        fault(&stage, &["start", first]).exits(0).answers(&format!("started {first}"));
        // A barrier that was left in the namespace of before would hear nobody.
        assert_eq!(said(&stage, 1, "heard"), addresses(&stage, &[3]), "after {end}");
        assert_eq!(said(&stage, 1, "cuts"), addresses(&stage, &[2, 3, 4, 5]), "after {end}");
        assert_eq!(said(&stage, 3, "heard"), addresses(&stage, &[2, 4, 5]), "after {end}");
        sees_only(&stage, &[&[1], &[2, 3, 4, 5]]);
    }
    // By Docker's own means the cut is lost, which is told, and `up` makes it again.
    docker(&["restart", first]);
    fault(&stage, &["list"]).exits(0).complains(&format!("{first} was started by other means"));
    stage.run(&["up"]).exits(0).answers("up to date");
    assert_eq!(fault(&stage, &["list"]).exits(0).stderr, "");
    assert_eq!(said(&stage, 1, "heard"), addresses(&stage, &[3]));
    // Also one that did not run when it was cut, and that `up` starts.
    fault(&stage, &["heal"]).exits(0);
    fault(&stage, &["kill", first, second]).exits(0);
    fault(&stage, &["partition", &format!("{first}/{second}/{third}")]).exits(0);
    let cuts = format!("{first} ↮ {second}, {first} ↮ {third}, {second} ↮ {third}");
    stage.run(&["up"]).exits(0).complains(&format!("the cluster is partitioned ({cuts})"));
    for number in 1..=3 {
        assert_eq!(said(&stage, number, "heard"), addresses(&stage, &[]));
    }
    assert_eq!(said(&stage, 1, "cuts"), addresses(&stage, &[2, 3]));
}

fn add_up() {
    let stage = up();
    let [first, second, third] = [1, 2, 3].map(|number| stage.name(number));
    fault(&stage, &["partition", first, second]).exits(0);
    let before = barriers(&stage);
    fault(&stage, &["partition", first, second]).exits(0);
    assert_eq!(barriers(&stage), before, "the same again makes nothing anew");
    fault(&stage, &["partition", "--one-way", first, third]).exits(0);
    let both = format!("{first} ↮ {second}\n{first} ↛ {third}");
    fault(&stage, &["list"]).exits(0).answers(&both);
    assert_eq!(said(&stage, 1, "heard"), addresses(&stage, &[3]));
    assert_eq!(said(&stage, 2, "heard"), addresses(&stage, &[3]));
    assert_eq!(said(&stage, 3, "heard"), addresses(&stage, &[2]));
    fault(&stage, &["heal"]).exits(0).answers("unmade 3 cuts");
    fault(&stage, &["heal"]).exits(0).answers("nothing to do");
    fault(&stage, &["list"]).exits(0).answers("no faults");
    assert_eq!(barriers(&stage), "");
    sees_only(&stage, &[&[1, 2, 3, 4, 5]]);
}

fn lives() {
    let stage = up();
    let [first, second, third] = [1, 2, 3].map(|number| stage.name(number));
    let created = |number| docker(&["inspect", "--format", "{{.Created}}", stage.name(number)]);
    let (killed, wiped) = (created(2), created(3));
    fault(&stage, &["pause", first]).exits(0);
    fault(&stage, &["kill", second]).exits(0);
    fault(&stage, &["wipe", third]).exits(0).answers(&format!("wiped {third}"));
    fault(&stage, &["list"]).exits(0).answers(&format!("{first} paused\n{second} stopped\n{third} stopped"));
    fault(&stage, &["start", first]).exits(1).complains(&format!("`orchestrator fault resume {first}` first"));
    fault(&stage, &["isolate", first]).exits(0);
    let healed = fault(&stage, &["heal"]).exits(0);
    healed.answers(&format!("unmade 8 cuts; resumed {first}; started {second}, {third}"));
    sees_only(&stage, &[&[1, 2, 3, 4, 5]]);
    assert_eq!(created(2), killed, "the same container");
    assert_ne!(created(3), wiped, "a new container");
    stage.run(&["up"]).exits(0).answers("up to date");
}

fn removal() {
    let stage = up();
    let [first, second] = [1, 2].map(|number| stage.name(number));
    fault(&stage, &["partition", first, second]).exits(0);
    fault(&stage, &["pause", first]).exits(0);
    fault(&stage, &["kill", second]).exits(0);
    stage.run(&["down", "-v"]).exits(0).answers("removed 5 nodes, 2 barriers, 1 network, 5 volumes");
    assert_eq!(barriers(&stage), "");
    stage.run(&["down"]).exits(0).answers("nothing to do\n");

    stage.run(&["up", first, second]).exits(0);
    fault(&stage, &["isolate", first]).exits(0);
    docker(&["rm", "--force", "--volumes", first, second]);
    stage.run(&["-p", &stage.project, "prune", "--yes"]).exits(0).answers("removed 2 barriers, 1 network");
    assert_eq!(barriers(&stage), "");
}

fn killed_half_way() {
    let stage = up();
    let [first, second] = [1, 2].map(|number| stage.name(number));
    let mut cut = stage.command(&["-q", "fault", "isolate", first]).spawn().expect("a start");
    eventually("a barrier is there", || !barriers(&stage).is_empty());
    cut.kill().expect("a kill");
    cut.wait().expect("an end");
    fault(&stage, &["partition", first, second]).exits(0);
    fault(&stage, &["heal"]).exits(0);
    assert_eq!(barriers(&stage), "");
    sees_only(&stage, &[&[1, 2, 3, 4, 5]]);
}
