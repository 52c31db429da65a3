//! A new placement: every node that is up stops serving keys, all keys are collected, every node gets its share, all go on.
//!
//! Invariant: no key is served by two placements at once.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use serde_json::Value;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    holding::Holding,
    node::{Node, PATIENCE},
    state::shard_of_key,
};

/// For the requests in flight at a node that shuts its gate, and for all keys on their way.
const STEP: Duration = Duration::from_secs(5);
/// A gate that is shut by somebody who has died opens by itself.
const SHUT_MAX: Duration = Duration::from_secs(30);

/// Even shards of neighbouring addresses.
pub(crate) fn split(nodes: &[SocketAddr], shard_count: usize) -> Vec<Vec<SocketAddr>> {
    let shard_count = shard_count.min(nodes.len());
    let mut shards = vec![Vec::new(); shard_count];
    for (index, node) in nodes.iter().enumerate() {
        shards[index * shard_count / nodes.len()].push(*node);
    }
    shards
}

/// Moves every key to where it belongs under `shards`, and makes that the placement of all nodes that are up.
///
/// # Errors
/// A node that does not answer, by its address.
pub(crate) async fn rearrange(node: &Arc<Node>, shards: Vec<Vec<SocketAddr>>) -> Result<(), String> {
    let mut shut = Vec::new();
    let moved = move_all(node, &mut shut, shards).await;
    for peer in shut {
        // One that does not hear opens its gate by itself.
        let _ = ask(node, peer, Method::DELETE, "/internal/gate", Vec::new()).await;
    }
    moved
}

async fn move_all(node: &Node, shut: &mut Vec<SocketAddr>, shards: Vec<Vec<SocketAddr>>) -> Result<(), String> {
    let nodes = &node.state().view();
    // In order of address, so that of two rearrangements one waits for the other at the first node.
    for peer in nodes {
        ask(node, *peer, Method::PUT, "/internal/gate", Vec::new()).await?;
        shut.push(*peer);
    }
    let mut all = Holding::new(0, shards);
    for peer in nodes {
        let theirs = ask(node, *peer, Method::GET, "/internal/holding", Vec::new()).await?;
        let theirs = Holding::from_json(&theirs).ok_or_else(|| format!("{peer} holds nothing readable"))?;
        all.version.placement = all.version.placement.max(theirs.version.placement + 1);
        for (key, entry) in theirs.entries {
            all.keep(&key, entry);
        }
    }
    for peer in nodes {
        let mut share = all.clone();
        let shard = all.shards.iter().position(|members| members.contains(peer));
        share.entries.retain(|key, _| shard == Some(shard_of_key(key, all.shards.len())));
        ask(node, *peer, Method::PUT, "/internal/holding", share.to_json().to_string().into_bytes()).await?;
    }
    Ok(())
}

async fn ask(node: &Node, to: SocketAddr, method: Method, path: &str, body: Vec<u8>) -> Result<Value, String> {
    match node.send(to, method, path, body, STEP).await {
        Some((StatusCode::OK, answer)) => Ok(answer),
        _ => Err(format!("{to} does not take part")),
    }
}

/// Lets the requests in flight end, and no other begin; `false` when they do not end in time.
pub(crate) async fn shut(node: &Node) -> bool {
    let Ok(guard) = timeout(STEP - PATIENCE, Arc::clone(&node.gate).write_owned()).await else {
        return false;
    };
    let (open, opened) = oneshot::channel();
    *node.shut.lock().expect("nobody panics with the gate in hand") = Some(open);
    tokio::spawn(async move {
        let _ = timeout(SHUT_MAX, opened).await;
        drop(guard);
    });
    true
}

/// Lets requests for keys pass again.
pub(crate) fn open(node: &Node) {
    node.shut.lock().expect("nobody panics with the gate in hand").take();
}
