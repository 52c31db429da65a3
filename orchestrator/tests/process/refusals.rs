//! What cannot be done with a cluster as it is, and what is told then.

use std::os::unix::fs::PermissionsExt;

use crate::stage::{SLEEPER, Sources, Stage, run};

#[test]
fn what_cannot_be_done_is_told_with_the_way_out() {
    let stage = Stage::new("process", Sources::Workspace, 3, 1);
    let [first, second, third] = [1, 2, 3].map(|number| stage.name(number));
    let told = |words: &[&str], code: i32, name: &str| drop(stage.run(words).exits(code).reads(name));
    told(&["plan", "--exit-code"], 9, "plan-pending");
    told(&["test", "--attach"], 1, "test-attached-to-nobody");

    stage.run(&["up", first, second]).exits(0);
    told(&["status"], 1, "status-of-a-part");
    told(&["fault", "kill", third], 1, "fault-of-an-absent-node");
    told(&["logs", third], 1, "logs-of-an-absent-node");
    told(&["remove", third], 1, "remove-an-absent-node");
    told(&["remove", first], 1, "remove-one-of-the-last-two");
    told(&["add", "no name"], 2, "add-no-name");
    told(&["bench", "--node", third], 1, "bench-of-an-absent-node");

    stage.run(&["fault", "stop", first]).exits(0);
    told(&["remove", first], 1, "remove-a-stopped-node");
    told(&["fault", "resume", first], 1, "fault-of-a-stopped-node");
    stage.run(&["fault", "pause", second]).exits(0);
    told(&["fault", "start", second], 1, "fault-of-a-paused-node");

    let grouped = stage.file(1).replace("ungrouped: true", "ungrouped: false");
    stage.write("cluster.yaml", &grouped);
    told(&["ungrouped"], 2, "ungrouped-nobody");
}

#[test]
fn a_cluster_that_is_broken_or_too_small_is_told_with_the_way_out() {
    let stage = Stage::new("process", Sources::Foreign, 2, 1);
    let [first, second] = [1, 2].map(|number| stage.name(number));
    let told = |words: &[&str], code: i32, name: &str| drop(stage.run(words).exits(code).reads(name));
    stage.run(&["up", first]).exits(0);
    told(&["add", first], 1, "add-without-others");
    stage.run(&["up"]).exits(0);
    let mut test = stage.command(&["test", "--attach", "a PUT of a new key must be 201"]);
    run(test.env("GITHUB_STEP_SUMMARY", "/nonexistent/summary")).exits(2).reads("test-summary");
    stage.run(&["fault", "pause", second]).exits(0);
    told(&["test", "--attach"], 1, "test-attached-to-a-broken-cluster");
    stage.run(&["fault", "heal"]).exits(0);

    let new = format!("{}-node9", stage.project);
    let file = stage.file(1);
    stage.write("cluster.yaml", &file.replace(".0/24", ".0/28").replace(&stage.nodes[2].address, &last(&stage)));
    told(&["add", &new], 2, "add-without-address");
    stage.write("cluster.yaml", &file.replace(&stage.nodes[2].port.to_string(), "65535"));
    told(&["add", &new], 2, "add-without-port");
    stage.write("cluster.yaml", &file);
}

/// The last address of a subnet of sixteen that is a node's to have.
fn last(stage: &Stage) -> String {
    stage.subnet.replace(".0/24", ".7")
}

#[test]
fn nodes_that_never_answer_are_told_and_leave_evidence() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let suites = stage.run(&["--timeout", "1s", "test", "key-value"]).exits(7).reads("test-without-cluster");
    let folder = suites.stderr.rsplit("evidence: ").next().unwrap_or_default().trim().to_owned();
    let cases = std::fs::read_dir(stage.folder.path().join(folder)).expect("the evidence").flatten();
    let case = cases.map(|entry| entry.path()).find(|path| path.is_dir()).expect("a case");
    let log = |folder: &std::path::Path| std::fs::read_to_string(folder.join(format!("{}.log", stage.name(1))));
    assert!(log(&case).is_ok_and(|log| log.contains("asleep")), "{case:?}");
    let faults = stage.run(&["--timeout", "1s", "test", "--suite", "faults"]).exits(7);
    let evidence = stage.evidence(&faults);
    assert!(log(&evidence).is_ok_and(|log| log.contains("asleep")) && evidence.join("run.json").exists());
    // Which of them is told of is a matter of chance.
    faults.complains("does not get to the point where it answers within 1 s");

    stage.run(&["--timeout", "200ms", "up"]).exits(7);
    stage.run(&["reshard", "2"]).exits(1).reads("nobody-answers");
    stage.run(&["down", "-v"]).exits(0);
    // What cannot be written is told, and hides no failure.
    std::fs::remove_dir_all(stage.folder.path().join("evidence")).expect("a folder");
    stage.write("evidence", "");
    let up = stage.run(&["--timeout", "200ms", "up", stage.name(1)]).exits(7);
    up.complains("note: the evidence cannot be written: ").complains("does not get to the point");
}

#[test]
fn what_is_in_the_way_in_the_state_folder_is_told() {
    let stage = Stage::new("process", Sources::Foreign, 1, 1);
    let state = |path: &str| format!("state/orchestrator/{path}");
    stage.write(&state(&stage.project), "");
    stage.run(&["up"]).exits(4).reads("process-folder");
    std::fs::remove_file(stage.folder.path().join(state(&stage.project))).expect("a file");
    let logs = state(&format!(".logs/{}", stage.project));
    stage.write(&format!("{logs}/{}/folder", stage.name(1)), "");
    stage.run(&["logs"]).exits(2).reads("kept-log-unreadable");
    std::fs::remove_dir_all(stage.folder.path().join(&logs)).expect("a folder");
    stage.write(&logs, "");
    stage.run(&["clean"]).exits(2).reads("kept-logs-not-removable");
    std::fs::remove_file(stage.folder.path().join(logs)).expect("a file");
}

/// A stand-in for cargo.
#[test]
fn a_compiler_that_makes_nothing_is_told_with_the_way_out() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let tools = stage.folder.path().join("tools");
    let with_cargo = |text: &str, command: &str| {
        stage.write("tools/cargo", &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(tools.join("cargo"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        run(stage.command(&[command]).env("PATH", &tools))
    };
    with_cargo("", "build").exits(5).reads("build-without-binary");
    let names = |binary: &str| format!("echo '{{\"executable\":\"{}/{binary}\"}}'", stage.folder.path().display());
    with_cargo(&names("gone"), "build").exits(5).reads("build-of-a-binary-that-is-gone");
    with_cargo(&names("cluster.yaml"), "up").exits(4).reads("process-not-started");
}
