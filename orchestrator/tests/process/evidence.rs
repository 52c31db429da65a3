//! What is told, and what is kept, of nodes that do not come up, and of those that are gone.

use serde_json::Value;

use crate::stage::{CRASHER, SLEEPER, Sources, Stage};

#[test]
fn a_variable_that_the_node_refuses_is_told_in_its_own_words() {
    let stage = Stage::new("process", Sources::Workspace, 2, 1);
    stage.write("cluster.yaml", &format!("env: {{ LOG_LEVEL: '[' }}\n{}", stage.file(1)));
    let words = "node: LOG_LEVEL=\"[\": expected a level";
    stage.run(&["up"]).exits(1).complains(&format!("the last lines of {}:", stage.name(1))).complains(words);
}

#[test]
fn a_node_that_ends_at_once_fails_the_command_with_its_last_words() {
    let stage = Stage::new("process", CRASHER, 1, 1);
    let up = stage.run(&["up"]).exits(1).complains("I cannot live here");
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
    stage.run(&["up", stage.name(1)]).exits(1).reads("process-ended");
}

#[test]
fn a_wait_that_passes_its_deadline_names_node_condition_and_log() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let up = stage.run(&["--timeout", "700ms", "up", stage.name(1)]).exits(7).reads("process-not-ready");
    let transcript = std::fs::read_to_string(stage.evidence(&up).join("transcript.jsonl")).expect("transcript.jsonl");
    assert!(transcript.contains(&format!("GET {}/key-value-store-view", stage.url(1))), "{transcript}");
    // No engine, no events.
    assert!(!stage.evidence(&up).join("events.jsonl").exists());
    // What was started is left for a look at it, and the next command converges.
    stage.run(&["down"]).exits(0).answers("removed 1 node");
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
    stage.run(&["logs", &format!("{first}x")]).exits(2).reads("logs-of-an-unknown-node");

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
