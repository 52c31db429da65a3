//! A cluster as processes on this machine, from `up` to `down`. Needs no engine.

mod bench;
mod evidence;
mod hold;
mod refusals;
#[path = "../stage/mod.rs"]
mod stage;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use stage::{SLEEPER, Sources, Stage, eventually, fetch, free_port, put, run, status_json, status_of, urls};

fn stage() -> Stage {
    Stage::new("process", Sources::Workspace, 4, 2)
}

#[test]
fn up_starts_all_nodes_and_a_second_time_nothing() {
    let stage = stage();
    let first = stage.run(&["up"]).exits(0).answers(&stage.url(1)).answers(&stage.url(5));
    assert!(!first.stdout.contains("up to date"), "{}", first.stdout);
    let (status, view) = fetch(&format!("{}/key-value-store-view", stage.url(1))).expect("an answer");
    assert_eq!(status, 200);
    for node in &stage.nodes {
        assert!(view.contains(&format!("127.0.0.1:{}", node.port)), "{view}");
    }
    stage.run(&["up"]).exits(0).answers("up to date");
    let nodes = status_json(&stage);
    assert_eq!(nodes.len(), 5);
    assert_eq!(nodes[stage.name(5)]["shard"], Value::Null);
    assert!(nodes[stage.name(1)]["shard"].is_string());
    stage.run(&["status"]).exits(0).answers("agrees (5)");
    stage.run(&["logs", stage.name(2)]).exits(0).answers(stage.name(2));
    let kept = "data kept: 5 volumes; remove with: orchestrator down -v\n";
    stage.run(&["down"]).exits(0).answers(&format!("removed 5 nodes\n{kept}"));
    assert_eq!(status_of(&stage.url(1)), None);
    stage.run(&["down"]).exits(0).answers(&format!("nothing to do\n{kept}"));
}

#[test]
fn without_sources_a_process_is_the_node_inside_the_tool() {
    let stage = Stage::new("process", Sources::Foreign, 2, 1);
    stage.run(&["up"]).exits(0).answers(&stage.url(3));
    put(&stage.url(1), "key", "value");
    stage.run(&["up"]).exits(0).answers("up to date");
    stage.run(&["down", "-v"]).exits(0).answers("removed 3 nodes, 3 volumes");
    stage.run(&["--image", "anyones", "up"]).exits(2).reads("image-of-processes");
}

#[test]
fn cargo_is_asked_only_when_something_has_changed() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let without_cargo = || run(stage.command(&["build"]).env("PATH", ""));
    // At the first time cargo itself changes something: it writes Cargo.lock.
    stage.run(&["build"]).exits(0);
    stage.run(&["build"]).exits(0);
    without_cargo().exits(0).answers("up to date");
    stage.write("src/main.rs", "fn main() { println!(\"another\") }");
    without_cargo().exits(5).reads("cargo-missing");
    stage.run(&["build"]).exits(0);
    without_cargo().exits(0).answers("up to date");
    let built = std::process::Command::new(stage.folder.path().join("target/release/node")).output().expect("it runs");
    assert_eq!(built.stdout, b"another\n");
}

#[test]
fn data_stays_until_it_is_asked_for() {
    let stage = stage();
    let [first, second] = [1, 2].map(|number| stage.name(number));
    let projects = stage.folder.path().join("state/orchestrator");
    let kept = |name: &str| projects.join(&stage.project).join(name).join("data/kept");
    stage.run(&["up"]).exits(0);
    for name in [first, second] {
        std::fs::write(kept(name), "").expect("a file");
    }
    // One that ended before is removed like the others.
    stage.run(&["fault", "kill", first]).exits(0);
    stage.run(&["down"]).exits(0).answers("removed 5 nodes\n");
    stage.run(&["status"]).exits(1).complains("`orchestrator up` starts them with the data of 5 volumes");
    stage.run(&["fault", "heal"]).exits(1).reads("fault-without-nodes");
    stage.run(&["up"]).exits(0);
    assert!(kept(first).exists() && kept(second).exists());

    let one = format!("removed 1 node\ndata kept: 1 volume; remove with: orchestrator down -v {second}\n");
    stage.run(&["down", second]).exits(0).answers(&one);
    assert!(kept(second).exists());
    stage.run(&["down", "-v", second]).exits(0).answers("removed 1 volume\n");
    assert!(!kept(second).exists());
    stage.run(&["up"]).exits(0);
    assert!(kept(first).exists() && !kept(second).exists());

    stage.run(&["down"]).exits(0);
    let asked = stage.run(&["-p", &stage.project, "prune"]).exits(2);
    asked.reads("prune-question");
    stage.run(&["down", "-v"]).exits(0).answers("removed 5 volumes\n");
    assert!(!projects.join(&stage.project).exists());
    stage.run(&["down"]).exits(0).answers("nothing to do\n");
}

