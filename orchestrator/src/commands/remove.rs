//! `remove NAME`: takes a node out of the running cluster: out of the view, its data moved to the others, then itself.

use serde_json::Value;
use tokio::time::Instant;

use super::bring_up::waiter;
use super::down;
use super::reshard;
use super::running::{Running, ask_any, find};
use super::session::Session;
use crate::failure::Failure;
use crate::output::{Event, counted};
use crate::plan::{Removal, volume_name};
use crate::readiness::{Awaited, Waiter};

/// What the contract asks of every shard.
const SHARD_NODES_MIN: usize = 2;

pub(super) async fn run(session: &Session<'_>, name: &str) -> Result<(), Failure> {
    let mut hold = session.hold(&session.spec.name).await?;
    let cluster = find(session).await?;
    let runs = cluster.nodes.iter().any(|node| node.name == name && node.is_running());
    if runs || hold.emptied.as_deref() != Some(name) {
        let (leaving, others) = split(session, &cluster, name).await?;
        let waiter = waiter(session, &*cluster.runtime);
        leave(session, &waiter, &leaving, &others).await.map_err(|failure| match failure {
            Failure::Interrupted(_) => Failure::Interrupted(format!("{name} still runs; run it again to go on")),
            other => other,
        })?;
    }
    hold.note_emptied(name)?;
    let nodes = [name.to_owned()];
    let removal =
        Removal { project: &session.spec.name, nodes: &nodes, volumes: true, cause: "asked for", ..Removal::default() };
    let left = format!("{name} is emptied; `orchestrator down -v {name}` removes what is left of it");
    down::remove(session, &removal, "remove").await.map_err(|failure| match failure {
        Failure::Interrupted(_) => Failure::Interrupted(left),
        other => other.and_line(&left),
    })?;
    if session.spec.node(name).is_some() {
        session.output.note(&format!("{name} is still in {}: the next `up` starts it again", session.origin));
    }
    Ok(())
}

/// The node, which runs, and the others that do.
async fn split(session: &Session<'_>, cluster: &Running, name: &str) -> Result<(Awaited, Vec<Awaited>), Failure> {
    let (leaving, others): (Vec<_>, Vec<_>) = cluster.awaited().into_iter().partition(|node| node.node.name == name);
    let Some(leaving) = leaving.into_iter().next() else {
        return Err(stands_still(session, cluster, name).await?);
    };
    if others.len() < SHARD_NODES_MIN {
        return Err(Failure::Unhealthy(format!(
            "{name} is one of the last {}: with fewer nothing is kept twice; `orchestrator down` ends the cluster",
            others.len() + 1
        )));
    }
    Ok((leaving, others))
}

/// Why a node that does not run is not removed.
async fn stands_still(session: &Session<'_>, cluster: &Running, name: &str) -> Result<Failure, Failure> {
    let there = cluster.nodes.iter().find(|node| node.name == name);
    let volume = volume_name(&session.spec.name, name);
    let has_data = cluster.runtime.volumes(&session.spec.name).await?.iter().any(|other| other.name == volume);
    if there.is_none() && !has_data {
        return Ok(match session.spec.node(name) {
            Some(_) => Failure::Unhealthy(format!("{name} is not there: there is nothing to remove")),
            None => session.unknown(name),
        });
    }
    let state = there.map_or("not running", |node| node.state.as_str());
    Ok(Failure::Unhealthy(format!(
        "{name} is {state}, so its data cannot be moved; `orchestrator up {name}` starts it, \
         `orchestrator down -v {name}` removes it with what only it has"
    )))
}

/// Out of the view; returns when all that it had is on the others.
async fn leave(
    session: &Session<'_>,
    waiter: &Waiter<'_>,
    leaving: &Awaited,
    others: &[Awaited],
) -> Result<(), Failure> {
    let shards = ask_any(others, |node| async move { node.client.shard_ids().await.map(|ids| ids.len()) }).await?;
    let enough = (others.len() / SHARD_NODES_MIN).clamp(1, shards.max(1));
    if enough < shards {
        reshard(session, others, enough).await?;
    }
    out_of_view(waiter, leaving, others).await?;
    if is_short(others).await? {
        reshard(session, others, enough).await?;
    }
    handed_over(waiter, leaving).await
}

async fn reshard(session: &Session<'_>, others: &[Awaited], shards: usize) -> Result<(), Failure> {
    let start = Instant::now();
    let count = u32::try_from(shards).unwrap_or(u32::MAX);
    reshard::ask(session, others, count).await?;
    session.output.event(&Event::new("reshard.finished", counted(shards, "shard")).took(start.elapsed()));
    Ok(())
}

async fn out_of_view(waiter: &Waiter<'_>, leaving: &Awaited, others: &[Awaited]) -> Result<(), Failure> {
    let socket = &leaving.socket;
    // Itself first: what it has written it has sent before it tells the others, who take nothing of it from then on.
    let all: Vec<Awaited> = [leaving].into_iter().chain(others).cloned().collect();
    let removed = ask_any(&all, |node| async move {
        match node.client.remove_from_view(socket).await {
            // An earlier run, interrupted, has done it.
            Err(error) if error.status() == Some(404) => Ok(Value::Null),
            other => other,
        }
    });
    removed.await?;
    let is_out = || async {
        for other in others {
            let view = other.client.view().await.map_err(|error| format!("{}: {error}", other.node.name))?;
            if view.contains(socket) {
                return Err(format!("{} has it in its view", other.node.name));
            }
        }
        Ok(())
    };
    waiter.until(leaving, "is out of every view", is_out).await?;
    waiter.output.event(&Event::new("node.left", "out of every view").node(Some(&leaving.node.name)));
    Ok(())
}

/// Whether some shard has fewer nodes now than it must have.
async fn is_short(others: &[Awaited]) -> Result<bool, Failure> {
    ask_any(others, |node| async move {
        let view = node.client.view().await?;
        for shard in node.client.shard_ids().await? {
            let members = node.client.members(&shard).await?;
            if members.iter().filter(|member| view.contains(member)).count() < SHARD_NODES_MIN {
                return Ok(true);
            }
        }
        Ok(false)
    })
    .await
}

/// Until others have all that the node has; another image does not say.
async fn handed_over(waiter: &Waiter<'_>, leaving: &Awaited) -> Result<(), Failure> {
    let start = Instant::now();
    let has_none_alone = || async {
        match leaving.client.slots_at_risk().await {
            Ok(0) => Ok(()),
            Ok(slots) => Err(format!("{slots} slots are not on two others yet")),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    waiter.until(leaving, "has handed over all that it has", has_none_alone).await?;
    let moved = Event::new("node.drained", "what it has is on the others").node(Some(&leaving.node.name));
    waiter.output.event(&moved.took(start.elapsed()));
    Ok(())
}
