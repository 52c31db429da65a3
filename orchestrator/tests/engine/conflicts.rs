//! What is in the way is told before anything is created, with its owner and the command that frees it.

use std::net::TcpListener;
use std::process::Command;

use crate::Scenario;
use crate::stage::{SLEEPER, Sources, Stage, docker, run};

pub(crate) const ALL: &[Scenario] = &[
    ("a_foreign_container_of_the_same_name_is_told", foreign_container),
    ("an_overlapping_foreign_network_is_told", overlapping_network),
    ("a_taken_port_is_told", taken_port),
    ("a_port_that_another_container_publishes_is_told", published_port),
    ("an_address_that_a_stranger_has_is_told", taken_address),
    ("a_volume_of_the_same_name_is_told", foreign_volume),
    ("data_of_another_address_is_told", moved_data),
    ("a_route_of_the_host_into_the_subnet_is_told", route),
    ("another_project_is_told", other_project),
];

/// Conflicts come before the compiler, so nothing is ever built here.
fn stage() -> Stage {
    Stage::new("docker", SLEEPER, 2, 1)
}

/// Something without a label of ours; from an image that needs no registry.
fn foreign_image(stage: &mut Stage) -> String {
    let image = format!("{}-foreign", stage.project);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCMD [\"/none\"]\n").expect("a file");
    stage.docker(&["build", "-q", "-t", &image, &folder.path().display().to_string()], &["rmi", &image]);
    image
}

pub(crate) fn nothing_is_created(stage: &Stage) {
    assert_eq!(stage.objects(), "");
}

fn foreign_container() {
    let mut stage = stage();
    let image = foreign_image(&mut stage);
    let name = stage.name(2).to_owned();
    let id = stage.docker(&["create", "--name", &name, &image], &["rm", "-f", &name]);
    stage
        .run(&["up"])
        .exits(6)
        .complains(&format!("to free it: docker rm -f {}", &id[..12]))
        .reads("conflict-container");
    nothing_is_created(&stage);
    // Nor is it touched by what removes.
    stage.run(&["down", "-v"]).exits(0).answers("nothing to do");
    stage.run(&["-p", &stage.project, "prune", "--yes"]).exits(0);
    assert_eq!(docker(&["inspect", "--format", "{{.Id}}", &name]), id);
}

fn overlapping_network() {
    let mut stage = stage();
    let name = format!("{}-mynet", stage.project);
    let subnet = stage.subnet.clone();
    let id = stage.docker(&["network", "create", "--subnet", &subnet, &name], &["network", "rm", &name]);
    for command in ["up", "subnet"] {
        stage
            .run(&[command])
            .exits(6)
            .complains(&format!("to free it: docker network rm {}", &id[..12]))
            .reads("conflict-network");
    }
    nothing_is_created(&stage);
}

fn taken_port() {
    let stage = stage();
    let port = stage.nodes[1].port;
    let _taken = TcpListener::bind(("127.0.0.1", port)).expect("the port");
    stage
        .run(&["up"])
        .exits(6)
        .complains(&format!("port {port} of {} on 127.0.0.1", stage.name(2)))
        .complains(&format!("kill {}", std::process::id()))
        .reads("conflict-port");
    nothing_is_created(&stage);
}

fn published_port() {
    let mut stage = stage();
    stage.run(&["build"]).exits(0);
    let (name, port) = (format!("{}-web", stage.project), stage.nodes[1].port);
    let published = format!("127.0.0.1:{port}:80");
    stage.docker(&["run", "-d", "-p", &published, "--name", &name, &stage.image()], &["rm", "-f", &name]);
    stage.run(&["up"]).exits(6).complains(&format!("port {port} ")).reads("conflict-published-port");
    // From an image of ours, and all the same not ours.
    assert_eq!(stage.objects().lines().count(), 1);
    stage.run(&["down", "-v"]).exits(0).answers("nothing to do");
    assert_eq!(stage.objects().lines().count(), 1);
}

fn taken_address() {
    let mut stage = stage();
    stage.run(&["build"]).exits(0);
    stage.run(&["subnet"]).exits(0);
    let (name, network, address) = (format!("{}-web", stage.project), stage.network(), stage.nodes[1].address.clone());
    let run = ["run", "-d", "--network", &network, "--ip", &address, "--name", &name, &stage.image()];
    stage.docker(&run, &["rm", "-f", &name]);
    stage.run(&["up"]).exits(6).complains(&address).reads("conflict-address");
}

fn foreign_volume() {
    let mut stage = stage();
    let name = format!("{}-{}", stage.project, stage.name(1));
    stage.docker(&["volume", "create", &name], &["volume", "rm", &name]);
    stage.run(&["up"]).exits(6).complains(&name).reads("conflict-volume");
    nothing_is_created(&stage);
}

fn moved_data() {
    let mut stage = Stage::new("docker", Sources::Workspace, 2, 1);
    stage.run(&["up"]).exits(0);
    stage.run(&["down"]).exits(0);
    stage.nodes[1].address = stage.nodes[1].address.replace(".3", ".33");
    stage.write("cluster.yaml", &stage.file(1));
    stage.run(&["up"]).exits(6).reads("conflict-data");
    stage.run(&["down", "-v", stage.name(2)]).exits(0).answers("removed 1 volume");
    stage.run(&["up"]).exits(0);
}

/// In a network namespace of its own, since this host's routes are the other tests' too: the engine's socket is a file.
fn route() {
    let stage = stage();
    let up = stage.command(&["up"]);
    let mut inside = Command::new("unshare");
    let script = format!("ip link set lo up && ip route add {} dev lo && exec \"$@\"", stage.subnet);
    inside.args(["--net", "sh", "-c", &script, "sh"]).arg(up.get_program()).args(up.get_args());
    for (name, value) in up.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    run(inside.current_dir(stage.folder.path())).exits(6).reads("conflict-route");
    nothing_is_created(&stage);
}

fn other_project() {
    let stage = stage();
    stage.run(&["subnet"]).exits(0);
    let other = format!("{}b", stage.project);
    stage.run(&["-p", &other, "up"]).exits(6).reads("conflict-project");
}
