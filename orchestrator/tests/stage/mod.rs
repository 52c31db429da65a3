//! A stage for a test of the binary: a folder with a cluster file of its own, whose names, ports and subnet nobody else
//! uses, and which is cleared again when the test is over, however it ended.

#![allow(dead_code, reason = "every test binary uses another part of the stage")]

mod done;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) use done::Done;

/// The binary under test.
pub(crate) const ORCHESTRATOR: &str = env!("CARGO_BIN_EXE_orchestrator");
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

static COUNTER: AtomicU32 = AtomicU32::new(0);
static BUILT: Once = Once::new();
/// How far the tests of this process are in the ports.
static PORTS: AtomicU32 = AtomicU32::new(0);
/// Between two ports: `add` takes the next one, which must not be another stage's.
const PORT_STRIDE: u32 = 4;

/// A node of the stage's file.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) ungrouped: bool,
}

/// What the nodes are.
#[derive(Clone, Copy)]
pub(crate) enum Sources {
    /// The real node of this workspace. All stages share its image, so that it is built once.
    Workspace,
    /// A stand-in of one file, compiled in a second.
    StandIn(&'static str),
    /// None: the image comes from elsewhere.
    Foreign,
}

/// Never answers.
pub(crate) const SLEEPER: Sources =
    Sources::StandIn("fn main() { println!(\"asleep\"); loop { std::thread::sleep(std::time::Duration::MAX) } }");
/// Ends at once.
pub(crate) const CRASHER: Sources =
    Sources::StandIn("fn main() { println!(\"I cannot live here\"); std::process::exit(2) }");
/// Takes a connection and answers each request by its method; asked to delete, it ends.
pub(crate) const HALF: Sources = Sources::StandIn(
    r##"use std::io::{Read, Write};
fn main() {
    let socket = std::env::var("SOCKET_ADDRESS").unwrap_or_default();
    println!("serving at {socket}");
    for stream in std::net::TcpListener::bind(&socket).expect("the port").incoming() {
        std::thread::spawn(move || {
            let (mut stream, mut buffer) = (stream.expect("a connection"), [0; 4096]);
            while let Ok(1..) = stream.read(&mut buffer) {
                let (status, body) = match buffer[0] {
                    b'G' => ("200 OK", r#"{"value":"v","view":""}"#),
                    b'P' => ("503 Service Unavailable", r#"{"error":"half of me is away"}"#),
                    _ => std::process::exit(3),
                };
                let reply = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(reply.as_bytes());
            }
        });
    }
}"##,
);
/// The image of the real node: of this process only, since another clone's tests at the same time have another node.
pub(crate) fn image() -> String {
    format!("orchestrator-test-{}", std::process::id())
}

/// A folder, a cluster file, and what must be cleared.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    /// Also the start of all names.
    pub(crate) project: String,
    pub(crate) subnet: String,
    pub(crate) nodes: Vec<Node>,
    /// The sources of the node; the image's name follows from them.
    sources: Sources,
    runtime: &'static str,
    /// Containers and networks that the test itself made.
    strangers: Vec<Vec<String>>,
    /// Further projects that the test made of the file.
    beside: Vec<String>,
}

impl Stage {
    /// A stand-in does not know how to stop, and would be waited for.
    pub(crate) fn kill_containers(&self) {
        let label = format!("label=orchestrator.project={}", self.project);
        let running = Command::new("docker").args(["ps", "--quiet", "--filter", &label]).output();
        let running = running.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        if self.runtime == "docker" && !running.is_empty() {
            let _ = Command::new("docker").arg("kill").args(running.lines()).output();
        }
    }

    /// `grouped` nodes in `shards` shards, and one ungrouped node.
    pub(crate) fn new(runtime: &'static str, sources: Sources, grouped: usize, shards: usize) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let project = format!("t{process}x{number}");
        let third = (process + number) % 250;
        let nodes = (0..=grouped).map(|index| Node {
            name: format!("{project}-node{}", index + 1),
            address: format!("10.77.{third}.{}", index + 2),
            port: free_port(),
            ungrouped: index == grouped,
        });
        let stage = Self {
            folder: tempfile::tempdir().expect("a folder"),
            nodes: nodes.collect(),
            subnet: format!("10.77.{third}.0/24"),
            project,
            sources,
            runtime,
            strangers: Vec::new(),
            beside: Vec::new(),
        };
        stage.write("cluster.yaml", &stage.file(shards));
        if let Sources::StandIn(main) = sources {
            stage.write("Cargo.toml", "[package]\nname = \"node\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
            stage.write("src/main.rs", main);
            stage.write("Dockerfile", include_str!("../../../Dockerfile"));
            stage.write(".cargo/config.toml", include_str!("../../../.cargo/config.toml"));
        }
        if runtime == "docker" && matches!(sources, Sources::Workspace) {
            // Two builds at once would make two images, and the name would move from one to the other.
            BUILT.call_once(|| drop(stage.run(&["build"]).exits(0)));
        }
        stage
    }

    /// The name of the image.
    pub(crate) fn image(&self) -> String {
        match self.sources {
            Sources::Workspace => image(),
            Sources::StandIn(_) | Sources::Foreign => format!("{}-img", self.project),
        }
    }

    /// The cluster file.
    pub(crate) fn file(&self, shards: usize) -> String {
        let build = match self.sources {
            Sources::Workspace => format!(", build: '{}/..'", env!("CARGO_MANIFEST_DIR")),
            Sources::StandIn(_) => ", build: .".to_owned(),
            Sources::Foreign => String::new(),
        };
        let (project, image, network, subnet) = (&self.project, self.image(), self.network(), &self.subnet);
        let mut text = format!(
            "name: {project}\nimage: {{ name: {image}{build} }}\n\
             network: {{ name: {network}, subnet: {subnet} }}\nshards: {shards}\nnodes:\n"
        );
        for Node { name, address, port, ungrouped } in &self.nodes {
            text.push_str(&format!(
                "  - {{ name: {name}, address: {address}, host_port: {port}, ungrouped: {ungrouped} }}\n"
            ));
        }
        text
    }

    /// The name of the network.
    pub(crate) fn network(&self) -> String {
        format!("{}-net", self.project)
    }

    /// A file of the stage's folder.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    /// The name of the nth node, from 1.
    pub(crate) fn name(&self, number: usize) -> &str {
        &self.nodes[number - 1].name
    }

    pub(crate) fn url(&self, number: usize) -> String {
        format!("http://127.0.0.1:{}", self.nodes[number - 1].port)
    }

    /// The command, in the stage's folder and environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = orchestrator(self.folder.path());
        command.env("ORCHESTRATOR_RUNTIME", self.runtime).args(arguments);
        if matches!(self.sources, Sources::StandIn(_)) {
            command.env("CARGO_TARGET_DIR", self.folder.path().join("target"));
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        run(&mut self.command(arguments))
    }

    /// Containers, networks and volumes of the project, by id, a line each.
    pub(crate) fn objects(&self) -> String {
        let label = format!("label=orchestrator.project={}", self.project);
        let kinds = [&["ps", "--all"][..], &["network", "ls"], &["volume", "ls"]];
        let lists = kinds.map(|kind| docker(&[kind, &["--quiet", "--filter", &label]].concat()));
        lists.iter().filter(|list| !list.is_empty()).map(|list| format!("{list}\n")).collect()
    }

    /// The folder that the last line of a failed command names.
    #[track_caller]
    pub(crate) fn evidence(&self, done: &Done) -> PathBuf {
        let last = done.stderr.lines().last().unwrap_or_default().trim();
        let named = last.strip_prefix("evidence: ");
        let folder = self.folder.path().join(named.unwrap_or_else(|| panic!("no evidence: {}", done.stderr)));
        assert!(folder.is_dir(), "{} is not there", folder.display());
        folder
    }

    /// The name of a further project, which is removed when the test is over.
    pub(crate) fn beside(&mut self, suffix: &str) -> String {
        let project = format!("{}{suffix}", self.project);
        self.beside.push(project.clone());
        project
    }

    /// `docker …`, which must succeed; `undo` is run when the test is over.
    pub(crate) fn docker(&mut self, arguments: &[&str], undo: &[&str]) -> String {
        if !undo.is_empty() {
            self.strangers.push(undo.iter().map(|&word| word.to_owned()).collect());
        }
        docker(arguments)
    }
}

impl Drop for Stage {
    #[expect(clippy::print_stderr, reason = "a panic here would hide the one that the test ended with")]
    fn drop(&mut self) {
        for undo in self.strangers.iter().rev() {
            let _ = Command::new("docker").args(undo).output();
        }
        for project in &self.beside {
            let _ = run(&mut self.command(&["--wait", "-p", project, "down", "-v"]));
        }
        let last = match self.sources {
            // A test that failed may have left a command that is still at it.
            Sources::Workspace | Sources::Foreign => &["--wait", "down", "-v"][..],
            Sources::StandIn(_) => {
                self.kill_containers();
                &["--wait", "clean"]
            }
        };
        let done = run(&mut self.command(last));
        if done.code != 0 {
            eprintln!("the stage of {} is not cleared: {done:?}", self.project);
        }
    }
}

/// The binary in a folder, with nothing of the caller's own settings and a state folder in it.
pub(crate) fn orchestrator(folder: &Path) -> Command {
    let mut command = Command::new(ORCHESTRATOR);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORCHESTRATOR_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).env("XDG_STATE_HOME", folder.join("state")).stdin(Stdio::null());
    command
}

/// Whatever is said as JSON must be as docs/output.schema.json says.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Done {
    let done = Done::of(&command.output().expect("the command starts"));
    let words: Vec<_> = command.get_args().collect();
    let speaks = words.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    // A command line that cannot be understood is told in words; the schema of the file is itself JSON.
    if speaks && done.code != 2 && !words.contains(&"schema".as_ref()) {
        done.stdout.lines().chain(done.stderr.lines()).for_each(must_be_documented);
    }
    done
}

#[track_caller]
fn must_be_documented(line: &str) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../../../docs/output.schema.json")).expect("JSON");
        jsonschema::validator_for(&schema).expect("a schema")
    });
    let said: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    if let Err(error) = SCHEMA.validate(&said) {
        panic!("docs/output.schema.json: {error}: {line}");
    }
}

