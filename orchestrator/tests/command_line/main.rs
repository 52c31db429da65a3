//! The binary as a person meets it, without any cluster: wrong inputs, exit codes, help.

mod history;
#[path = "../stage/mod.rs"]
mod stage;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stage::{Done, ORCHESTRATOR, orchestrator, run};
use tempfile::TempDir;

const NODE: &str = "nodes:\n  - { name: node1, address: 10.10.0.2, host_port: 8082 }\n";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs in `folder` against an engine that is not there.
fn without_engine(folder: &Path, arguments: &[&str]) -> Done {
    run(orchestrator(folder).env("DOCKER_HOST", "unix:///nonexistent.sock").args(arguments))
}

fn with_file(text: &str, arguments: &[&str]) -> Done {
    let folder = folder();
    std::fs::write(folder.path().join("cluster.yaml"), text).expect("a file");
    without_engine(folder.path(), arguments)
}

#[test]
fn help_names_every_command_and_exit_code() {
    let help = without_engine(folder().path(), &["--help"]).exits(0).stdout;
    let commands = [
        "up",
        "down",
        "prune",
        "clean",
        "build",
        "subnet",
        "node",
        "ungrouped",
        "add",
        "reshard",
        "fault",
        "status",
        "logs",
        "validate",
        "schema",
        "completions",
        "doctor",
        "check",
        "test",
        "bench",
    ];
    for command in commands {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is not in the help:\n{help}"
        );
    }
    for code in ["0  done", "3  cluster.yaml", "130  interrupted"] {
        assert!(help.contains(code), "{code} is not in the help:\n{help}");
    }
}

#[test]
fn usage_errors_exit_with_2() {
    let folder = folder();
    without_engine(folder.path(), &["upp"]).exits(2).complains("up");
    without_engine(folder.path(), &[]).exits(2);
    without_engine(folder.path(), &["reshard", "0"]).exits(2);
    without_engine(folder.path(), &["reshard", "two"]).exits(2);
    without_engine(folder.path(), &["up", "--subnet", "10.10"]).exits(2).complains("nor `auto`");
    without_engine(folder.path(), &["up", "--timeout", "soon"]).exits(2);
    without_engine(folder.path(), &["up", "nod3"]).exits(2).reads("unknown-node");
    without_engine(folder.path(), &["-p", "my project", "up"]).exits(2).reads("project-name");
    without_engine(folder.path(), &["--subnet", "10.77.0.0/29", "up"]).exits(2).reads("subnet-too-small");
    without_engine(folder.path(), &["logs", "--since", "yesterday"]).exits(2).reads("since-when");
    without_engine(folder.path(), &["fault"]).exits(2).complains("partition");
    without_engine(folder.path(), &["fault", "kill"]).exits(2).complains("<NODE>");
    let divide = |groups: &[&str]| without_engine(folder.path(), &[&["fault", "partition"], groups].concat()).exits(2);
    divide(&["node1,node2"]).reads("partition-of-one-group");
    divide(&["node1,node2 / node2"]).reads("partition-of-a-node-twice");
    divide(&["node1,,node2 / node3"]).reads("partition-without-a-name");
    divide(&["--one-way", "node1/node2/node3"]).reads("partition-one-way-of-three");
}

#[test]
fn flags_are_also_variables() {
    let folder = folder();
    let done = run(orchestrator(folder.path()).env("ORCHESTRATOR_FILE", "other.yaml").arg("validate"));
    done.exits(3).complains("other.yaml: no such file");
    let done = run(orchestrator(folder.path()).env("ORCHESTRATOR_PROJECT", "mine").arg("validate"));
    done.exits(0).answers("project mine");
    run(orchestrator(folder.path()).env("ORCHESTRATOR_QUIET", "1").env("ORCHESTRATOR_YES", "0").arg("validate"))
        .exits(0);
    let done = run(orchestrator(folder.path()).env("ORCHESTRATOR_OUTPUT", "json").arg("validate"));
    let json: serde_json::Value = serde_json::from_str(&done.exits(0).stdout).expect("JSON");
    assert_eq!((&json["v"], &json["event"]), (&1.into(), &"validate".into()));
}

