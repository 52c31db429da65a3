//! Clients that read and write with their tokens see nothing wrong while the orchestrator grows and reshards the cluster.

use std::time::Duration;

use conformance::ensure;
use conformance::workload::Workload;

use crate::Scenario;
use crate::clients::{DIALECT, measured, with_clients};
use crate::stage::{Sources, Stage, status_json};

pub(crate) const ALL: &[Scenario] = &[("clients_see_nothing_wrong_while_the_cluster_grows_and_reshards", grow)];

/// What twenty clients that never retry must at least get done together.
const OPERATIONS_PER_SECOND: f64 = 200.0;
/// Twenty of these are at most 400 operations a second.
const PACE: Duration = Duration::from_millis(50);
const SEED: u64 = 5;
/// What the clients do between two commands.
const BETWEEN: u64 = 400;

fn grow() {
    with_clients(async {
        let stage = Stage::new("docker", Sources::Workspace, 6, 2);
        let names: Vec<&str> = (1..=6).map(|number| stage.name(number)).collect();
        stage.run(&[&["up"], &names[..]].concat()).exits(0);
        let mut urls: Vec<String> = (1..=6).map(|number| stage.url(number)).collect();
        let load = Workload { pace: PACE, ..Workload::new(DIALECT, SEED) };
        let running = load.start(urls.clone());
        running.more(BETWEEN).await?;

        stage.run(&["ungrouped"]).exits(0);
        urls.push(stage.url(7));
        running.add_node(stage.url(7));
        running.more(BETWEEN).await?;
        stage.run(&["add", stage.name(7), "--shard", "1"]).exits(0).answers("shard 1");
        running.more(BETWEEN).await?;

        let eighth = format!("{}-node8", stage.project);
        stage.run(&["add", &eighth]).exits(0).answers("shard 2");
        let url = status_json(&stage)[&eighth]["url"].as_str().expect("a URL").to_owned();
        urls.push(url.clone());
        running.add_node(url);
        running.more(BETWEEN).await?;
        for shards in ["4", "2"] {
            stage.run(&["reshard", shards]).exits(0);
            running.more(BETWEEN).await?;
        }

        let report = running.stop().await?;
        measured(&format!("while the cluster grew and resharded: {report}"));
        report.verdict()?;
        report.check_final_state(&urls, 0).await?;
        let throughput = report.throughput();
        ensure(throughput >= OPERATIONS_PER_SECOND, || {
            format!("{OPERATIONS_PER_SECOND} operations a second at least, got {throughput:.0}")
        })
    });
}
