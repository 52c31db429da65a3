//! A run that is killed between any two calls to the engine leaves nothing that the next command cannot set right.

use crate::Scenario;
use crate::clients::measured;
use crate::proxy::Proxy;
use crate::stage::{Sources, Stage, docker, put, status_of};

pub(crate) const ALL: &[Scenario] = &[
    ("an_up_that_is_killed_after_any_call_is_completed_or_removed_by_the_next_command", up),
    ("a_down_that_is_killed_after_any_call_is_completed_or_undone_by_the_next_command", down),
    ("an_add_that_is_killed_after_any_call_is_completed_by_the_next", add),
    ("a_remove_that_is_killed_after_any_call_is_completed_by_the_next", remove),
    ("a_rolling_up_that_is_killed_after_any_call_is_completed_by_the_next", roll),
    ("what_only_looks_asks_the_engine_for_no_change", looks),
];

/// Of a network, and of volume, container and start of three nodes.
const CALLS_OF_UP: usize = 10;
/// Of stop and removal of three nodes, and of a network and three volumes.
const CALLS_OF_DOWN: usize = 10;
/// Of volume, container and start.
const CALLS_OF_ADD: usize = 3;
/// Of stop and removal of a node and its volume.
const CALLS_OF_REMOVE: usize = 3;
/// Of stop, removal, container and start of two nodes.
const CALLS_OF_ROLL: usize = 8;

/// A small cluster, and the way to its engine.
struct Bench {
    stage: Stage,
    proxy: Proxy,
}

impl Bench {
    fn new() -> Self {
        Self::of(2)
    }

    /// With so many nodes in the shard.
    fn of(grouped: usize) -> Self {
        let stage = Stage::new("docker", Sources::Workspace, grouped, 1);
        let proxy = Proxy::start(stage.folder.path());
        let bench = Self { stage, proxy };
        bench.write("");
        bench
    }

    /// The cluster file with a further line, and without sources: the image is there, and no compiler gives the engine time
    /// to end what it is at.
    fn write(&self, line: &str) {
        let (file, image) = (self.stage.file(1), format!("image: {{ name: {} }}", self.stage.image()));
        let lines = file.lines().map(|line| if line.starts_with("image:") { &image } else { line });
        self.stage.write("cluster.yaml", &lines.chain([line]).collect::<Vec<_>>().join("\n"));
    }

    /// What was left when the command was killed after its call number `step`; `None` when it was done before that.
    fn killed(&self, command: &[&str], step: usize) -> Option<Left<'_>> {
        let (done, calls) = self.proxy.run(self.stage.command(command), Some(step));
        if calls.len() < step {
            done.exits(0);
            return None;
        }
        let words = format!("{command:?} that was killed after its call {step} of {calls:?}");
        assert_eq!(done.code, -1, "{words}: {done:?}");
        Some(Left { stage: &self.stage, words })
    }
}

/// What a run left that was killed.
struct Left<'b> {
    stage: &'b Stage,
    words: String,
}

impl Left<'_> {
    /// The next command must do.
    #[track_caller]
    fn then(&self, command: &[&str]) {
        let done = self.stage.run(command);
        assert_eq!(done.code, 0, "{command:?} after {}:\n{}{}", self.words, done.stdout, done.stderr);
    }

    /// `up` must make it whole.
    #[track_caller]
    fn is_completed(&self) {
        self.then(&["up"]);
        self.then(&["status"]);
    }

    /// `down -v` must leave nothing of it.
    #[track_caller]
    fn is_removed(&self) {
        self.then(&["down", "-v"]);
        assert_eq!(self.stage.objects(), "", "`down -v` after {}", self.words);
    }
}

/// Every step was tried, and there were as many as there should be.
fn tried(command: &str, steps: usize, expected: usize) {
    measured(&format!("{command} killed after each of its {steps} calls"));
    assert_eq!(steps, expected, "calls of {command}");
}

fn up() {
    let bench = Bench::new();
    for step in 1.. {
        let Some(left) = bench.killed(&["up"], step) else { return tried("up", step - 1, CALLS_OF_UP) };
        left.is_removed();
        bench.killed(&["up"], step).expect("as many calls as before").is_completed();
        bench.stage.run(&["down", "-v"]).exits(0);
    }
}

fn down() {
    let bench = Bench::new();
    bench.stage.run(&["up"]).exits(0);
    for step in 1.. {
        let Some(left) = bench.killed(&["down", "-v"], step) else { return tried("down", step - 1, CALLS_OF_DOWN) };
        left.is_completed();
        bench.killed(&["down", "-v"], step).expect("as many calls as before").is_removed();
        bench.stage.run(&["up"]).exits(0);
    }
}

fn add() {
    let bench = Bench::new();
    let name = format!("{}-node4", bench.stage.project);
    for step in 1.. {
        bench.stage.run(&["up"]).exits(0);
        let Some(left) = bench.killed(&["add", &name], step) else { return tried("add", step - 1, CALLS_OF_ADD) };
        left.then(&["add", &name]);
        left.then(&["status"]);
        assert_eq!(docker(&["inspect", "--format", "{{.State.Running}}", &name]), "true", "{}", left.words);
        bench.stage.run(&["down", "-v"]).exits(0);
    }
}

fn remove() {
    let bench = Bench::of(3);
    let name = bench.stage.name(1);
    for step in 1.. {
        bench.stage.run(&["up"]).exits(0);
        put(&bench.stage.url(1), &format!("key{step}"), "value");
        let Some(left) = bench.killed(&["remove", name], step) else {
            return tried("remove", step - 1, CALLS_OF_REMOVE);
        };
        left.then(&["remove", name]);
        let volume = format!("{}-{name}", bench.stage.project);
        let there = [
            docker(&["ps", "--all", "--quiet", "--filter", &format!("name=^{name}$")]),
            docker(&["volume", "ls", "--quiet", "--filter", &format!("name=^{volume}$")]),
        ];
        assert_eq!(there, ["", ""], "{}", left.words);
        assert_eq!(
            status_of(&format!("{}/key-value-store/key{step}", bench.stage.url(2))),
            Some(200),
            "{}",
            left.words
        );
    }
}

/// Both nodes are changed, one after the other.
fn roll() {
    let bench = Bench::of(1);
    bench.stage.run(&["up"]).exits(0);
    for step in 1.. {
        bench.write(&format!("env: {{ STEP: '{step}' }}"));
        let Some(left) = bench.killed(&["up"], step) else { return tried("rolling up", step - 1, CALLS_OF_ROLL) };
        left.is_completed();
        for node in &bench.stage.nodes {
            let environment = docker(&["inspect", "--format", "{{.Config.Env}}", &node.name]);
            assert!(environment.contains(&format!("STEP={step}")), "{environment} after {}", left.words);
        }
    }
}

fn looks() {
    let bench = Bench::new();
    let calls = |command: &[&str]| {
        let (done, calls) = bench.proxy.run(bench.stage.command(command), None);
        done.exits(0);
        calls
    };
    let changes_nothing = |command: &[&str]| assert_eq!(calls(command), [""; 0], "{command:?}");
    changes_nothing(&["down", "-v"]);
    assert_eq!(calls(&["up"]).len(), CALLS_OF_UP);
    for command in [&["status"][..], &["plan"], &["doctor"], &["logs"], &["validate"], &["fault", "list"], &["up"]] {
        changes_nothing(command);
    }
    assert_eq!(calls(&["down", "-v"]).len(), CALLS_OF_DOWN);
    changes_nothing(&["down", "-v"]);
}
