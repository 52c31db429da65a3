//! One orchestrator at a time changes a cluster, and one that ends early leaves it fit for the next.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stage::{Done, SLEEPER, Sources, Stage, eventually, status_json};

/// Of the signals that a process catches.
const SIGINT_BIT: u64 = 1 << (Signal::SIGINT as u64 - 1);

#[test]
fn an_interrupt_undoes_what_this_run_started() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    interrupted(endless_up(&stage)).exits(130).reads("interrupted-up");
    stage.run(&["down", "-v"]).exits(0).answers("nothing to do");
}

#[test]
fn an_interrupt_is_told_with_what_has_become_of_it() {
    let stage = Stage::new("process", SLEEPER, 1, 1);
    let start = |stage: &Stage, words: &[&str]| {
        stage.command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start")
    };
    interrupted(start(&stage, &["build"])).exits(130).reads("interrupted-build");
    let stage = Stage::new("process", Sources::Foreign, 1, 1);
    interrupted(start(&stage, &["test"])).exits(130).reads("interrupted-test");
    interrupted(start(&stage, &["test", "--suite", "faults"])).exits(130).reads("interrupted-test-of-faults");
}

/// An `up` of nodes that run and never answer.
fn endless_up(stage: &Stage) -> Child {
    let up = stage.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
    eventually("the nodes run", || status_json(stage).len() == stage.nodes.len());
    up
}

/// What a command did that is interrupted as soon as it listens to that.
pub(crate) fn interrupted(command: Child) -> Done {
    let status = format!("/proc/{}/status", command.id());
    eventually("it listens", || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim);
        caught.is_some_and(|caught| u64::from_str_radix(caught, 16).is_ok_and(|caught| caught & SIGINT_BIT != 0))
    });
    interrupt(&command);
    Done::of(&command.wait_with_output().expect("an end"))
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
        stage.run(command).exits(6).complains(&held).reads("held");
    }
    assert_eq!(status_json(&stage).len(), 2);
    for command in [&["logs"][..], &["fault", "list"], &["validate"], &["-p", "another", "down"]] {
        stage.run(command).exits(0);
    }
    let late = stage.run(&["--wait", "--timeout", "200ms", "down"]).exits(7);
    late.complains(&format!("note: {held}")).reads("held-too-long");

    // Who waits is told for whom, and may give up.
    let patient = || -> (Child, BufReader<ChildStderr>) {
        let mut down = stage.command(&["--wait", "down"]);
        let mut down = down.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
        let mut told = String::new();
        let mut words = BufReader::new(down.stderr.take().expect("its words"));
        words.read_line(&mut told).expect("a line");
        assert!(told.contains(&held), "{told}");
        (down, words)
    };
    let (down, mut words) = patient();
    interrupt(&down);
    let mut done = Done::of(&down.wait_with_output().expect("an end"));
    words.read_to_string(&mut done.stderr).expect("text");
    done.exits(130).reads("interrupted-wait");
    let (down, _words) = patient();
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
