//! Up, again, add, reshard: with the real node.

use std::process::Stdio;

use serde_json::Value;

use crate::Scenario;
use crate::stage::{CRASHER, HALF, SLEEPER, Sources, Stage, docker, eventually, fetch, put, status_json, status_of};

pub(crate) const ALL: &[Scenario] = &[
    ("up_starts_all_nodes_and_a_second_time_nothing", up_is_idempotent),
    ("up_does_exactly_what_plan_says_and_plan_nothing", plan_is_exact),
    ("down_keeps_every_key_and_down_v_none", data),
    ("a_container_is_locked_down", locked_down),
    ("up_changes_only_what_differs", only_differences),
    ("add_and_reshard_change_the_running_cluster", add_and_reshard),
    ("the_commands_of_the_makefile_in_their_order", makefile_order),
    ("a_node_that_ends_at_once_fails_the_command_with_its_last_words", last_words),
    ("a_wait_that_passes_its_deadline_names_node_condition_and_log", not_ready),
    ("a_load_under_which_a_node_ends_leaves_evidence", bench),
    ("an_image_that_is_not_there_is_told_with_the_way_to_it", missing_image),
    ("an_image_that_cannot_be_built_is_told_in_the_engines_words", failing_build),
    ("a_cluster_that_is_being_changed_is_changed_by_nobody_else", held),
    ("the_last_logs_of_a_cluster_stay_when_it_is_removed", logs_after_down),
    ("what_a_killed_run_left_half_way_is_completed", killed_half_way),
    ("an_interrupt_undoes_what_this_run_created", interrupt),
];

fn stage() -> Stage {
    Stage::new("docker", Sources::Workspace, 4, 2)
}

fn up_is_idempotent() {
    let stage = stage();
    let first = stage.run(&["up"]).exits(0).answers(&stage.url(1)).answers(&stage.url(5));
    assert!(!first.stdout.contains("up to date"), "{}", first.stdout);
    let container = docker(&["inspect", "--format", "{{.Id}}", stage.name(1)]);
    let (status, view) = fetch(&format!("{}/key-value-store-view", stage.url(1))).expect("an answer");
    assert_eq!(status, 200);
    for node in &stage.nodes {
        assert!(view.contains(&format!("{}:8080", node.address)), "{view}");
    }
    stage.run(&["up"]).exits(0).answers("up to date");
    assert_eq!(docker(&["inspect", "--format", "{{.Id}}", stage.name(1)]), container);
    let nodes = status_json(&stage);
    assert_eq!(nodes.len(), 5);
    assert_eq!(nodes[stage.name(5)]["shard"], Value::Null);
    stage.run(&["status"]).exits(0).answers("agrees (5)");
    stage.run(&["logs", "--tail", "1", stage.name(2)]).exits(0).answers(stage.name(2));
    let left = |kind: &[&str]| docker(&[kind, &["--filter", &format!("name={}", stage.project), "--quiet"]].concat());
    let since = docker(&["info", "--format", "{{.SystemTime}}"]);
    stage.run(&["down", "-v"]).exits(0).answers("removed 5 nodes, 1 network, 5 volumes");
    let until = docker(&["info", "--format", "{{.SystemTime}}"]);
    let label = format!("label=orchestrator.project={}", stage.project);
    let ends = ["events", "--since", &since, "--until", &until, "--filter", "event=die", "--filter", &label];
    let codes = docker(&[&ends[..], &["--format", "{{.Actor.Attributes.exitCode}}"]].concat());
    assert_eq!(codes.lines().collect::<Vec<_>>(), ["0"; 5], "every node ended by itself when it was asked to");
    for kind in [&["ps", "--all"][..], &["network", "ls"], &["volume", "ls"]] {
        assert_eq!(left(kind), "", "{kind:?}");
    }
    stage.run(&["down"]).exits(0).answers("nothing to do");
}

/// What is done to what, and why; in no order, since nodes come up beside each other.
fn sorted(steps: impl IntoIterator<Item = Value>) -> Vec<String> {
    let words = |step: Value| ["event", "node", "cause"].map(|field| step[field].to_string()).join(" ");
    let mut sorted: Vec<String> = steps.into_iter().map(words).collect();
    sorted.sort();
    sorted
}

