//! The image: built when something changed, and only then; the same file as `docker build`.

use std::process::Command;

use crate::Scenario;
use crate::stage::{SLEEPER, Stage, docker, run};

pub(crate) const ALL: &[Scenario] = &[
    ("build_does_nothing_when_nothing_changed", build_again),
    ("a_plain_docker_build_makes_the_same_image", plain_build),
    ("clean_removes_the_image", clean),
];

fn stage() -> Stage {
    Stage::new("docker", SLEEPER, 1, 1)
}

fn image_id(stage: &Stage) -> String {
    docker(&["image", "inspect", "--format", "{{.Id}}", &stage.image()])
}

fn build_again() {
    let stage = stage();
    stage.run(&["build"]).exits(0).answers(&format!("image {}", stage.image()));
    let first = image_id(&stage);
    stage.run(&["build"]).exits(0).answers("up to date");
    assert_eq!(image_id(&stage), first);
    stage.write("src/main.rs", "fn main() { println!(\"another\") }\n");
    stage.run(&["-v", "build"]).exits(0).complains("because the sources changed");
    assert_ne!(image_id(&stage), first);
    // The old one has no name any more.
    stage.run(&["-p", &stage.project, "prune", "--yes"]).exits(0).answers("1 unused image");
    let old = run(Command::new("docker").args(["image", "inspect", &first]));
    assert_ne!(old.code, 0);
}

fn plain_build() {
    let mut stage = stage();
    stage.run(&["build"]).exits(0);
    stage.write("orchestrator/image/data/.keep", "");
    stage.write(".dockerignore", include_str!("../../../.dockerignore"));
    let plain = format!("{}-plain", stage.project);
    let folder = stage.folder.path().display().to_string();
    stage.docker(&["build", "-q", "-t", &plain, &folder], &["rmi", &plain]);
    let config = |image: &str| {
        docker(&[
            "image",
            "inspect",
            "--format",
            "{{.Config.User}} {{.Config.Env}} {{.Config.Entrypoint}} {{.Config.Healthcheck}}",
            image,
        ])
    };
    assert_eq!(config(&plain), config(&stage.image()));
    assert!(config(&plain).starts_with("65532:65532"), "{}", config(&plain));
}

fn clean() {
    let stage = stage();
    stage.run(&["build"]).exits(0);
    stage.run(&["subnet"]).exits(0);
    stage.run(&["clean"]).exits(0).answers("removed 1 network, 1 image");
    assert_ne!(run(Command::new("docker").args(["image", "inspect", &stage.image()])).code, 0);
    stage.run(&["clean"]).exits(0).answers("nothing to do");
}
