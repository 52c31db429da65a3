//! `add NAME`: a node for the running cluster: started when it does not run, in every view, a member of a shard.

use std::net::Ipv4Addr;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::bring_up::{Until, bring_up};
use super::reshard::shards_of;
use super::running::{Running, find};
use super::session::Session;
use crate::client::ClientError;
use crate::failure::Failure;
use crate::output::Event;
use crate::readiness::Awaited;
use crate::runtime::is_port_taken;
use crate::spec::{NodeSpec, name_problem};

const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

pub(super) async fn run(session: &Session<'_>, name: &str, shard: Option<&str>) -> Result<(), Failure> {
    let cluster = find(session).await?;
    let session = &session.placed(&*cluster.runtime).await?;
    let node = node(session, &cluster, name)?;
    let others: Vec<Awaited> = cluster.awaited().into_iter().filter(|other| other.node.name != name).collect();
    if others.is_empty() {
        return Err(Failure::Unhealthy(format!(
            "{name} is the only node that runs; `orchestrator up` starts the others"
        )));
    }
    let shard = choose_shard(&others, shard).await?;

    let extended = session.with_node(node);
    let nodes = extended.nodes(&[name.to_owned()])?;
    let outcome = bring_up(&extended, &*cluster.runtime, nodes, false, Until::Agreement).await?;
    let added = outcome.running.iter().find(|running| running.node.name == name);
    let added = added.ok_or_else(|| Failure::not_running(name))?;

    let joined = join(session, &others, added, shard).await?;
    let changed = outcome.changed || joined.is_some();
    let shard = joined.unwrap_or_else(|| "its shard".to_owned());
    let text = match changed {
        false => format!("up to date\n{name}  {}", added.url),
        true => format!("{name}  {}  shard {shard}", added.url),
    };
    session
        .output
        .result(&text, json!({"event": "add", "changed": changed, "name": name, "url": added.url, "shard": shard}));
    Ok(())
}

/// The shard the person asked for, if it is there.
async fn choose_shard(others: &[Awaited], asked: Option<&str>) -> Result<Choice, Failure> {
    let shards = shards_of(others).await?;
    if let Some(asked) = asked {
        if shards.contains_key(asked) {
            return Ok(Choice { id: asked.to_owned(), is_asked: true });
        }
        let ids: Vec<&str> = shards.keys().map(String::as_str).collect();
        return Err(Failure::Usage(format!("--shard: there is no shard {asked}; there are {}", ids.join(", "))));
    }
    let smallest = shards.iter().min_by_key(|(_, (members, _))| *members);
    let smallest = smallest
        .ok_or_else(|| Failure::Unhealthy("the cluster has no shard; `orchestrator reshard 1` makes one".to_owned()))?;
    Ok(Choice { id: smallest.0.clone(), is_asked: false })
}

struct Choice {
    id: String,
    is_asked: bool,
}

/// Makes the node a member; `None` when it already was.
async fn join(
    session: &Session<'_>,
    others: &[Awaited],
    added: &Awaited,
    choice: Choice,
) -> Result<Option<String>, Failure> {
    let name = &added.node.name;
    let current = added.client.node_shard_id().await.unwrap_or_default();
    if current.as_ref().is_some_and(|current| !choice.is_asked || *current == choice.id) {
        return Ok(None);
    }
    let start = Instant::now();
    let deadline = start + session.timeout();
    let mut turn = 0;
    loop {
        let asked = &others[turn % others.len()];
        turn += 1;
        session.output.waiting(name, &format!("joining shard {}", choice.id));
        let left = deadline.saturating_duration_since(Instant::now());
        let result = tokio::select! {
            result = asked.client.add_member(&choice.id, &added.socket, left) => result,
            () = session.interrupt.asked() => {
                return Err(Failure::Interrupted(format!("{name} runs, but may not be in a shard; run it again")));
            }
        };
        let seen = match result {
            Ok(_) => break,
            Err(ClientError::Refused { message, .. }) if message.contains("already exists in the shard") => break,
            Err(ClientError::Refused { status, message }) if status < 500 => {
                let id = &choice.id;
                return Err(Failure::Unhealthy(format!("the cluster refuses {name} in shard {id}: {message}")));
            }
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            let seconds = session.timeout().as_secs();
            let id = &choice.id;
            return Err(Failure::NotReady(format!(
                "{name} is not in shard {id} within {seconds} s; {} says: {seen}; run it again to go on",
                asked.node.name
            )));
        }
        sleep(PAUSE).await;
    }
    let event = Event::new("node.joined", format!("joined shard {}", choice.id)).node(Some(name));
    session.output.event(&event.took(start.elapsed()));
    Ok(Some(choice.id))
}

/// The node of the file, the one that was added before, or a new one at the next free address and port.
fn node(session: &Session<'_>, cluster: &Running, name: &str) -> Result<NodeSpec, Failure> {
    let spec = &session.spec;
    if let Some(node) = spec.node(name) {
        return Ok(node.clone());
    }
    if let Some(problem) = name_problem(name) {
        return Err(Failure::Usage(problem));
    }
    let (mut addresses, mut ports): (Vec<Ipv4Addr>, Vec<u16>) =
        spec.nodes.iter().map(|node| (node.address, node.host_port)).unzip();
    let mut before = None;
    for other in &cluster.nodes {
        if other.name == name {
            before = other.address.zip(other.host_port);
        }
        addresses.extend(other.address);
        ports.extend(other.host_port);
    }
    // Processes all have the same address, which is none of the subnet's.
    addresses.retain(|address| spec.network.subnet.contains(address));
    let (address, host_port) = match before {
        Some(before) => before,
        None => (next_address(session, &addresses)?, next_port(&ports)?),
    };
    let env = spec.env.clone();
    Ok(NodeSpec { name: name.to_owned(), address, host_port, ungrouped: true, env })
}

fn next_address(session: &Session<'_>, taken: &[Ipv4Addr]) -> Result<Ipv4Addr, Failure> {
    let network = &session.spec.network;
    let last = taken.iter().max().copied().unwrap_or_else(|| network.gateway());
    let next = Ipv4Addr::from(u32::from(last) + 1);
    if network.subnet.contains(&next) && !network.dynamic_range().contains(&next) {
        return Ok(next);
    }
    Err(Failure::Usage(format!(
        "{} has no free address above those of the nodes; give the node an entry in cluster.yaml, with one outside {}",
        network.subnet,
        network.dynamic_range()
    )))
}

fn next_port(taken: &[u16]) -> Result<u16, Failure> {
    let first = taken.iter().max().copied().unwrap_or(8081);
    let mut candidates = first.checked_add(1).into_iter().flat_map(|first| first..=u16::MAX);
    candidates.find(|port| !is_port_taken(*port)).ok_or_else(|| {
        Failure::Usage(
            "there is no free port above those of the nodes; give the node an entry in cluster.yaml, with another host_port".to_owned(),
        )
    })
}
