//! A new build reaches the nodes one by one, and their clients do not notice; what leaves for good leaves its data behind.

use std::time::Duration;

use conformance::workload::Workload;
use serde_json::Value;

use crate::Scenario;
use crate::clients::{DIALECT, measured, with_clients};
use crate::stage::{Sources, Stage, docker, status_json};

pub(crate) const ALL: &[Scenario] =
    &[("clients_notice_nothing_of_a_rolling_up", roll), ("clients_notice_nothing_of_nodes_that_are_removed", remove)];

/// Twenty clients make at most 400 operations a second.
const PACE: Duration = Duration::from_millis(50);
const SEED: u64 = 8;
/// What the clients do before and after.
const AROUND: u64 = 400;

/// Clients that go on to another node when one takes no connection. At the containers' own addresses: the port of the host
/// takes connections for a node that does not.
fn load() -> Workload {
    Workload { pace: PACE, roams: true, ..Workload::new(DIALECT, SEED) }
}

fn urls(stage: &Stage) -> Vec<String> {
    stage.nodes.iter().map(|node| format!("http://{}:8080", node.address)).collect()
}

fn roll() {
    with_clients(async {
        let stage = Stage::new("docker", Sources::Workspace, 6, 2);
        stage.run(&["up"]).exits(0);
        let ids = || -> Vec<String> {
            stage.nodes.iter().map(|node| docker(&["inspect", "--format", "{{.Id}}", &node.name])).collect()
        };
        let before = ids();
        let running = load().start(urls(&stage));
        running.more(AROUND).await?;

        // All nodes are made anew for this, as for a new build.
        stage.write("cluster.yaml", &format!("{}env: {{ RUST_LOG: info }}\n", stage.file(2)));
        let done = stage.run(&["--output", "json", "up"]).exits(0);
        running.more(AROUND).await?;
        let report = running.stop().await?;
        measured(&format!("while seven nodes were made anew: {report}"));

        assert!(before.iter().zip(ids()).all(|(old, new)| *old != new), "every node is another");
        one_at_a_time(&done.stderr, 7);
        report.verdict()?;
        report.check_final_state(&urls(&stage), 0).await
    });
}

/// In the events of a command: whoever is stopped is ready again before the next is stopped.
fn one_at_a_time(events: &str, nodes: usize) {
    let events = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let word = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (mut away, mut returned) = (None, 0);
    for event in events {
        match word(&event, "event").as_str() {
            "node.stopped" => assert_eq!(away.replace(word(&event, "node")), None, "{event}"),
            "node.ready" => {
                assert_eq!(away.take(), Some(word(&event, "node")), "{event}");
                returned += 1;
            }
            _ => {}
        }
    }
    assert_eq!(returned, nodes);
}

fn remove() {
    with_clients(async {
        let stage = Stage::new("docker", Sources::Workspace, 6, 2);
        stage.run(&["up"]).exits(0);
        let urls = urls(&stage);
        let running = load().start(urls.clone());
        running.more(AROUND).await?;

        let remove = |number: usize| {
            let done = stage.run(&["remove", stage.name(number)]).exits(0);
            running.remove_node(&urls[number - 1]);
            done
        };
        remove(7).answers("removed 1 node, 1 volume");
        // Two of one shard, so that it is filled up from the other; then there are too few for two.
        remove(1);
        remove(2).complains("is still in");
        running.more(AROUND).await?;
        remove(3).complains("1 shard");
        running.more(AROUND).await?;
        let report = running.stop().await?;
        measured(&format!("while four of seven nodes were removed: {report}"));

        let left = status_json(&stage);
        assert_eq!(left.len(), 3, "{left:?}");
        report.verdict()?;
        report.check_final_state(&urls[3..6], 0).await?;

        stage.run(&["remove", stage.name(4)]).exits(0);
        stage.run(&["remove", stage.name(5)]).exits(1).reads("remove-one-of-the-last");
        stage.run(&["remove", stage.name(1)]).exits(1).reads("remove-what-is-not-there");
        stage.run(&["remove", "nobody"]).exits(2);
        Ok(())
    });
}