#[test]
fn an_empty_folder_has_the_built_in_cluster() {
    without_engine(folder().path(), &["validate"])
        .exits(0)
        .answers("built-in cluster.yaml: valid: project kv, 7 nodes (1 ungrouped), 2 shards, 10.10.0.0/16");
}

#[test]
fn an_isolated_cluster_is_a_project_of_its_folder() {
    let (one, other) = (folder(), folder());
    let project = |folder: &Path, arguments: &[&str]| {
        let done = without_engine(folder, &[&["--isolate", "validate"], arguments].concat()).exits(0);
        let done = done.answers("a free subnet, free ports");
        let word = done.stdout.split_whitespace().find(|word| word.starts_with("kv")).unwrap_or_default();
        word.trim_end_matches(',').to_owned()
    };
    let own = project(one.path(), &[]);
    assert!(own.starts_with("kv-") && own.len() == "kv-0123".len(), "{own}");
    assert_eq!(project(one.path(), &[]), own);
    assert_ne!(project(other.path(), &[]), own);
    assert_eq!(project(one.path(), &["-p", "kv2"]), "kv2");
    without_engine(one.path(), &["--subnet", "auto", "validate"])
        .exits(0)
        .answers("project kv, ")
        .answers(", a free subnet");
    let subnet = ["--isolate", "--subnet", "10.77.0.0/24", "validate"];
    without_engine(one.path(), &subnet).exits(0).answers("10.77.0.0/24, free ports");
}

#[test]
fn host_ports_that_containers_may_not_get_are_told() {
    let text = "shards: 1\nnodes:\n  - { name: node1, address: 10.10.0.2, host_port: 40000 }\n";
    let words = "note: host ports from 32768 may collide with Docker's resolver inside a container: 40000 (node1)";
    with_file(text, &["validate"]).exits(0).complains(words);
    for arguments in [["--runtime=process", "validate"], ["--isolate", "validate"]] {
        assert_eq!(with_file(text, &arguments).exits(0).stderr, "", "{arguments:?}");
    }
}

#[test]
fn a_wrong_file_exits_with_3_and_tells_the_place() {
    for command in ["validate", "up", "status", "down"] {
        with_file(&format!("shards: 1\nprot: 8080\n{NODE}"), &[command]).exits(3).reads("file-unknown-key");
    }
    with_file(&format!("shards: 1\nport: many\n{NODE}"), &["up"]).exits(3).reads("file-wrong-value");
    let twice = format!("shards: 1\n{NODE}  - {{ name: node2, address: 10.10.0.3, host_port: 8082 }}\n");
    with_file(&twice, &["up"]).exits(3).reads("file-duplicate");
    without_engine(folder().path(), &["-f", "gone.yaml", "up"]).exits(3).reads("file-missing");
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let done = with_file(&format!("shards: 0\n{NODE}"), &["up", "--output", "json"]).exits(3);
    let json: serde_json::Value = serde_json::from_str(&done.stderr).expect("one object");
    assert_eq!((&json["event"], &json["exit_code"]), (&"failed".into(), &3.into()));
    assert_eq!(done.stdout, "");
}

#[test]
fn no_engine_with_runtime_docker_exits_with_4() {
    for command in
        [&["up"][..], &["down"], &["status"], &["build"], &["subnet"], &["prune", "--yes"], &["fault", "list"]]
    {
        let mut arguments = vec!["--runtime", "docker"];
        arguments.extend(command);
        without_engine(folder().path(), &arguments).exits(4).reads("engine-absent");
    }
}

#[test]
fn no_engine_with_runtime_auto_means_processes_and_says_so() {
    without_engine(folder().path(), &["subnet"])
        .exits(0)
        .complains("note: no container engine at unix:///nonexistent.sock: nodes run as processes on 127.0.0.1");
}

