//! `reshard N`: asks the cluster, and shows the keys per shard before and after.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::running::{ask_any, find};
use super::session::Session;
use crate::client::ClientError;
use crate::failure::Failure;
use crate::output::Event;
use crate::readiness::Awaited;

/// A node answers after at most 60 s, and goes on in the background.
const REPLY_PATIENCE: Duration = Duration::from_secs(70);
const TIMEOUT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

/// Members and keys of every shard, by its id.
pub(super) type Shards = BTreeMap<String, (usize, u64)>;

pub(super) async fn run(session: &Session<'_>, shards: u32) -> Result<(), Failure> {
    let nodes = find(session).await?.awaited();
    let before = shards_of(&nodes).await?;
    session
        .output
        .event(&Event::new("reshard.started", format!("resharding {} → {shards}: {}", before.len(), keys(&before))));
    let start = Instant::now();
    tokio::select! {
        result = ask(session, &nodes, shards) => result?,
        () = session.interrupt.asked() => {
            let message = "the cluster goes on by itself; `orchestrator status` shows how far it is";
            return Err(Failure::Interrupted(message.to_owned()));
        }
    }
    let after = shards_of(&nodes).await?;
    session.output.event(&Event::new("reshard.finished", format!("{} shards", after.len())).took(start.elapsed()));
    let list = |shards: &Shards| -> Value {
        shards.iter().map(|(id, (members, keys))| json!({"id": id, "members": members, "keys": keys})).collect()
    };
    let text = format!("before: {}\nafter:  {}", keys(&before), keys(&after));
    session.output.result(&text, json!({"event": "reshard", "before": list(&before), "after": list(&after)}));
    Ok(())
}

fn keys(shards: &Shards) -> String {
    let parts: Vec<String> =
        shards.iter().map(|(id, (members, keys))| format!("shard {id}: {keys} keys on {members} nodes")).collect();
    parts.join(", ")
}

/// What every shard has.
pub(super) async fn shards_of(nodes: &[Awaited]) -> Result<Shards, Failure> {
    ask_any(nodes, |node| async move {
        let mut shards = Shards::new();
        for id in node.client.shard_ids().await? {
            let members = node.client.members(&id).await?.len();
            let keys = node.client.key_count(&id).await?;
            shards.insert(id, (members, keys));
        }
        Ok(shards)
    })
    .await
}

/// Asks again while the cluster says that it is not finished.
pub(super) async fn ask(session: &Session<'_>, nodes: &[Awaited], shards: u32) -> Result<(), Failure> {
    let timeout = session.global.timeout.unwrap_or(TIMEOUT);
    let deadline = Instant::now() + timeout;
    let mut turn = 0;
    loop {
        let node = &nodes[turn % nodes.len()];
        turn += 1;
        session.output.progress(&format!("resharding to {shards} shards ({} asked)", node.node.name));
        let left = deadline.saturating_duration_since(Instant::now()).min(REPLY_PATIENCE);
        let seen = match node.client.reshard(shards, left).await {
            Ok(_) => return Ok(()),
            Err(ClientError::Refused { status, message }) if status < 500 => {
                return Err(Failure::Unhealthy(format!("the cluster refuses to reshard to {shards}: {message}")));
            }
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            let seconds = timeout.as_secs();
            let name = &node.node.name;
            return Err(Failure::NotReady(format!(
                "not resharded to {shards} within {seconds} s; {name} says: {seen}; run it again to go on"
            )));
        }
        sleep(PAUSE).await;
    }
}