#[test]
fn data_of_another_address_is_a_conflict_with_the_way_out() {
    let mut stage = stage();
    stage.run(&["up"]).exits(0);
    stage.run(&["down"]).exits(0);
    let (name, old) = (stage.name(2).to_owned(), stage.nodes[1].port);
    stage.nodes[1].port = free_port();
    stage.write("cluster.yaml", &stage.file(2));
    let owner = format!("data of the node at 127.0.0.1:{old}");
    let done = stage.run(&["up"]).exits(6).complains(&owner).reads("conflict-data-of-process");
    assert!(!done.stderr.contains("started"), "{}", done.stderr);
    stage.run(&["down", "-v", "-p", &stage.project, &name]).exits(0).answers("removed 1 volume\n");
    stage.run(&["up", &name]).exits(0);
}

#[test]
fn the_secret_reaches_every_node_and_nothing_prints_it() {
    let stage = Stage::new("process", Sources::Workspace, 2, 1);
    let secret = |secret: &str| stage.write("cluster.yaml", &format!("secret: {secret}\n{}", stage.file(1)));
    secret("hush-one");
    let run = |arguments: &[&str]| {
        let done = stage.run(arguments).exits(0);
        assert!(!done.stdout.contains("hush") && !done.stderr.contains("hush"), "{done:?}");
        done
    };
    run(&["--output", "json", "up"]);
    run(&["up"]).answers("up to date");
    run(&["--output", "json", "status"]);
    let environment = |number: usize| {
        let port = stage.nodes[number].port;
        let listener = listeners::get_process_by_port(port, listeners::Protocol::TCP).expect("the node");
        let text = std::fs::read_to_string(format!("/proc/{}/environ", listener.pid)).expect("its environment");
        text.split('\0').filter(|line| line.contains("hush")).map(str::to_owned).collect::<Vec<_>>()
    };
    for number in 0..3 {
        assert_eq!(environment(number), ["CLUSTER_SECRET=hush-one"]);
    }
    secret("hush-two");
    let changed = run(&["-v", "up"]);
    assert_eq!(changed.stderr.matches("because secret differs").count(), 9, "{}", changed.stderr);
    assert_eq!(environment(0), ["CLUSTER_SECRET=hush-two"]);
    run(&["down"]);
}

#[test]
fn events_tell_since_the_start_how_long_a_node_took() {
    let stage = stage();
    let up = stage.run(&["--output", "json", "up"]).exits(0).complains("data folder created");
    let events: Vec<Value> = up.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let took = |event: &str, node: &str| {
        let found = events.iter().find(|found| found["event"] == event && found["node"] == node);
        found.and_then(|found| found["ms"].as_u64()).expect("a time")
    };
    for node in &stage.nodes {
        assert!(took("node.ready", &node.name) >= took("node.started", &node.name), "{}", up.stderr);
    }
    // Nobody knows of a node that was there already.
    let again = stage.run(&["--output", "json", "up"]).exits(0).complains("node.ready");
    assert!(!again.stderr.contains("\"ms\""), "{}", again.stderr);
}

#[test]
fn processes_are_broken_and_mended_but_not_partitioned() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let [first, second, third] = [1, 2, 3].map(|number| stage.name(number));
    let data = |name: &str| stage.folder.path().join("state/orchestrator").join(&stage.project).join(name).join("data");
    for name in [first, second] {
        std::fs::write(data(name).join("kept"), "").expect("a file");
    }
    stage.run(&["fault", "list"]).exits(0).answers("no faults");
    stage.run(&["fault", "pause", first]).exits(0).answers(&format!("paused {first}"));
    stage.run(&["fault", "pause", first]).exits(0).answers("nothing to do");
    stage.run(&["fault", "kill", second]).exits(0).answers(&format!("killed {second}"));
    assert_eq!(status_of(&stage.url(2)), None);
    stage.run(&["fault", "wipe", third]).exits(0).answers(&format!("wiped {third}"));
    stage.run(&["fault", "list"]).exits(0).answers(&format!("{first} paused\n{second} stopped\n{third} stopped"));
    stage.run(&["fault", "pause", second]).exits(1).reads("fault-needs-a-start");
    stage.run(&["fault", "start", third]).exits(0).answers(&format!("started {third}"));
    stage.run(&["fault", "heal"]).exits(0).answers(&format!("resumed {first}; started {second}"));
    stage.run(&["fault", "heal"]).exits(0).answers("nothing to do");
    assert!(data(second).join("kept").exists());
    stage.run(&["up"]).exits(0).answers("up to date");

    stage.run(&["fault", "stop", &format!("{first}x")]).exits(2).reads("fault-unknown-node");
    for fault in [&["partition", first, second][..], &["isolate", first]] {
        stage.run(&[&["fault"], fault].concat()).exits(2).reads("fault-partition-of-processes");
    }
    stage.run(&["fault", "pause", first]).exits(0);
    stage.run(&["down"]).exits(0).answers("removed 5 nodes");
}