fn plan_is_exact() {
    let stage = stage();
    let planned = |code: i32| {
        let done = stage.run(&["--output", "json", "plan", "--exit-code"]).exits(code);
        let result: Value = serde_json::from_str(done.stdout.trim()).expect("one object");
        sorted(result["steps"].as_array().expect("steps").clone())
    };
    let done = || {
        let done = stage.run(&["--output", "json", "up"]).exits(0);
        let events = done.stderr.lines().map(|line| serde_json::from_str::<Value>(line).expect("an object"));
        sorted(events.filter(|event| event["cause"].is_string()))
    };
    let label = format!("label=orchestrator.project={}", stage.project);
    let ids = || {
        [&["ps", "--all", "--no-trunc"][..], &["network", "ls"], &["volume", "ls"]]
            .map(|kind| docker(&[kind, &["--quiet", "--filter", &label]].concat()))
    };
    let first = planned(9);
    assert_eq!(first.len(), 1 + 3 * stage.nodes.len(), "{first:?}");
    assert_eq!(ids(), ["", "", ""]);
    assert_eq!(done(), first);
    assert!(planned(0).is_empty());
    stage.run(&["plan"]).exits(0).answers("up to date");

    docker(&["stop", stage.name(3)]);
    let changed = stage.file(2).replacen("ungrouped: false }", "ungrouped: false, env: { RUST_LOG: info } }", 1);
    stage.write("cluster.yaml", &changed);
    let before = ids();
    let second = planned(9);
    stage
        .run(&["plan"])
        .exits(0)
        .answers(&format!("start {}: the node is not running", stage.name(3)))
        .answers(&format!("remove {}: env RUST_LOG differs", stage.name(1)))
        .answers("1 node one after the other");
    assert_eq!(ids(), before);
    assert_eq!(done(), second);
}

fn data() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let keys = (0..30).map(|number| format!("key{number}"));
    for (number, key) in keys.clone().enumerate() {
        put(&stage.url(number % 5 + 1), &key, &key);
    }
    let read = |number: usize, key: &str| {
        let (status, body) = fetch(&format!("{}/key-value-store/{key}", stage.url(number))).expect("an answer");
        (status == 200).then(|| serde_json::from_str::<Value>(&body).expect("JSON")["value"].take())
    };
    stage.run(&["down"]).exits(0).answers("data kept: 5 volumes");
    stage.run(&["up"]).exits(0);
    for number in 1..=5 {
        keys.clone().for_each(|key| assert_eq!(read(number, &key), Some(Value::from(key))));
    }
    stage.run(&["down", "-v"]).exits(0);
    stage.run(&["up"]).exits(0);
    keys.for_each(|key| assert_eq!(read(1, &key), None));
}

fn locked_down() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let inspect = |format: &str| docker(&["inspect", "--format", format, stage.name(1)]);
    assert_eq!(
        inspect("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}"),
        "true [ALL] [no-new-privileges]"
    );
    assert_eq!(inspect("{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"), "268435456 256");
    assert_eq!(inspect("{{.Config.User}}"), "65532:65532");
    let published = inspect("{{json .HostConfig.PortBindings}}");
    assert_eq!(published, format!(r#"{{"8080/tcp":[{{"HostIp":"127.0.0.1","HostPort":"{}"}}]}}"#, stage.nodes[0].port));
    let pool = docker(&[
        "network",
        "inspect",
        "--format",
        "{{(index .IPAM.Config 0).IPRange}}",
        &format!("{}-net", stage.project),
    ]);
    assert_eq!(pool, stage.subnet.replace(".0/24", ".128/25"));
    // The host's port works on the container's own address too.
    let direct = format!("http://{}:{}/key-value-store-view", stage.nodes[0].address, stage.nodes[0].port);
    assert_eq!(status_of(&direct), Some(200));
}

fn only_differences() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    let id = |number: usize| docker(&["inspect", "--format", "{{.Id}}", stage.name(number)]);
    let (first, second) = (id(1), id(2));
    docker(&["stop", stage.name(3)]);
    stage.run(&["status"]).exits(1).reads("status-of-a-stopped-node");
    let changed = stage.file(1).replacen("ungrouped: false }", "ungrouped: false, env: { RUST_LOG: info } }", 1);
    stage.write("cluster.yaml", &changed);
    stage
        .run(&["-v", "up"])
        .exits(0)
        .complains(&format!("{}: created", stage.name(1)))
        .complains("because env RUST_LOG differs")
        .complains(&format!("{}: started", stage.name(3)))
        .complains("because the node is not running")
        .complains("the cluster has 2 shards, the file 1; `orchestrator reshard 1` changes that");
    assert_ne!(id(1), first);
    assert_eq!(id(2), second);
}