/// The URLs that a command with `--output json` tells, in the order of the nodes' names.
#[track_caller]
pub(crate) fn urls(done: &Done) -> Vec<String> {
    let result: serde_json::Value = serde_json::from_str(done.stdout.trim()).expect("one object");
    let nodes = result["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().filter_map(|node| Some(node["url"].as_str()?.to_owned())).collect()
}

/// `docker …`; its answer, trimmed.
#[track_caller]
pub(crate) fn docker(arguments: &[&str]) -> String {
    let done = run(Command::new("docker").args(arguments));
    assert_eq!(done.code, 0, "docker {arguments:?}: {}", done.stderr);
    done.stdout.trim().to_owned()
}

/// A port that was free a moment ago and that no other test of this process has. Below those that the kernel hands out to
/// connections, and in each container to Docker's resolver: a node could not listen there too.
pub(crate) fn free_port() -> u16 {
    loop {
        let number = PORTS.fetch_add(PORT_STRIDE, Ordering::Relaxed).wrapping_add(std::process::id() * 64);
        let port = 20_000 + (number % 12_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Polls until it holds; fails the test when it does not in a minute.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// The status of the reply to a GET; `None` without a reply.
pub(crate) fn status_of(url: &str) -> Option<u16> {
    fetch(url).map(|(status, _)| status)
}

/// Status and body of the reply to a GET; `None` without a reply.
pub(crate) fn fetch(url: &str) -> Option<(u16, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().ok()?;
        let response = client.get(url).send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    })
}

/// Puts a new key through the node at `url`, which must say so.
#[track_caller]
pub(crate) fn put(url: &str, key: &str, value: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let body = serde_json::json!({ "value": value });
    let request = client.put(format!("{url}/key-value-store/{key}")).json(&body).send();
    assert_eq!(runtime.block_on(request).expect("an answer").status().as_u16(), 201);
}

/// The nodes of `status --output json`, as an object by name.
pub(crate) fn status_json(stage: &Stage) -> serde_json::Map<String, serde_json::Value> {
    let done = stage.run(&["status", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(done.stdout.trim()).expect("one object");
    let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
    nodes.into_iter().map(|node| (node["name"].as_str().unwrap_or_default().to_owned(), node)).collect()
}