#[test]
fn add_and_reshard_change_the_running_cluster() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    stage.run(&["add", stage.name(5), "--shard", "1"]).exits(0).answers("shard 1");
    stage.run(&["add", stage.name(5)]).exits(0).answers("up to date");
    let new = format!("{}-node6", stage.project);
    stage.run(&["add", &new, "--shard", "9"]).exits(2).reads("add-to-no-shard");
    stage.run(&["add", &new]).exits(0).answers("shard 2");
    stage.run(&["reshard", "4"]).exits(1).reads("reshard-refused");
    stage.run(&["reshard", "3"]).exits(0).answers("after:  shard 1");
    let shards: std::collections::BTreeSet<String> =
        status_json(&stage).values().map(|node| node["shard"].to_string()).collect();
    assert_eq!(shards.len(), 3, "{shards:?}");
    stage
        .run(&["up"])
        .exits(0)
        .complains(&format!("{new} is running but not in the file"))
        .complains("`orchestrator reshard 2`");
    stage.run(&["down"]).exits(0).answers("removed 6 nodes");
}

#[test]
fn a_node_that_was_killed_is_started_again() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let listener = listeners::get_process_by_port(stage.nodes[0].port, listeners::Protocol::TCP).expect("the node");
    let pid = Pid::from_raw(i32::try_from(listener.pid).expect("a pid"));
    kill(pid, Signal::SIGKILL).expect("a kill");
    eventually("the node is gone", || status_of(&stage.url(1)).is_none());
    stage.run(&["status"]).exits(1).reads("status-of-a-process-gone");
    stage.run(&["up"]).exits(0).complains(&format!("{}: started", stage.name(1)));
    stage.run(&["status"]).exits(0);
}

#[test]
fn a_taken_port_is_told_before_anything_starts() {
    let stage = stage();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", stage.nodes[2].port)).expect("the port");
    let free_with = format!("kill {}", std::process::id());
    stage.run(&["up"]).exits(6).complains(&free_with).reads("conflict-port-of-process");
    assert_eq!(status_of(&stage.url(1)), None);
}

#[test]
fn isolated_clusters_of_one_file_do_not_touch_each_other() {
    let mut stage = Stage::new("process", Sources::Workspace, 2, 1);
    let projects = ["a", "b"].map(|suffix| stage.beside(suffix));
    let up = |project: &str, nodes: &[&str]| {
        stage.run(&[&["--isolate", "-p", project, "--output", "json", "up"], nodes].concat()).exits(0)
    };
    // Who comes later takes the ports that the first was told of.
    up(&projects[0], &[stage.name(2)]);
    let [first, second] = projects.each_ref().map(|project| urls(&up(project, &[])));
    assert!(first.iter().all(|url| !second.contains(url)), "{first:?} {second:?}");
    assert_eq!(urls(&up(&projects[0], &[]).answers("\"changed\":false")), first);
    stage.run(&["--isolate", "-p", &projects[0], "status"]).exits(0).answers("agrees (3)");
    let kept = format!("data kept: 3 volumes; remove with: orchestrator down -v -p {}\n", projects[0]);
    stage.run(&["--isolate", "-p", &projects[0], "down"]).exits(0).answers(&format!("removed 3 nodes\n{kept}"));
    assert_eq!(status_of(&first[0]), None);
    // Its data brings it back to its place, where alone it can go on.
    assert_eq!(urls(&up(&projects[0], &[])), first);
    stage.run(&["--isolate", "-p", &projects[0], "down", "-v"]).exits(0).answers("removed 3 nodes, 3 volumes\n");
    stage.run(&["--isolate", "-p", &projects[1], "status"]).exits(0).answers("agrees (3)");
}

#[test]
fn a_run_of_faults_says_what_it_left_out_and_writes_a_whole_history() {
    let stage = stage();
    let history = stage.folder.path().join("history.jsonl");
    let mut command = stage.command(&["test", "--suite", "faults", "--seconds", "5", "--history"]);
    run(command.arg(&history))
        .exits(0)
        .answers("nothing found")
        .answers("skipped: partition, one-way, bridge, isolate");
    let text = std::fs::read_to_string(&history).expect("a history");
    assert!(text.lines().last().is_some_and(|line| line.contains("\"type\":\"end\"")), "{text}");
    assert!(!stage.folder.path().join("evidence").exists());
}
