//! What is told when the engine refuses a call, and of images that nobody can make.

use std::os::unix::fs::PermissionsExt;

use crate::Scenario;
use crate::proxy::{Proxy, Refusal};
use crate::stage::{SLEEPER, Sources, Stage, run};

pub(crate) const ALL: &[Scenario] = &[
    ("what_the_engine_refuses_an_up_is_told_in_its_words", up),
    ("what_the_engine_refuses_a_fault_or_a_look_is_told_in_its_words", others),
    ("what_the_engine_refuses_a_removal_is_told_in_its_words", removal),
    ("an_image_that_nobody_can_make_is_told_with_the_way_out", images),
    ("a_compiler_that_lacks_the_target_is_told_with_the_way_out", target),
];

/// An engine that answers, and whose disk is full.
fn full(call: &'static str) -> Refusal {
    Refusal { call, status: 500, words: "no space left on device" }
}

/// A cluster whose nodes never answer, and the way to its engine.
struct Refused {
    stage: Stage,
    proxy: Proxy,
}

impl Refused {
    fn new() -> Self {
        let stage = Stage::new("docker", SLEEPER, 1, 1);
        let proxy = Proxy::start(stage.folder.path());
        stage.run(&["build"]).exits(0);
        Self { stage, proxy }
    }

    /// With nodes that run.
    fn running() -> Self {
        let refused = Self::new();
        refused.stage.run(&["--timeout", "200ms", "up"]).exits(7);
        refused
    }

    #[track_caller]
    fn tells(&self, command: &[&str], refusal: Refusal, code: i32, name: &str) {
        self.proxy.refuse(self.stage.command(command), refusal).exits(code).reads(name);
    }
}

fn up() {
    let refused = Refused::new();
    let tells = |refusal: Refusal, code: i32, name: &str| refused.tells(&["up"], refusal, code, name);
    // Each of them gets a step further.
    tells(full("GET /containers/json"), 4, "engine-containers");
    tells(full("GET /networks"), 4, "engine-networks");
    tells(full("GET /volumes"), 4, "engine-volumes");
    tells(full("GET /images/"), 4, "engine-image");
    tells(full("POST /networks/create"), 4, "engine-create-network");
    let words = "Pool overlaps with other one on this address space";
    tells(Refusal { call: "POST /networks/create", status: 403, words }, 6, "conflict-network-meanwhile");
    tells(full("POST /volumes/create"), 4, "engine-create-volume");
    tells(full("POST /containers/create"), 4, "engine-create-node");
    let words = "The container name is already in use";
    tells(Refusal { call: "POST /containers/create", status: 409, words }, 6, "conflict-container-meanwhile");
    tells(full("POST /start"), 4, "engine-start-node");
    let words = "driver failed programming external connectivity: port is already allocated";
    tells(Refusal { words, ..full("POST /start") }, 6, "conflict-port-meanwhile");
    tells(Refusal { words: "Address already in use", ..full("POST /start") }, 6, "conflict-address-meanwhile");
}

fn others() {
    let refused = Refused::running();
    let name = refused.stage.name(1);
    let tells = |command: &[&str], call: &'static str, name: &str| refused.tells(command, full(call), 4, name);
    tells(&["logs", name], "GET /logs", "engine-logs");
    tells(&["fault", "pause", name], "POST /pause", "engine-pause-node");
    refused.stage.run(&["fault", "pause", name]).exits(0);
    tells(&["fault", "resume", name], "POST /unpause", "engine-resume-node");
    tells(&["fault", "kill", name], "POST /kill", "engine-kill-node");
    let doctor = refused.proxy.refuse(refused.stage.command(&["doctor"]), full("GET /info")).exits(4);
    doctor.answers("cannot ask the engine about itself: no space left on device");
    refused.stage.kill_containers();
}

fn removal() {
    let refused = Refused::running();
    let tells = |command: &[&str], call: &'static str, name: &str| refused.tells(command, full(call), 4, name);
    tells(&["down"], "POST /stop", "engine-stop-node");
    refused.stage.kill_containers();
    tells(&["down"], "DELETE /containers/", "engine-remove-node");
    tells(&["down"], "DELETE /networks/", "engine-remove-network");
    tells(&["down", "-v", refused.stage.name(1)], "DELETE /volumes/", "engine-remove-volume");
    tells(&["clean"], "DELETE /images/", "engine-remove-image");
    tells(&["-p", &refused.stage.project, "prune", "--yes"], "GET /images/json", "engine-images");
    refused.stage.run(&["clean"]).exits(0);
    refused.tells(&["build"], full("POST /build"), 5, "engine-build");
}

fn images() {
    let stage = Stage::new("docker", Sources::Foreign, 1, 1);
    let told = |command: &[&str], code: i32, name: &str| drop(stage.run(command).exits(code).reads(name));
    told(&["build"], 5, "build-without-sources");
    told(&["test", "--image", "nobodys-image"], 5, "test-image-missing");
    told(&["test", "--build", "gone"], 2, "test-build-missing");
    stage.write("folder/file", "");
    told(&["test", "--build", "folder/file"], 2, "test-build-of-a-file");
    told(&["test", "--build", "folder"], 2, "test-build-without-dockerfile");
    stage.write("folder/Dockerfile", "FROM scratch\n");
    std::fs::File::create(stage.folder.path().join("folder/data"))
        .expect("a file")
        .set_len(600 << 20)
        .expect("a length");
    told(&["test", "--build", "folder"], 5, "test-build-too-large");

    let stage = Stage::new("docker", SLEEPER, 1, 1);
    std::fs::remove_file(stage.folder.path().join("Dockerfile")).expect("a file");
    stage.run(&["build"]).exits(5).reads("build-without-dockerfile");
}

/// Stand-ins for the toolchain.
fn target() {
    let stage = Stage::new("docker", SLEEPER, 1, 1);
    let tools = stage.folder.path().join("tools");
    let script = |name: &str, text: &str| {
        stage.write(&format!("tools/{name}"), &format!("#!/bin/sh\n{text}\n"));
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(tools.join(name), runs).expect("a mode");
    };
    let build = || run(stage.command(&["build"]).env("PATH", &tools)).exits(5);
    script("cargo", "echo 'the target may not be installed' >&2; exit 1");
    build().reads("rustup-missing");
    script("rustup", "echo 'error: there is no network' >&2; exit 1");
    build().reads("target-missing");
}