fn add_and_reshard() {
    let stage = stage();
    stage.run(&["up"]).exits(0);
    stage.run(&["add", stage.name(5), "--shard", "1"]).exits(0).answers("shard 1");
    stage.run(&["add", stage.name(5)]).exits(0).answers("up to date");
    let new = format!("{}-node6", stage.project);
    stage.run(&["add", &new]).exits(0).answers("shard 2");
    let nodes = status_json(&stage);
    assert_eq!(nodes[&new]["shard"], "2");
    stage.run(&["reshard", "4"]).exits(1).reads("reshard-refused");
    stage.run(&["reshard", "3"]).exits(0).answers("after:  shard 1");
    stage.run(&["up"]).exits(0).complains(&format!("{new} is running but not in the file"));
    stage.run(&["down"]).exits(0).answers("removed 6 nodes");
}

fn makefile_order() {
    let stage = stage();
    let only = ["-p", &stage.project];
    let run = |command: &[&str]| stage.run(&[&only, command].concat()).exits(0);
    run(&["prune", "--yes"]);
    // `clean` would remove the image that other scenarios use.
    run(&["down", "-v"]);
    run(&["build"]);
    run(&["subnet"]).answers(&stage.subnet);
    run(&["subnet"]).answers("up to date");
    for number in 1..=4 {
        run(&["node", stage.name(number)]).answers(&stage.url(number));
    }
    run(&["ungrouped"]).answers(&stage.url(5));
    run(&["status"]).answers("agrees (5)");
    run(&["up"]).answers("up to date");
}

fn last_words() {
    let stage = Stage::new("docker", CRASHER, 1, 1);
    let up = stage.run(&["up"]).exits(1).complains("exited with code 2").complains("I cannot live here");
    let evidence = stage.evidence(&up);
    let read = |name: &str| std::fs::read_to_string(evidence.join(name)).expect(name);
    for number in [1, 2] {
        assert!(read(&format!("{}.log", stage.name(number))).contains("I cannot live here"));
        let state: Value = serde_json::from_str(&read(&format!("{}.json", stage.name(number)))).expect("JSON");
        assert_eq!(state["State"]["ExitCode"], 2);
    }
    assert!(read("failure.txt").contains("exited with code 2"));
    let events = read("events.jsonl");
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(events.is_sorted_by_key(|event| event["at"].as_str().map(str::to_owned)), "{events:?}");
    let happened = |kind: &str, action: &str, name: &str| {
        let found = events.iter().find(|e| e["type"] == kind && e["action"] == action && e["name"] == name);
        found.unwrap_or_else(|| panic!("{kind} {action} {name} in {events:?}"))
    };
    happened("network", "create", &stage.network());
    happened("volume", "create", &format!("{}-{}", stage.project, stage.name(1)));
    happened("container", "start", stage.name(1));
    assert_eq!(happened("container", "die", stage.name(1))["attributes"]["exitCode"], "2");
    assert!(read("plan.txt").starts_with("done      build the image, because the image is missing\n"));
    let run: Value = serde_json::from_str(&read("run.json")).expect("JSON");
    assert_eq!((&run["project"], &run["runtime"]), (&stage.project.as_str().into(), &"docker".into()));
    stage.run(&["up", stage.name(1)]).exits(1).reads("node-ended");
}

fn not_ready() {
    let stage = Stage::new("docker", SLEEPER, 1, 1);
    stage.run(&["build"]).exits(0);
    let up = stage.run(&["--timeout", "700ms", "up", stage.name(1)]).exits(7);
    let transcript = std::fs::read_to_string(stage.evidence(&up).join("transcript.jsonl")).expect("transcript.jsonl");
    let asked: Value = serde_json::from_str(transcript.lines().last().expect("a line")).expect("JSON");
    assert_eq!(asked["request"], format!("GET {}/key-value-store-view", stage.url(1)));
    assert!(asked["error"].is_string(), "{asked}");
    up.reads("node-not-ready");
    // What was started is left for a look at it, and the next command converges.
    stage.kill_containers();
    stage.run(&["down", "-v"]).exits(0).answers("removed 1 node");
}

