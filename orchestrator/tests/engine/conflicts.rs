//! What is in the way is told before anything is created, with its owner and the command that frees it.

use std::net::TcpListener;

use crate::Scenario;
use crate::stage::{SLEEPER, Stage, docker};

pub(crate) const ALL: &[Scenario] = &[
    ("a_foreign_container_of_the_same_name_is_told", foreign_container),
    ("an_overlapping_foreign_network_is_told", overlapping_network),
    ("a_taken_port_is_told", taken_port),
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
        .complains(&format!("container name {name} is taken by"))
        .complains(&format!("to free it: docker rm -f {}", &id[..12]));
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
            .complains(&format!("subnet {subnet} is taken by network {name}"))
            .complains(&format!("to free it: docker network rm {}", &id[..12]));
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
        .complains(&format!("kill {}", std::process::id()));
    nothing_is_created(&stage);
}

fn other_project() {
    let stage = stage();
    stage.run(&["subnet"]).exits(0);
    let other = format!("{}b", stage.project);
    stage.run(&["-p", &other, "up"]).exits(6).complains(&format!("to free it: orchestrator down -p {}", stage.project));
}
