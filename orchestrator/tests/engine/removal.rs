//! What removes touches only what is ours.

use crate::Scenario;
use crate::stage::{SLEEPER, Stage, docker};

pub(crate) const ALL: &[Scenario] = &[
    ("prune_asks_and_takes_only_ours", prune),
    ("a_stranger_on_our_network_stops_down_before_it_removes_anything", stranger_on_network),
];

fn prune() {
    let mut stage = Stage::new("docker", SLEEPER, 1, 1);
    let volume = format!("{}-stranger", stage.project);
    stage.docker(&["volume", "create", &volume], &["volume", "rm", &volume]);
    stage.run(&["subnet"]).exits(0);
    let only = stage.project.clone();
    stage
        .run(&["-p", &only, "prune"])
        .exits(2)
        .complains(&format!("project {only}"))
        .reads("prune-question-of-a-network");
    stage.run(&["-p", &only, "prune", "--yes"]).exits(0).answers("removed 1 network");
    assert_eq!(docker(&["volume", "inspect", "--format", "{{.Name}}", &volume]), volume);
}

fn stranger_on_network() {
    let mut stage = Stage::new("docker", SLEEPER, 1, 1);
    // The nodes never answer, but they run.
    stage.run(&["--timeout", "100ms", "up"]).exits(7);
    let (network, stranger, image) =
        (format!("{}-net", stage.project), format!("{}-stranger", stage.project), stage.image());
    stage.docker(&["run", "-d", "--network", &network, "--name", &stranger, &image], &["rm", "-f", &stranger]);
    stage.run(&["down"]).exits(6).reads("conflict-stranger-on-network");
    assert_eq!(docker(&["inspect", "--format", "{{.State.Running}}", stage.name(1)]), "true");
}
