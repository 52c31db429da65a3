//! `status`: what every node is and says. Exit code 1 when something is not as it should be.

mod watch;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::running::{Running, find_all};
use super::session::Session;
use crate::client::ClientError;
use crate::failure::Failure;
use crate::observed::{NodeState, ObservedNode};
use crate::output::{self, counted, text_of};
use crate::partition::{self, Cut};
use crate::readiness::Awaited;
use crate::runtime::{Look, all_runtimes};
use crate::spec::format_memory;

/// One line of the table.
struct Row {
    name: String,
    state: &'static str,
    health: String,
    address: String,
    url: String,
    shard: String,
    keys: Option<u64>,
    view: Option<Vec<String>>,
    memory_bytes: Option<u64>,
    /// In words; what `state` says already is not among them.
    faults: Vec<String>,
}

/// What there is to see of the cluster in one runtime.
struct Sight {
    table: String,
    json: Value,
    /// What is not as it should be.
    problems: Vec<String>,
}

pub(super) async fn run(session: &Session<'_>, watch: bool) -> Result<(), Failure> {
    if watch {
        return watch::run(session).await;
    }
    let sights = look(session).await?;
    if sights.is_empty() {
        session.output.result("", nobody(session));
        let project = &session.spec.name;
        let mut volumes = 0;
        for runtime in all_runtimes(session.global.runtime).await? {
            volumes += runtime.volumes(project).await?.len();
        }
        let data = match volumes {
            0 => String::new(),
            count => format!(" with the data of {}", counted(count, "volume")),
        };
        return Err(Failure::Unhealthy(format!(
            "no node of project {project} is there; `orchestrator up` starts them{data}"
        )));
    }
    let mut problems = Vec::new();
    for sight in sights {
        session.output.result(&sight.table, sight.json);
        problems.extend(sight.problems);
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Unhealthy(problems.join("\n")))
}

/// One look at the cluster, wherever it runs.
async fn look(session: &Session<'_>) -> Result<Vec<Sight>, Failure> {
    let mut sights = Vec::new();
    for cluster in find_all(session).await? {
        let cuts = cluster.runtime.cuts(&session.spec.name).await?;
        let rows = rows(&cluster, &cuts).await;
        let problems = problems_of(session, &rows);
        sights.push(Sight { table: table(&rows), json: object(session, &cluster, &rows), problems });
    }
    Ok(sights)
}

/// The object of a project without nodes.
fn nobody(session: &Session<'_>) -> Value {
    json!({"event": "status", "project": session.spec.name, "nodes": []})
}

async fn rows(cluster: &Running, cuts: &BTreeSet<Cut>) -> Vec<Row> {
    let mut rows = join_all(cluster.nodes.iter().map(|node| row(&*cluster.runtime, node))).await;
    // The count is the shard's; any node may be asked for any shard, one answer is enough.
    let shards: BTreeSet<String> = rows.iter().map(|row| row.shard.clone()).collect();
    let mut keys = BTreeMap::new();
    for node in cluster.awaited() {
        for shard in &shards {
            if !keys.contains_key(shard)
                && let Ok(count) = node.client.key_count(shard).await
            {
                keys.insert(shard.clone(), count);
            }
        }
    }
    for row in &mut rows {
        row.keys = keys.get(&row.shard).copied();
        row.faults = partition::of_node(&row.name, cuts);
    }
    rows
}

async fn row(runtime: &dyn Look, node: &ObservedNode) -> Row {
    let mut row = Row {
        name: node.name.clone(),
        state: node.state.as_str(),
        health: String::new(),
        address: node.socket().map(|socket| socket.to_string()).unwrap_or_default(),
        url: node.url().unwrap_or_default(),
        shard: String::new(),
        keys: None,
        view: None,
        memory_bytes: None,
        faults: Vec::new(),
    };
    if !node.is_running() {
        row.health = runtime.last_words(node).await.unwrap_or_default();
        return row;
    }
    row.memory_bytes = runtime.memory_bytes(node).await;
    let Some(Awaited { client, .. }) = Awaited::new(node) else { return row };
    match client.view().await {
        Ok(view) => row.view = Some(view),
        Err(error) => {
            row.health = error.to_string();
            return row;
        }
    }
    row.shard = client.node_shard_id().await.ok().flatten().unwrap_or_default();
    row.health = match client.ready().await {
        Ok(()) => "ready".to_owned(),
        // A foreign image need not know the question.
        Err(error) if error.status() == Some(404) => "answers".to_owned(),
        Err(ClientError::Refused { message, .. }) if message.starts_with("not ready") => message,
        Err(error) => format!("not ready: {error}"),
    };
    row
}

fn problems_of(session: &Session<'_>, rows: &[Row]) -> Vec<String> {
    let mut problems = Vec::new();
    for row in rows {
        if row.view.is_none() {
            let Row { name, state, health, .. } = row;
            let remedy = if *state == NodeState::Stopped.as_str() {
                format!("; `orchestrator up {name}` starts it")
            } else {
                String::new()
            };
            problems.push(format!("{name} is {state}: {health}{remedy}"));
        } else if row.health.starts_with("not ready") {
            problems.push(format!("{} is {}", row.name, row.health));
        }
    }
    let absent = session.spec.nodes.iter().filter(|node| !rows.iter().any(|row| row.name == node.name));
    problems.extend(absent.map(|node| format!("{} does not run; `orchestrator up` starts it", node.name)));
    if !agree(rows) {
        problems.push("the nodes do not agree on the view".to_owned());
    }
    problems
}

fn agree(rows: &[Row]) -> bool {
    let views: BTreeSet<&Vec<String>> = rows.iter().filter_map(|row| row.view.as_ref()).collect();
    views.len() <= 1
}

/// The view that most nodes have.
fn usual_view(rows: &[Row]) -> Option<&Vec<String>> {
    let views = rows.iter().filter_map(|row| row.view.as_ref());
    views.max_by_key(|view| rows.iter().filter(|row| row.view.as_ref() == Some(view)).count())
}

fn table(rows: &[Row]) -> String {
    let usual = usual_view(rows);
    let view = |row: &Row| match &row.view {
        Some(view) if Some(view) == usual => format!("agrees ({})", view.len()),
        Some(view) => format!("differs ({})", view.len()),
        None => String::new(),
    };
    let mut table =
        output::table(["NODE", "STATE", "HEALTH", "ADDRESS", "URL", "SHARD", "KEYS", "VIEW", "MEMORY", "FAULTS"]);
    for row in rows {
        let shard = if row.shard.is_empty() { "–" } else { &row.shard };
        table.add_row([
            row.name.clone(),
            row.state.to_owned(),
            row.health.clone(),
            row.address.clone(),
            row.url.clone(),
            shard.to_owned(),
            row.keys.map(|keys| keys.to_string()).unwrap_or_default(),
            view(row),
            row.memory_bytes.map(format_memory).unwrap_or_default(),
            row.faults.join("; "),
        ]);
    }
    text_of(&table)
}

fn object(session: &Session<'_>, cluster: &Running, rows: &[Row]) -> Value {
    let nodes: Vec<Value> = rows
        .iter()
        .map(|row| {
            let shard = Some(&row.shard).filter(|shard| !shard.is_empty());
            json!({
                "name": row.name, "state": row.state, "health": row.health, "address": row.address, "url": row.url,
                "shard": shard, "keys": row.keys, "view": row.view, "memory_bytes": row.memory_bytes, "faults": row.faults,
            })
        })
        .collect();
    let runtime = cluster.runtime.name();
    json!({"event": "status", "project": session.spec.name, "runtime": runtime, "agree": agree(rows), "nodes": nodes})
}
