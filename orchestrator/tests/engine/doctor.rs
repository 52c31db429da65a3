//! What the doctor says is what `up` would meet, and nothing is touched for it.

use std::net::TcpListener;

use crate::Scenario;
use crate::conflicts::nothing_is_created;
use crate::stage::{SLEEPER, Sources, Stage};

pub(crate) const ALL: &[Scenario] = &[
    ("the_doctor_finds_nothing_wrong_where_up_would_work", fit),
    ("the_doctor_tells_of_a_taken_port_and_what_helps", taken_port),
    ("the_doctor_tells_of_an_image_that_is_nowhere", missing_image),
    ("the_doctor_tells_of_more_memory_than_there_is", memory),
];

fn fit() {
    let stage = Stage::new("docker", SLEEPER, 2, 1);
    let done = stage.run(&["doctor"]).exits(0).answers(" engine ").answers("ok       image ");
    assert!(!done.stdout.contains("problem") && done.stderr.is_empty(), "{done:?}");
    done.answers("ok       conflicts  nothing is in the way");
    nothing_is_created(&stage);
    // What is its own is in nobody's way.
    stage.run(&["subnet"]).exits(0);
    stage.run(&["doctor"]).exits(0);
    stage.run(&["--isolate", "doctor"]).exits(0);
}

fn taken_port() {
    let stage = Stage::new("docker", SLEEPER, 2, 1);
    let port = stage.nodes[1].port;
    let _taken = TcpListener::bind(("127.0.0.1", port)).expect("the port");
    stage
        .run(&["doctor"])
        .exits(6)
        .answers(&format!("problem  conflicts  port {port} of {} on 127.0.0.1 is taken by process", stage.name(2)))
        .answers(&format!("what helps: kill {}", std::process::id()));
    nothing_is_created(&stage);
}

fn missing_image() {
    let stage = Stage::new("docker", Sources::Foreign, 2, 1);
    let words = format!("problem  image      the image {} is missing", stage.image());
    stage.run(&["doctor"]).exits(5).answers(&words).answers(&format!("docker pull {}", stage.image()));
}

fn memory() {
    let stage = Stage::new("docker", SLEEPER, 2, 1);
    stage.write("cluster.yaml", &format!("limits: {{ memory: 1024GiB }}\n{}", stage.file(1)));
    let words = "warning  memory     3 nodes may take 1.00 TiB each, 3.00 TiB together, of ";
    let remedy = "; what helps: lower limits.memory, or start fewer nodes";
    stage.run(&["doctor"]).exits(0).answers(words).answers(remedy);
    // The sleepers never answer; this is said before.
    stage.run(&["--timeout", "100ms", "up"]).exits(7).complains("note: 3 nodes may take 1.00 TiB").complains(remedy);
}
