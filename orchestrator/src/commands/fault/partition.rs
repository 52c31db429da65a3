//! `fault partition`, `fault isolate`, and `fault heal`, which ends every fault.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;

use super::super::session::Session;
use super::{Cluster, json_of, life};
use crate::failure::Failure;
use crate::output::Event;
use crate::partition::{Cut, Groups, among, isolated, lines};
use crate::plan::Fault;

pub(super) async fn partition(session: &Session<'_>, words: &[String], one_way: bool) -> Result<(), Failure> {
    let groups = Groups::parse(words).map_err(Failure::Usage)?;
    let cuts = if one_way { groups.one_way().map_err(Failure::Usage)? } else { groups.apart() };
    let cluster = Cluster::find(session).await?;
    cluster.know(groups.names())?;
    add(&cluster, "partition", cuts).await
}

pub(super) async fn isolate(session: &Session<'_>, names: &[String]) -> Result<(), Failure> {
    let cluster = Cluster::find(session).await?;
    cluster.know(names.iter().map(String::as_str))?;
    let nodes = cluster.nodes();
    let all: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    add(&cluster, "isolate", isolated(names, &all)).await
}

/// Makes these cuts beside those that are there.
async fn add(cluster: &Cluster<'_>, fault: &str, new: BTreeSet<Cut>) -> Result<(), Failure> {
    let before = cluster.cuts().await?;
    let mut cuts = among(before.clone(), &cluster.nodes());
    cuts.extend(new);
    make(cluster, &cuts).await?;
    let changed = cuts != before;
    let json = json!({"event": "fault", "fault": fault, "changed": changed, "cuts": json_of(&cuts)});
    cluster.session.output.result(&lines(&cuts).join("\n"), json);
    Ok(())
}

async fn make(cluster: &Cluster<'_>, cuts: &BTreeSet<Cut>) -> Result<(), Failure> {
    let Cluster { session, runtime, .. } = cluster;
    let site = session.site(None);
    if !cuts.is_empty() {
        tokio::select! {
            ready = runtime.prepare_cuts(&site) => ready?,
            () = session.interrupt.asked() => return Err(Failure::Interrupted("no cut was made".to_owned())),
        }
    }
    session.output.progress("making and proving the cuts");
    let start = Instant::now();
    runtime.cut(&site, cuts).await?;
    let took = start.elapsed();
    if session.interrupt.is_asked() {
        let done = if cuts.is_empty() { "all cuts are unmade" } else { "the cuts are made" };
        return Err(Failure::Interrupted(format!("{done}; `orchestrator fault heal` ends all faults")));
    }
    let event = match cuts.len() {
        0 => Event::new("partition.healed", "every node is heard again"),
        count => Event::new("partition.made", format!("{count} cut{} proven", plural(count))),
    };
    session.output.event(&event.took(took));
    Ok(())
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

pub(super) async fn heal(session: &Session<'_>) -> Result<(), Failure> {
    let cluster = Cluster::find(session).await?;
    let cuts = cluster.cuts().await?;
    if !cuts.is_empty() || !cluster.observed.barriers.is_empty() {
        // First, so that no node starts with cuts.
        make(&cluster, &BTreeSet::new()).await?;
    }
    let mending = cluster.scene().mending();
    let names = |fault: Fault| -> Vec<String> {
        mending.iter().filter(|(mend, _)| *mend == fault).map(|(_, name)| name.clone()).collect()
    };
    let (resumed, started) = (names(Fault::Resume), names(Fault::Start));
    let mut plan = cluster.scene().plan(Fault::Resume, &resumed)?;
    plan.nodes.extend(cluster.scene().plan(Fault::Start, &started)?.nodes);
    life::apply(&cluster, &plan).await?;
    let mut done = Vec::new();
    if !cuts.is_empty() {
        done.push(format!("unmade {} cut{}", cuts.len(), plural(cuts.len())));
    }
    for (past, names) in [("resumed", &resumed), ("started", &started)] {
        if !names.is_empty() {
            done.push(format!("{past} {}", names.join(", ")));
        }
    }
    let text = if done.is_empty() { "nothing to do".to_owned() } else { done.join("; ") };
    let json = json!({
        "event": "fault", "fault": "heal", "changed": !done.is_empty(),
        "unmade": json_of(&cuts), "resumed": resumed, "started": started,
    });
    session.output.result(&text, json);
    Ok(())
}
