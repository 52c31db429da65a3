//! The shards: who is in which, how many keys each has, and their rearrangement by request.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{Method, StatusCode, Uri},
};
use serde_json::{Value, json};

use crate::{
    node::{Node, PATIENCE},
    rearrange::{rearrange, split},
    reply::{Reply, fields},
    setup::Flaw,
    view::{list, socket_address},
};

/// What the course asks of a shard that must survive one node.
const MEMBERS_MIN: usize = 2;

pub(crate) async fn ids(State(node): State<Arc<Node>>) -> Reply {
    let ids: Vec<_> = (1..=node.state().holding.shards.len()).map(|id| id.to_string()).collect();
    Reply::ok(json!({ "message": "Shard IDs retrieved successfully", "shard-ids": ids.join(",") }))
}

pub(crate) async fn of_node(State(node): State<Arc<Node>>) -> Reply {
    let id = node.state().shard().map_or(String::new(), |shard| (shard + 1).to_string());
    Reply::ok(json!({ "message": "Shard ID of the node retrieved successfully", "shard-id": id }))
}

pub(crate) async fn members(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Reply, Reply> {
    let shards = node.state().holding.shards.clone();
    let members = list(&shards[index(&shards, &Method::GET, &id)?]);
    Ok(Reply::ok(json!({ "message": "Members of shard ID retrieved successfully", "shard-id-members": members })))
}

pub(crate) async fn key_count(State(node): State<Arc<Node>>, Path(id): Path<String>, uri: Uri) -> Result<Reply, Reply> {
    let shard = index(&node.state().holding.shards, &Method::GET, &id)?;
    let (is_mine, peers) = {
        let state = node.state();
        (state.shard() == Some(shard), state.peers(Some(shard)))
    };
    if is_mine {
        let count = node.state().holding.entries.values().filter(|entry| entry.value.is_some()).count();
        let message = "Key count of shard ID retrieved successfully";
        return Ok(Reply::ok(json!({ "message": message, "shard-id-key-count": count })));
    }
    for peer in peers {
        if let Some((status, answer)) = node.send(peer, Method::GET, uri.path(), Vec::new(), PATIENCE).await {
            return Ok(Reply(status, answer));
        }
    }
    Err(Reply::unavailable(&Method::GET, format!("No node of shard {id} answers")))
}

pub(crate) async fn add_member(
    State(node): State<Arc<Node>>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply, Reply> {
    let given = socket_address(&Method::PUT, &fields(&Method::PUT, body)?)?;
    let mut shards = node.state().holding.shards.clone();
    let shard = index(&shards, &Method::PUT, &id)?;
    let address = meant(given, &node.state().view()).ok_or_else(|| {
        Reply::error(StatusCode::NOT_FOUND, &Method::PUT, "Socket address does not exist in the view")
    })?;
    if shards[shard].contains(&address) {
        return Err(Reply::error(StatusCode::NOT_FOUND, &Method::PUT, "Socket address already exists in the shard"));
    }
    if let Some(former) = shards.iter_mut().find(|members| members.contains(&address)) {
        if former.len() <= MEMBERS_MIN {
            return Err(not_enough_nodes());
        }
        former.retain(|member| *member != address);
    }
    shards[shard].push(address);
    shards[shard].sort();
    rearrange(&node, shards).await.map_err(|error| Reply::unavailable(&Method::PUT, error))?;
    Ok(Reply::ok(json!({ "message": "Member added to the shard successfully" })))
}

pub(crate) async fn reshard(
    State(node): State<Arc<Node>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply, Reply> {
    let given = fields(&Method::PUT, body)?;
    let count = given.get("shard-count").and_then(Value::as_u64).filter(|count| *count > 0);
    let count = count.ok_or_else(|| Reply::bad_request(&Method::PUT, "The shard-count is no positive number"))?;
    let view = node.state().view();
    let Some(count) = usize::try_from(count).ok().filter(|count| *count <= view.len() / MEMBERS_MIN) else {
        return Err(not_enough_nodes());
    };
    assert!(node.flaw != Some(Flaw::CrashesOnReshard), "resharding to {count} shards was never tried before");
    rearrange(&node, split(&view, count)).await.map_err(|error| Reply::unavailable(&Method::PUT, error))?;
    Ok(Reply::ok(json!({ "message": "Resharding done successfully" })))
}

/// The class names a node by the port of the host now and then: the only node with that IP is meant.
fn meant(given: SocketAddr, view: &[SocketAddr]) -> Option<SocketAddr> {
    let mut same_ip = view.iter().copied().filter(|node| node.ip() == given.ip());
    match (same_ip.next(), same_ip.next()) {
        (Some(only), None) => Some(only),
        _ => view.contains(&given).then_some(given),
    }
}

/// The index of a shard that a client names.
fn index(shards: &[Vec<SocketAddr>], method: &Method, id: &str) -> Result<usize, Reply> {
    let known = (0..shards.len()).find(|shard| (shard + 1).to_string() == id);
    known.ok_or_else(|| Reply::error(StatusCode::NOT_FOUND, method, "Shard ID does not exist"))
}

fn not_enough_nodes() -> Reply {
    let message = "Not enough nodes to provide fault-tolerance with the given shard count!";
    Reply(StatusCode::BAD_REQUEST, json!({ "message": message }))
}
