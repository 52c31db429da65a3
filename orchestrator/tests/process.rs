//! A cluster as processes on this machine, from `up` to `down`. Needs no engine.

mod stage;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use stage::{CRASHER, SLEEPER, Sources, Stage, eventually, fetch, free_port, put, run, status_json, status_of, urls};

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
    stage.run(&["--image", "anyones", "up"]).exits(2).complains("--image needs containers");
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
    stage.run(&["fault", "heal"]).exits(1).complains("no node of project");
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
    asked.complains("whether to remove all of this, 5 volumes with data among it").complains(&stage.project);
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
    let out = format!("orchestrator down -v -p {} {name}", stage.project);
    let done = stage.run(&["up"]).exits(6).complains(&format!("data of the node at 127.0.0.1:{old}")).complains(&out);
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
fn a_variable_that_the_node_refuses_is_told_in_its_own_words() {
    let stage = Stage::new("process", Sources::Workspace, 2, 1);
    stage.write("cluster.yaml", &format!("env: {{ LOG_LEVEL: '[' }}\n{}", stage.file(1)));
    stage.run(&["up"]).exits(1).complains(stage.name(1)).complains("LOG_LEVEL");
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
    stage.run(&["fault", "pause", second]).exits(1).complains(&format!("`orchestrator fault start {second}` first"));
    stage.run(&["fault", "start", third]).exits(0).answers(&format!("started {third}"));
    stage.run(&["fault", "heal"]).exits(0).answers(&format!("resumed {first}; started {second}"));
    stage.run(&["fault", "heal"]).exits(0).answers("nothing to do");
    assert!(data(second).join("kept").exists());
    stage.run(&["up"]).exits(0).answers("up to date");

    stage.run(&["fault", "stop", &format!("{first}x")]).exits(2).complains(&format!("did you mean {first}?"));
    for fault in [&["partition", first, second][..], &["isolate", first]] {
        let done = stage.run(&[&["fault"], fault].concat()).exits(2);
        done.complains("processes share one network and cannot be partitioned; use --runtime docker");
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
    stage.run(&["add", &new, "--shard", "9"]).exits(2).complains("there is no shard 9; there are 1, 2");
    stage.run(&["add", &new]).exits(0).answers("shard 2");
    stage.run(&["reshard", "4"]).exits(1).complains("Not enough nodes");
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
    stage.run(&["status"]).exits(1).complains(&format!("{} does not run", stage.name(1)));
    stage.run(&["up"]).exits(0).complains(&format!("{}: started", stage.name(1)));
    stage.run(&["status"]).exits(0);
}

#[test]
fn a_taken_port_is_told_before_anything_starts() {
    let stage = stage();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", stage.nodes[2].port)).expect("the port");
    let free_with = format!("kill {}", std::process::id());
    stage
        .run(&["up"])
        .exits(6)
        .complains(&format!("port {} of {}", stage.nodes[2].port, stage.name(3)))
        .complains(&free_with);
    assert_eq!(status_of(&stage.url(1)), None);
}

#[test]
fn a_node_that_ends_at_once_fails_the_command_with_its_last_words() {
    let stage = Stage::new("process", CRASHER, 1, 1);
    let up = stage.run(&["up"]).exits(1).complains(stage.name(1)).complains("I cannot live here");
    let evidence = stage.evidence(&up);
    let read = |name: &str| std::fs::read_to_string(evidence.join(name)).expect(name);
    for number in [1, 2] {
        assert!(read(&format!("{}.log", stage.name(number))).contains("I cannot live here"));
    }
    assert!(read("failure.txt").contains("while it was waited for"));
    let start = format!("done      start {}, because the node is missing\n", stage.name(1));
    assert!(read("plan.txt").contains(&start), "{}", read("plan.txt"));
    let run: Value = serde_json::from_str(&read("run.json")).expect("JSON");
    assert_eq!((&run["project"], &run["runtime"]), (&stage.project.as_str().into(), &"process".into()));
    // What is wrong before anything is tried leaves nothing.
    std::fs::remove_dir_all(stage.folder.path().join("evidence")).expect("the folder");
    stage.run(&["up", "nobody"]).exits(2);
    assert!(!stage.folder.path().join("evidence").exists());
}

#[test]
fn a_node_that_ends_while_it_is_waited_for_fails_the_command_with_its_exit_code() {
    let main = "fn main() { std::thread::sleep(std::time::Duration::from_secs(1)); std::process::exit(3) }";
    let stage = Stage::new("process", Sources::StandIn(main), 1, 1);
    stage.run(&["up"]).exits(1).complains("exited with code 3 while it was waited for");
}

#[test]
fn a_wait_that_passes_its_deadline_names_node_condition_and_log() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    stage
        .run(&["--timeout", "700ms", "up"])
        .exits(7)
        .complains("does not get to the point where it answers within 0.7 s")
        .complains("last seen: connection refused")
        .complains("the last lines of")
        .complains("  asleep");
    // What was started is left for a look at it, and the next command converges.
    stage.run(&["down"]).exits(0).answers("removed 2 nodes");
}

