//! Every rule with its words.

use std::path::{Path, PathBuf};

use super::*;
use crate::observed::{Engine, Folder};
use crate::spec::locate;

fn spec() -> ClusterSpec {
    locate(None, Path::new("/")).expect("built-in").spec
}

fn engine() -> Engine {
    Engine {
        host: "unix:///var/run/docker.sock".to_owned(),
        version: "20.10.24+dfsg1".to_owned(),
        api_version: "1.41".to_owned(),
        components: vec!["Engine".to_owned(), "containerd".to_owned()],
        operating_system: "Debian GNU/Linux 13 (trixie)".to_owned(),
        security_options: vec!["name=seccomp,profile=default".to_owned()],
        memory_bytes: Some(24 << 30),
        limits_memory: true,
        limits_pids: true,
    }
}

fn folder(path: &str) -> Option<Folder> {
    Some(Folder { path: path.into(), free_bytes: Some(20 << 30), is_writable: true })
}

fn sources() -> Option<Sources> {
    let folder = PathBuf::from("/clone");
    Some(Sources { folder, has_manifest: true, has_dockerfile: true, has_cargo: true })
}

/// An engine with nothing wrong.
fn on_engine(spec: &ClusterSpec) -> Facts<'_> {
    let about = About { engine: Some(engine()), folder: folder("/var/lib/docker") };
    Facts { spec, about, has_image: false, sources: sources(), conflicts: Vec::new() }
}

/// A machine for processes with nothing wrong.
fn on_machine(spec: &ClusterSpec) -> Facts<'_> {
    let about = About { engine: None, folder: folder("/state/orchestrator") };
    Facts { about, ..on_engine(spec) }
}

fn lines(facts: &Facts<'_>) -> Vec<String> {
    diagnose(facts).iter().map(ToString::to_string).collect()
}