#[test]
fn a_socket_without_permission_is_always_an_error() {
    let folder = folder();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).expect("a socket");
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    mode(&path, 0o000);
    mode(folder.path(), 0o755);
    let state = folder.path().join("state");
    std::fs::create_dir(&state).expect("a folder");
    mode(&state, 0o777);
    // The superuser may do everything, so the tool runs as somebody else, from where they may read it.
    let binary = folder.path().join("orchestrator");
    std::fs::copy(ORCHESTRATOR, &binary).expect("a copy");
    for runtime in ["auto", "docker"] {
        let mut command = Command::new(&binary);
        command.args(["--runtime", runtime, "up"]).current_dir(folder.path());
        command.env("DOCKER_HOST", format!("unix://{}", path.display())).env("XDG_STATE_HOME", &state);
        if nix::unistd::geteuid().is_root() {
            command.uid(65534);
        }
        run(&mut command).exits(4).reads("engine-denied");
    }
}

#[test]
fn an_engine_that_takes_connections_and_never_answers_is_an_error() {
    let folder = folder();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).expect("a socket");
    let mut command = orchestrator(folder.path());
    run(command.env("DOCKER_HOST", format!("unix://{}", path.display())).arg("up")).exits(4).reads("engine-silent");
    let mut command = orchestrator(folder.path());
    run(command.env("DOCKER_HOST", "ssh://nobody").arg("up")).exits(4).reads("engine-scheme");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_told_with_the_way_out() {
    let folder = folder();
    std::fs::write(folder.path().join("state"), "").expect("a file");
    without_engine(folder.path(), &["up"]).exits(2).reads("state-folder-not-writable");
    // What changes no cluster needs none.
    without_engine(folder.path(), &["validate"]).exits(0);
}

#[test]
fn sources_that_are_not_there_exit_with_5() {
    let folder = folder();
    // Where there is no engine a process is the node inside the tool, which needs no building.
    without_engine(folder.path(), &["build"]).exits(0).answers("up to date");
    let text = format!("shards: 1\nimage: {{ build: nowhere }}\n{NODE}");
    with_file(&text, &["build"]).exits(5).reads("sources-missing");
}

#[test]
fn a_build_that_fails_exits_with_5_and_shows_the_compilers_words() {
    let folder = folder();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, text).expect("a file");
    };
    write("cluster.yaml", &format!("shards: 1\n{NODE}"));
    write("Cargo.toml", "[package]\nname = \"node\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("src/main.rs", "fn main() { undefined() }\n");
    let target = folder.path().join("target");
    let mut command = orchestrator(folder.path());
    command.env("DOCKER_HOST", "unix:///nonexistent.sock").env("CARGO_TARGET_DIR", target).arg("build");
    run(&mut command).exits(5).complains("cannot find function `undefined`").complains("the node does not compile");
    write("Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    without_engine(folder.path(), &["build"]).exits(5).reads("sources-without-node");
}

#[test]
fn every_shell_gets_completions_whatever_the_file_is() {
    for shell in ["bash", "zsh", "fish"] {
        let script = with_file("no cluster", &["completions", shell]).exits(0).answers("reshard").stdout;
        assert!(script.contains("one-way") && script.contains("follow"), "{shell}:\n{script}");
        if shell == "bash" {
            let folder = folder();
            std::fs::write(folder.path().join("script"), script).expect("a file");
            run(Command::new("bash").args(["-n", "script"]).current_dir(folder.path())).exits(0);
        }
    }
    without_engine(folder().path(), &["completions", "tcsh"]).exits(2).complains("bash, zsh, fish");
}

#[test]
fn the_schema_is_json_whatever_the_file_is() {
    let schema = with_file("no cluster", &["schema", "--output", "json"]).exits(0).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["properties"]["port"]["default"], 8080);
}

#[test]
fn the_doctor_tells_what_helps_without_an_engine() {
    let folder = folder();
    let words = "no container engine answers at unix:///nonexistent.sock";
    without_engine(folder.path(), &["--runtime", "docker", "doctor"])
        .exits(4)
        .answers(&format!("problem  engine     {words}"))
        .answers("what helps: start it, set DOCKER_HOST, or use --runtime process")
        .reads("doctor-problem");
    // Processes do, without sources too. Whether their ports are free is another matter.
    without_engine(folder.path(), &["doctor"])
        .answers(&format!("warning  engine     {words}"))
        .answers("ok       image      the node is the one inside this tool");
    let done = without_engine(folder.path(), &["--runtime", "docker", "doctor", "--output", "json"]).exits(4);
    let json: serde_json::Value = serde_json::from_str(&done.stdout).expect("one object");
    let check = &json["checks"][0];
    assert_eq!(
        (&json["event"], &check["check"], &check["state"]),
        (&"doctor".into(), &"engine".into(), &"problem".into())
    );
    assert!(check["message"].as_str().is_some_and(|message| message.starts_with(words)), "{check}");
    assert!(check["remedy"].as_str().is_some_and(|remedy| remedy.starts_with("start it")), "{check}");
}