#[test]
fn the_last_logs_of_a_cluster_stay_when_it_is_removed() {
    let stage = Stage::new("process", Sources::Workspace, 2, 1);
    let kept = format!("note: project {} has no node; these are the last logs", stage.project);
    let [first, second] = [1, 2].map(|number| stage.name(number));
    assert_eq!(stage.run(&["logs"]).exits(0).stdout, "");
    stage.run(&["up"]).exits(0);
    let before = stage.run(&["logs", second]).exits(0);
    assert!(!before.stderr.contains(&kept), "{}", before.stderr);
    stage.run(&["down"]).exits(0);
    let after = stage.run(&["logs", second]).exits(0).complains(&kept);
    // It has stopped since, and said so.
    assert!(after.stdout.starts_with(&before.stdout) && after.stdout != before.stdout, "{}", after.stdout);
    let all = stage.run(&["logs"]).exits(0).answers(first).answers(second).answers(stage.name(3));
    assert!(all.stdout.lines().count() > after.stdout.lines().count());
    assert_eq!(stage.run(&["logs", "--tail", "1", first]).exits(0).stdout.lines().count(), 1);
    stage.run(&["logs", &format!("{first}x")]).exits(2).complains("did you mean");

    // The data goes, the logs stay until there are others or somebody cleans up.
    stage.run(&["down", "-v"]).exits(0).answers("removed 3 volumes");
    assert_eq!(stage.run(&["logs", second]).exits(0).stdout, after.stdout);
    stage.run(&["up", first]).exits(0);
    assert!(!stage.run(&["logs"]).exits(0).stderr.contains(&kept));
    stage.run(&["down", "-v"]).exits(0);
    let replaced = stage.run(&["logs"]).exits(0).complains(&kept).answers(first);
    assert!(!replaced.stdout.contains(second), "{}", replaced.stdout);
    stage.run(&["-p", &stage.project, "prune", "--yes"]).exits(0).answers("removed the logs of 1 cluster\n");
    assert_eq!(stage.run(&["logs"]).exits(0).stdout, "");
}

#[test]
fn an_interrupt_undoes_what_this_run_started() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let up = endless_up(&stage);
    interrupt(&up);
    assert_eq!(code(up), Some(130));
    stage.run(&["down", "-v"]).exits(0).answers("nothing to do");
}

/// An `up` of nodes that run and never answer.
fn endless_up(stage: &Stage) -> Child {
    let up = stage.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a start");
    eventually("the nodes run", || status_json(stage).len() == stage.nodes.len());
    up
}

fn interrupt(command: &Child) {
    kill(Pid::from_raw(i32::try_from(command.id()).expect("a pid")), Signal::SIGINT).expect("a signal");
}

fn code(mut command: Child) -> Option<i32> {
    command.wait().expect("an end").code()
}

#[test]
fn a_cluster_is_changed_by_one_orchestrator_at_a_time() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let up = endless_up(&stage);
    let held = format!("project {} is being changed by `orchestrator up` (process {}, since", stage.project, up.id());
    for command in [
        &["up"][..],
        &["down", "-v"],
        &["clean"],
        &["subnet"],
        &["node", stage.name(1)],
        &["ungrouped"],
        &["add", stage.name(1)],
        &["reshard", "1"],
        &["fault", "kill", stage.name(1)],
        &["-p", &stage.project, "prune", "--yes"],
    ] {
        stage.run(command).exits(6).complains(&held).complains("UTC); wait for it, or use --wait");
    }
    assert_eq!(status_json(&stage).len(), 2);
    for command in [&["logs"][..], &["fault", "list"], &["validate"], &["-p", "another", "down"]] {
        stage.run(command).exits(0);
    }
    let late = stage.run(&["--wait", "--timeout", "200ms", "down"]).exits(7);
    late.complains(&format!("note: {held}")).complains("UTC), still after 0.2 s");

    // Who waits is told for whom, and may give up.
    let patient = || {
        let mut down = stage.command(&["--wait", "down"]);
        let mut down = down.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
        let mut told = String::new();
        BufReader::new(down.stderr.take().expect("its words")).read_line(&mut told).expect("a line");
        assert!(told.contains(&held), "{told}");
        down
    };
    let down = patient();
    interrupt(&down);
    assert_eq!(code(down), Some(130));
    let down = patient();
    interrupt(&up);
    assert_eq!(code(up), Some(130));
    assert_eq!(code(down), Some(0));
}

#[test]
fn whoever_is_killed_holds_nothing_any_more() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let mut up = endless_up(&stage);
    up.kill().expect("a kill");
    up.wait().expect("an end");
    let killed = format!("note: `orchestrator up` (process {}, since ", up.id());
    stage.run(&["down"]).exits(0).answers("removed 2 nodes").complains(&killed).complains("was killed; waiting until");
    assert!(!stage.run(&["down"]).exits(0).stderr.contains("was killed"));
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