/// The one line that is not `ok`.
#[track_caller]
fn only(facts: &Facts<'_>) -> String {
    let mut lines = lines(facts);
    lines.retain(|line| !line.starts_with("ok "));
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The one line that is not `ok` of an engine like this.
#[track_caller]
fn only_of(engine: Engine) -> String {
    let spec = spec();
    let mut facts = on_engine(&spec);
    facts.about.engine = Some(engine);
    only(&facts)
}

#[test]
fn a_machine_with_all_that_is_needed_has_no_problem() {
    let spec = spec();
    let expected = [
        "ok       engine     Docker 20.10.24+dfsg1 (API 1.41) at unix:///var/run/docker.sock",
        "ok       addresses  the nodes' own addresses in 10.10.0.0/16 are on this host",
        "ok       limits     the engine limits memory and the number of processes",
        "ok       memory     7 nodes may take 256.00 MiB each, 1.75 GiB together, of 24.00 GiB",
        "ok       disk       20.00 GiB free for /var/lib/docker",
        "ok       image      assignment4-img is built from /clone",
        "ok       conflicts  nothing is in the way: names, network, subnet, addresses, ports and volumes",
    ];
    assert_eq!(lines(&on_engine(&spec)), expected);
    let expected = [
        "ok       folder     the nodes' data is kept in /state/orchestrator",
        "ok       disk       20.00 GiB free for /state/orchestrator",
        "ok       image      the node is built from /clone",
        "ok       conflicts  nothing is in the way: ports and data",
    ];
    assert_eq!(lines(&on_machine(&spec)), expected);
}

#[test]
fn what_is_not_told_is_not_judged() {
    let spec = spec();
    let mut facts = on_engine(&spec);
    facts.about.folder = None;
    facts.about.engine = Some(Engine { memory_bytes: None, version: "dev".to_owned(), ..engine() });
    let names: Vec<&str> = diagnose(&facts).iter().map(|check| check.name).collect();
    assert_eq!(names, ["engine", "addresses", "limits", "image", "conflicts"]);
    assert!(diagnose(&facts).iter().all(|check| check.state() == "ok"));
}

#[test]
fn an_engine_older_than_what_was_tried_is_a_warning() {
    let of = |version: &str, api: &str| {
        only_of(Engine { version: version.to_owned(), api_version: api.to_owned(), ..engine() })
    };
    let expected = "warning  engine     Docker 19.03.5 (API 1.40) at unix:///var/run/docker.sock: nothing was tried with an \
                    engine older than 20.10 (API 1.41); what helps: update the engine";
    assert_eq!(of("19.03.5", "1.40"), expected);
    assert!(of("20.9", "1.41").contains("older than 20.10"));
    assert!(of("dev", "1.40").contains("older than 20.10"));
    let spec = spec();
    for (version, api) in [("20.10.0", "1.41"), ("29.0.1", "1.52"), ("100.0", "2.0")] {
        let mut facts = on_engine(&spec);
        let (version, api_version) = (version.to_owned(), api.to_owned());
        facts.about.engine = Some(Engine { version, api_version, ..engine() });
        assert!(diagnose(&facts).iter().all(|check| check.state() == "ok"), "{facts:?}");
    }
}

#[test]
fn podman_is_a_warning_whatever_its_version() {
    let components = vec!["Podman Engine".to_owned(), "Conmon".to_owned()];
    let line = only_of(Engine { components, version: "4.3.1".to_owned(), ..engine() });
    assert!(line.starts_with("warning  engine     Podman 4.3.1 (API 1.41) at unix://"), "{line}");
    assert!(line.contains("nothing was tried with Podman's socket"), "{line}");
}

#[test]
fn addresses_that_this_host_does_not_reach_are_a_warning() {
    let unreached =
        "so this host does not reach the nodes' own addresses in 10.10.0.0/16; what helps: use the URLs at 127.0.0.1";
    let desktop = only_of(Engine { operating_system: "Docker Desktop".to_owned(), ..engine() });
    assert_eq!(desktop, format!("warning  addresses  the engine runs in a virtual machine, {unreached}"));
    let security_options = vec!["name=seccomp,profile=default".to_owned(), "name=rootless".to_owned()];
    let rootless = only_of(Engine { security_options, ..engine() });
    assert_eq!(rootless, format!("warning  addresses  the engine is rootless, {unreached}"));
    let elsewhere = only_of(Engine { host: "tcp://10.1.2.3:2375".to_owned(), ..engine() });
    assert!(elsewhere.contains("the engine is on another machine"), "{elsewhere}");
    let spec = spec();
    let mut facts = on_engine(&spec);
    facts.about.engine = Some(Engine { host: "tcp://127.0.0.1:2375".to_owned(), ..engine() });
    assert!(diagnose(&facts).iter().all(|check| check.state() == "ok"));
}

#[test]
fn an_engine_without_limits_is_a_warning() {
    let line = |limits_memory, limits_pids| only_of(Engine { limits_memory, limits_pids, ..engine() });
    let expected = "warning  limits     the engine does not limit memory, whatever the file says; what helps: enable the \
                    kernel's cgroup controllers memory and pids";
    assert_eq!(line(false, true), expected);
    assert!(line(true, false).contains("does not limit the number of processes"));
    assert!(line(false, false).contains("limits neither memory nor the number of processes"));
    let spec = spec();
    let mut facts = on_engine(&spec);
    let security_options = vec!["name=rootless".to_owned()];
    facts.about.engine = Some(Engine { limits_memory: false, limits_pids: false, security_options, ..engine() });
    assert!(
        lines(&facts).iter().any(|line| line.ends_with("delegate the cgroup controllers memory and pids to your user"))
    );
}

#[test]
fn little_memory_and_a_full_disk_are_warnings() {
    let line = only_of(Engine { memory_bytes: Some(1 << 30), ..engine() });
    let expected = "warning  memory     7 nodes may take 256.00 MiB each, 1.75 GiB together, of 1.00 GiB; what helps: lower \
                    limits.memory, or start fewer nodes";
    assert_eq!(line, expected);
    let spec = spec();
    for (mut facts, remedy) in
        [(on_engine(&spec), "docker system df says what takes it"), (on_machine(&spec), "remove what is not needed")]
    {
        facts.about.folder = facts.about.folder.map(|folder| Folder { free_bytes: Some(1000 << 20), ..folder });
        let line = only(&facts);
        assert!(line.starts_with("warning  disk       1000.00 MiB free for /"), "{line}");
        assert!(line.ends_with(remedy), "{line}");
    }
}

#[test]
fn an_image_that_cannot_be_had_is_a_problem() {
    let spec = spec();
    let of = |facts: fn(&ClusterSpec) -> Facts<'_>, has_image, sources| {
        let facts = Facts { has_image, sources, ..facts(&spec) };
        let found = diagnose(&facts).into_iter().find(|check| check.name == "image").expect("a line");
        (found.state(), found.cause().map(Cause::exit_code), found.message, found.remedy.unwrap_or_default())
    };
    let (state, code, message, remedy) = of(on_engine, false, None);
    assert_eq!((state, code), ("problem", Some(5)));
    assert!(message.starts_with("the image assignment4-img is missing"), "{message}");
    assert!(remedy.starts_with("docker load or docker pull assignment4-img"), "{remedy}");
    assert_eq!(of(on_engine, true, None).2, "assignment4-img is there");
    assert_eq!(of(on_machine, true, None).2, "the node is the one inside this tool");

    let without = |change: fn(&mut Sources)| {
        let mut sources = sources();
        sources.iter_mut().for_each(change);
        sources
    };
    let (_, code, message, remedy) = of(on_engine, true, without(|sources| sources.has_manifest = false));
    assert_eq!((code, message.as_str()), (Some(5), "there is no Cargo.toml in /clone"));
    assert!(remedy.contains("image.build"), "{remedy}");
    let (_, code, _, remedy) = of(on_machine, true, without(|sources| sources.has_cargo = false));
    assert_eq!((code, remedy.as_str()), (Some(5), "install Rust from https://rustup.rs"));
    // Processes need no image.
    let dockerfile = || without(|sources| sources.has_dockerfile = false);
    assert_eq!(of(on_engine, true, dockerfile()).0, "problem");
    assert_eq!(of(on_machine, true, dockerfile()).0, "ok");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_problem_of_processes() {
    let spec = spec();
    let locked = |facts: Facts<'_>| facts.about.folder.map(|folder| Folder { is_writable: false, ..folder });
    let mut facts = on_machine(&spec);
    facts.about.folder = locked(on_machine(&spec));
    let expected = "problem  folder     /state/orchestrator, where the nodes' data is kept, cannot be written; what helps: make \
                    it writable, or name another in XDG_STATE_HOME";
    assert_eq!(only(&facts), expected);
    facts = on_engine(&spec);
    facts.about.folder = locked(on_engine(&spec));
    assert!(diagnose(&facts).iter().all(|check| check.state() == "ok"));
}

#[test]
fn whatever_is_in_the_way_is_a_problem_with_its_command() {
    let spec = spec();
    let conflict = |what: &str, free_with: &str| Conflict {
        what: what.to_owned(),
        owner: "process 7 (nginx)".to_owned(),
        free_with: free_with.to_owned(),
    };
    let conflicts = vec![conflict("port 8082 of node1 on 127.0.0.1", "kill 7"), conflict("port 8083", "kill 8")];
    let checks = diagnose(&Facts { conflicts, ..on_engine(&spec) });
    let problems: Vec<&Check> = checks.iter().filter(|check| check.cause().is_some()).collect();
    let expected =
        "problem  conflicts  port 8082 of node1 on 127.0.0.1 is taken by process 7 (nginx); what helps: kill 7";
    assert_eq!((problems.len(), problems[0].to_string().as_str()), (2, expected));
    assert_eq!(problems[1].cause().map(Cause::exit_code), Some(6));
    assert_eq!(Cause::Engine.exit_code(), 4);
}
