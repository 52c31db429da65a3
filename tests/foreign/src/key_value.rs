//! GET, PUT and DELETE of a key, by a node of its shard; the others pass it on to one.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode, Uri},
};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    node::{FROM_NODE, Node},
    reply::{Reply, fields},
    setup::Flaw,
    version::Version,
};

const KEY_CHARACTERS_MAX: usize = 50;
/// How long a node waits for what a token names.
const COVERING: Duration = Duration::from_secs(1);
/// The same before a PUT, which goes on in any case.
const COVERING_FOR_PUT: Duration = Duration::from_millis(300);
/// For an answer of the node that a request is passed on to.
const FORWARDING: Duration = Duration::from_secs(3);
/// How long a node looks for one that can answer.
const SEARCHING: Duration = Duration::from_millis(800);
const SEARCH_INTERVAL: Duration = Duration::from_millis(20);
/// The flaw loses every so many-th write.
const FORGOTTEN: u64 = 10;

struct Operation {
    method: Method,
    key: String,
    value: Option<Value>,
    token: Version,
}

pub(crate) async fn key_is_empty(method: Method) -> Reply {
    Reply::bad_request(&method, "Key is empty")
}

pub(crate) async fn operate(
    State(node): State<Arc<Node>>,
    method: Method,
    uri: Uri,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply, Reply> {
    let given = fields(&method, body)?;
    let operation = Operation {
        value: value(&method, &key, &given)?,
        token: token(&method, given.get("causal-metadata"))?,
        method,
        key,
    };
    let deadline = Instant::now() + SEARCHING;
    loop {
        let gate = node.gate.read().await;
        let (shard, is_mine, peers) = {
            let state = node.state();
            let shard = state.shard_of_key(&operation.key);
            (shard, state.shard() == Some(shard), state.peers(Some(shard)))
        };
        if is_mine {
            return carry_out(&node, operation, shard + 1).await;
        }
        // Whoever passes it on holds no gate: the other's may be shut.
        drop(gate);
        if headers.contains_key(FROM_NODE) {
            return Ok(Reply(StatusCode::MISDIRECTED_REQUEST, Value::Null));
        }
        for peer in peers {
            let body = Value::from(given.clone()).to_string().into_bytes();
            match node.send(peer, operation.method.clone(), uri.path(), body, FORWARDING).await {
                Some((StatusCode::MISDIRECTED_REQUEST, _)) | None => {}
                Some((status, answer)) => return Ok(Reply(status, answer)),
            }
        }
        if Instant::now() > deadline {
            return Err(Reply::unavailable(&operation.method, format!("No node of shard {} answers", shard + 1)));
        }
        sleep(SEARCH_INTERVAL).await;
    }
}

fn value(method: &Method, key: &str, given: &Map<String, Value>) -> Result<Option<Value>, Reply> {
    if *method != Method::PUT {
        return Ok(None);
    }
    if key.chars().count() > KEY_CHARACTERS_MAX {
        return Err(Reply::bad_request(method, "Key is too long"));
    }
    given.get("value").cloned().map(Some).ok_or_else(|| Reply::bad_request(method, "Value is missing"))
}

fn token(method: &Method, given: Option<&Value>) -> Result<Version, Reply> {
    match given {
        None | Some(Value::Null) => Ok(Version::default()),
        Some(Value::String(text)) if text.is_empty() => Ok(Version::default()),
        Some(Value::String(text)) => {
            text.parse().map_err(|()| Reply::bad_request(method, "The causal-metadata is none"))
        }
        Some(_) => Err(Reply::bad_request(method, "The causal-metadata is no string")),
    }
}

async fn carry_out(node: &Arc<Node>, operation: Operation, shard: usize) -> Result<Reply, Reply> {
    let Operation { method, key, value, token } = operation;
    let patience = if method == Method::PUT { COVERING_FOR_PUT } else { COVERING };
    if !node.cover(&token, patience).await && method != Method::PUT {
        return Err(Reply::unavailable(&method, format!("Not all of {token} is here")));
    }
    if method != Method::PUT && method != Method::DELETE {
        return get(node, &method, &key, &token, shard);
    }
    let is_put = value.is_some();
    let mut count = node.writes.lock().await;
    let exists = node.state().holding.entries.get(&key).is_some_and(|present| present.value.is_some());
    if !is_put && !exists {
        return Err(missing(node, &method, &key, &token));
    }
    *count += 1;
    let version = if node.flaw == Some(Flaw::Forgets) && *count % FORGOTTEN == 0 {
        token.merged(&node.state().holding.version)
    } else {
        let entry = node.state().write(&key, value, &token);
        node.replicate(&key, &entry).await;
        entry.version
    };
    let (status, mut body) = match (is_put, exists) {
        (true, false) => (StatusCode::CREATED, json!({ "message": "Added successfully", "replaced": false })),
        (true, true) => (StatusCode::OK, json!({ "message": "Updated successfully", "replaced": true })),
        (false, _) => (StatusCode::OK, json!({ "doesExist": true, "message": "Deleted successfully" })),
    };
    body["version"] = version.to_string().into();
    body["causal-metadata"] = version.to_string().into();
    body["shard-id"] = shard.to_string().into();
    let status = if node.flaw == Some(Flaw::WrongStatus) { StatusCode::OK } else { status };
    Ok(Reply(status, body))
}

fn get(node: &Node, method: &Method, key: &str, token: &Version, shard: usize) -> Result<Reply, Reply> {
    let entry = node.state().holding.entries.get(key).cloned();
    let Some((version, value)) = entry.and_then(|entry| Some((entry.version, entry.value?))) else {
        return Err(missing(node, method, key, token));
    };
    Ok(Reply::ok(json!({
        "doesExist": true,
        "message": "Retrieved successfully",
        "value": value,
        "version": version.to_string(),
        "causal-metadata": token.merged(&version).to_string(),
        "shard-id": shard.to_string(),
    })))
}

/// A key that is not there: whoever is told so depends on its deletion, if that is why.
fn missing(node: &Node, method: &Method, key: &str, token: &Version) -> Reply {
    let seen = node.state().holding.entries.get(key).map_or(token.clone(), |entry| token.merged(&entry.version));
    let Reply(mut status, mut body) = Reply::error(StatusCode::NOT_FOUND, method, "Key does not exist");
    body["doesExist"] = false.into();
    body["causal-metadata"] = seen.to_string().into();
    if node.flaw == Some(Flaw::WrongStatus) && *method != Method::DELETE {
        status = StatusCode::OK;
    }
    Reply(status, body)
}