fn bench() {
    let stage = Stage::new("docker", HALF, 1, 1);
    stage.run(&["--timeout", "1s", "up", stage.name(1)]).exits(7);
    let bench = ["bench", "--connections", "1", "--seconds", "1", "--warm-up", "0", "--keys", "2", "--mix", "delete=1"];
    let done = stage.run(&bench).exits(1).reads("bench-of-a-container-that-ends");
    let read = |name: &str| std::fs::read_to_string(stage.evidence(&done).join(name)).expect(name);
    let state: Value = serde_json::from_str(&read(&format!("{}.json", stage.name(1)))).expect("JSON");
    assert_eq!(state["State"]["ExitCode"], 3);
    let events = read("events.jsonl");
    assert!(events.contains("\"die\"") && !events.contains("\"create\""), "those since it began: {events}");
    assert!(read("transcript.jsonl").contains("DELETE ") && read("run.json").contains("\"seed\": 0"));
}

fn missing_image() {
    let stage = Stage::new("docker", Sources::Foreign, 1, 1);
    stage.run(&["up"]).exits(5).reads("image-missing");
    assert_eq!(stage.objects(), "");
}

fn failing_build() {
    let stage = Stage::new("docker", SLEEPER, 1, 1);
    stage.write("Dockerfile", "FROM scratch\nCOPY gone /\n");
    stage.run(&["up"]).exits(5).complains("gone");
    assert_eq!(stage.objects(), "");
}

fn held() {
    let stage = Stage::new("docker", SLEEPER, 1, 1);
    stage.run(&["build"]).exits(0);
    let mut up = stage.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a start");
    eventually("the nodes run", || status_json(&stage).len() == stage.nodes.len());
    for command in [&["up"][..], &["down", "-v"], &["fault", "kill", stage.name(1)]] {
        stage.run(command).exits(6).reads("held");
    }
    up.kill().expect("a kill");
    up.wait().expect("an end");
}

fn logs_after_down() {
    let stage = Stage::new("docker", Sources::Workspace, 2, 1);
    stage.run(&["up"]).exits(0);
    let before = stage.run(&["logs", stage.name(2)]).exits(0);
    stage.run(&["down", "-v"]).exits(0);
    let note = format!("note: project {} has no node; these are the last logs", stage.project);
    let after = stage.run(&["logs", stage.name(2)]).exits(0).complains(&note);
    assert!(after.stdout.starts_with(&before.stdout) && after.stdout != before.stdout, "{}", after.stdout);
    stage.run(&["logs"]).exits(0).answers(stage.name(1)).answers(stage.name(3));
    stage.run(&["down"]).exits(0).answers("nothing to do");
    assert_eq!(stage.run(&["logs", stage.name(2)]).exits(0).stdout, after.stdout);
}

fn killed_half_way() {
    let stage = stage();
    let mut up = stage.command(&["-q", "up"]).spawn().expect("a start");
    let label = format!("label=orchestrator.project={}", stage.project);
    eventually("a container is there", || !docker(&["ps", "--all", "--quiet", "--filter", &label]).is_empty());
    up.kill().expect("a kill");
    up.wait().expect("an end");
    stage.run(&["up"]).exits(0).answers(&stage.url(5));
    stage.run(&["status"]).exits(0);
}

fn interrupt() {
    let stage = Stage::new("docker", SLEEPER, 1, 1);
    stage.run(&["build"]).exits(0);
    let mut up = stage.command(&["-q", "up"]).spawn().expect("a start");
    let running = || docker(&["ps", "--quiet", "--filter", &format!("label=orchestrator.project={}", stage.project)]);
    eventually("the nodes run", || running().lines().count() == 2);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(up.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("a signal");
    assert_eq!(up.wait().expect("an end").code(), Some(130));
    stage.run(&["down", "-v"]).exits(0).answers("nothing to do");
}