#[test]
fn the_doctor_finds_a_clone_fit_for_processes() {
    let clone = format!("shards: 1\nimage: {{ build: '{}/..' }}\n{NODE}", env!("CARGO_MANIFEST_DIR"));
    let port = stage::free_port();
    let file = clone.replace("8082", &port.to_string());
    with_file(&file, &["--runtime", "process", "doctor"])
        .exits(0)
        .answers("ok       folder ")
        .answers("ok       image      the node is built from")
        .answers("ok       conflicts  nothing is in the way");
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port");
    with_file(&file, &["--runtime", "process", "doctor"])
        .exits(6)
        .answers(&format!(
            "problem  conflicts  port {port} of node1 on 127.0.0.1 is taken by process {}",
            std::process::id()
        ))
        .answers(&format!("what helps: kill {}", std::process::id()));
}

#[test]
fn a_watch_shows_what_is_not_there_until_it_is_interrupted() {
    let folder = folder();
    let mut command = orchestrator(folder.path());
    command.args(["--runtime", "process", "-p", "nobodys", "--output", "json", "status", "--watch"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    for _ in 0..2 {
        let line = lines.next().expect("a line").expect("text");
        let json: serde_json::Value = serde_json::from_str(&line).expect("one object");
        assert_eq!((&json["event"], &json["nodes"]), (&"status".into(), &serde_json::json!([])));
    }
    kill(Pid::from_raw(child.id().try_into().expect("a pid")), Signal::SIGINT).expect("a signal");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_test_that_cannot_be_done_is_told_before_anything_is_built() {
    let folder = folder();
    let test = |arguments: &[&str]| without_engine(folder.path(), &[&["test"], arguments].concat());
    test(&["no such test"]).exits(2).reads("test-filter");
    test(&["--junit", "nowhere/junit.xml"]).exits(2).reads("test-junit");
    test(&["--image", ""]).exits(2);
    test(&["--seconds", "5"]).exits(2).reads("test-flags-of-faults");
    test(&["--kinds", "kill"]).exits(2).reads("test-flags-of-faults");
    test(&["--suite", "faults", "--kinds", "kill,quake"])
        .exits(2)
        .complains("'quake'")
        .complains("kill, restart, pause");
    test(&["--suite", "faults", "--attach"]).exits(2).reads("test-faults-attached");
    test(&["--suite", "faults", "--history", "nowhere/h.jsonl"]).exits(2).reads("test-history");
    test(&["--image", "one", "--build", "."]).exits(2).reads("test-image-and-build");
    for flag in ["--image", "--build"] {
        test(&["--runtime", "process", flag, "."]).exits(2).reads(&format!("test{flag}-of-processes"));
        test(&[flag, "."]).exits(4).reads("engine-absent");
    }
}

#[test]
fn what_nobody_runs_cannot_be_asked() {
    let folder = folder();
    for (command, name) in [
        (&["add", "node8"][..], "nobody-runs"),
        (&["reshard", "3"], "nobody-runs"),
        (&["remove", "node1"], "nobody-runs"),
        (&["status"], "nobody-to-tell-of"),
        (&["fault", "heal"], "nobody-to-break"),
    ] {
        without_engine(folder.path(), &[&["-p", "nobodys"], command].concat()).exits(1).reads(name);
    }
    without_engine(folder.path(), &["-p", "nobodys", "down"]).exits(0).answers("nothing to do");
    without_engine(folder.path(), &["-p", "nobodys", "prune"]).exits(0).answers("nothing to do");
}

#[test]
fn a_folder_that_is_gone_is_told() {
    let folder = folder();
    let mut shell = Command::new("sh");
    shell.args(["-c", "rmdir \"$PWD\" && exec \"$0\" validate", ORCHESTRATOR]).current_dir(folder.path());
    run(&mut shell).exits(2).reads("folder-gone");
}
