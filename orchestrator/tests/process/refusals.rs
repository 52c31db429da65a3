//! What cannot be done with a cluster as it is, and what is told then.

use crate::stage::{Sources, Stage};

#[test]
fn what_cannot_be_done_is_told_with_the_way_out() {
    let stage = Stage::new("process", Sources::Workspace, 3, 1);
    let [first, second, third] = [1, 2, 3].map(|number| stage.name(number));
    let told = |words: &[&str], code: i32, name: &str| drop(stage.run(words).exits(code).reads(name));
    told(&["plan", "--exit-code"], 9, "plan-pending");
    told(&["test", "--attach"], 1, "test-attached-to-nobody");

    stage.run(&["up", first, second]).exits(0);
    told(&["status"], 1, "status-of-a-part");
    told(&["fault", "kill", third], 1, "fault-of-an-absent-node");
    told(&["logs", third], 1, "logs-of-an-absent-node");
    told(&["remove", third], 1, "remove-an-absent-node");
    told(&["remove", first], 1, "remove-one-of-the-last-two");
    told(&["add", "no name"], 2, "add-no-name");
    told(&["bench", "--node", third], 1, "bench-of-an-absent-node");

    stage.run(&["fault", "stop", first]).exits(0);
    told(&["remove", first], 1, "remove-a-stopped-node");
    told(&["fault", "resume", first], 1, "fault-of-a-stopped-node");
    stage.run(&["fault", "pause", second]).exits(0);
    told(&["fault", "start", second], 1, "fault-of-a-paused-node");

    let grouped = stage.file(1).replace("ungrouped: true", "ungrouped: false");
    stage.write("cluster.yaml", &grouped);
    told(&["ungrouped"], 2, "ungrouped-nobody");
}
