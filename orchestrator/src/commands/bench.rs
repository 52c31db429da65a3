//! `bench`: load on the running cluster by clients that carry their tokens, and what came of it.

mod evidence;
mod report;

use std::path::Path;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use load::{Distribution, Load, Running as Loading, Store, Summary};
use serde_json::Value;
use tokio::time::sleep;

use super::running::{Running, find};
use super::session::{Session, dialect};
use crate::cli::{BenchArguments, DistributionChoice};
use crate::failure::Failure;
use crate::observed::{NodeState, ObservedNode};
use crate::readiness::Awaited;
use evidence::Measured;
use report::{Report, Share};

const PAUSE: Duration = Duration::from_millis(200);
/// What helps when nodes do not answer as they should.
const HINT: &str = "`orchestrator status` tells how the nodes are";

pub(super) async fn run(session: &Session<'_>, arguments: &BenchArguments) -> Result<(), Failure> {
    let before = arguments.compare.as_deref().map(read).transpose()?;
    let cluster = find(session).await?;
    let asked = asked(session, &cluster, &arguments.node)?;
    let dialect = dialect(&session.spec, arguments.dialect);
    let client = |index: usize| {
        let authority = asked[index % asked.len()].url.trim_start_matches("http://");
        Store::new(authority, dialect.key_path(""), !arguments.independent)
    };
    let connections = usize::from(arguments.connections);
    let load = load(arguments);
    let began = SystemTime::now();
    let events = cluster.runtime.events(&session.spec, began);
    let idle = processor_times(&cluster).await;
    let loading = load.start((0..connections).map(client).collect());
    let interrupted = watch(session, &loading).await;
    let all = loading.operations();
    let (summary, unmet) = tokio::task::spawn_blocking(|| loading.finish())
        .await
        .map_err(|error| Failure::Engine(format!("a client ended: {error}")))?;
    if interrupted {
        return Err(Failure::Interrupted("what was written stays".to_owned()));
    }
    let shares = shares(&idle, &processor_times(&cluster).await, all);
    let report = Report { summary, shares };
    session.output.result(&report.text(before.as_ref()), report.json());
    let Err(failure) = verdict(session, &cluster, &report).await else { return Ok(()) };
    Err(Measured { session, cluster: &cluster, began, events, report: &report, unmet }.failed(failure).await)
}

/// A load is good when all that was asked for was answered as it should be, and the nodes are still there.
async fn verdict(session: &Session<'_>, cluster: &Running, report: &Report) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let there = cluster.runtime.nodes(&session.spec.name).await?;
    for node in cluster.nodes.iter().filter(|node| node.is_running()) {
        let now = there.iter().find(|now| now.name == node.name);
        if now.is_none_or(|now| now.state == NodeState::Stopped) {
            let how = cluster.runtime.last_words(node).await.unwrap_or_else(|| "ended".to_owned());
            problems.push(format!("{0} {how} under load; `orchestrator up {0}` starts it", node.name));
        }
    }
    let (errors, good) = (report.summary.errors.values().sum::<u64>(), report.summary.operations);
    if good == 0 {
        problems.push(format!("not one operation was answered as it should be: {}; {HINT}", report.errors()));
    } else if errors > 0 {
        let all = errors + good;
        problems.push(format!(
            "{errors} of {all} operations were not answered as they should be: {}; {HINT}",
            report.errors()
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Unhealthy(problems.join("\n"))) }
}

fn load(arguments: &BenchArguments) -> Load {
    Load {
        connections: usize::from(arguments.connections),
        warm_up: Duration::from_secs(arguments.warm_up),
        duration: Duration::from_secs(arguments.seconds),
        rate: arguments.rate.map(f64::from),
        mix: arguments.mix,
        keys: u64::from(arguments.keys),
        value_bytes: arguments.value_bytes as usize,
        distribution: match arguments.distribution {
            DistributionChoice::Uniform => Distribution::Uniform,
            DistributionChoice::Zipf => Distribution::Zipf,
        },
        seed: arguments.seed,
    }
}

/// The nodes that are asked: those named, or all that run.
fn asked(session: &Session<'_>, cluster: &Running, names: &[String]) -> Result<Vec<Awaited>, Failure> {
    let running = cluster.awaited();
    if names.is_empty() {
        return Ok(running);
    }
    let named = names.iter().map(|name| {
        let found = running.iter().find(|node| node.node.name == *name).cloned();
        found.ok_or_else(|| session.not_running(name))
    });
    named.collect()
}

/// Until the clients have ended; whether somebody has interrupted them.
async fn watch(session: &Session<'_>, loading: &Loading) -> bool {
    while !loading.is_finished() {
        session.output.waiting("bench", &format!("{} operations", loading.operations()));
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = session.interrupt.asked() => {
                loading.stop();
                return true;
            }
        }
    }
    false
}

/// What each node has had of the processors so far, by name.
async fn processor_times(cluster: &Running) -> Vec<(String, Duration)> {
    let running = cluster.nodes.iter().filter(|node| node.is_running());
    let time = async |node: &ObservedNode| Some((node.name.clone(), cluster.runtime.processor_time(node).await?));
    join_all(running.map(time)).await.into_iter().flatten().collect()
}

/// What each node had meanwhile, for each of so many operations.
fn shares(before: &[(String, Duration)], after: &[(String, Duration)], operations: u64) -> Vec<Share> {
    let share = |(name, now): &(String, Duration)| {
        let (_, then) = before.iter().find(|(other, _)| other == name)?;
        let us = now.saturating_sub(*then).as_secs_f64() * 1e6 / operations.max(1) as f64;
        Some(Share { node: name.clone(), us_per_operation: us })
    };
    after.iter().filter_map(share).collect()
}

/// What an earlier run has told with `--output json`.
fn read(file: &Path) -> Result<Summary, Failure> {
    let unreadable = |reason: String| {
        let file = file.display();
        Failure::Usage(format!("--compare: {file}: {reason}; `orchestrator --output json bench > FILE` writes one"))
    };
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = lines.into_iter().find(|told| told["event"] == "bench");
    let mut told = told.ok_or_else(|| unreadable("there is no result in it".to_owned()))?;
    serde_json::from_value(told["summary"].take()).map_err(|error| unreadable(error.to_string()))
}
