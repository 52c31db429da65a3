//! What nodes ask of each other.

use std::{cmp::Ordering, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, put},
};
use serde_json::{Value, json};

use crate::{
    holding::{Entry, Holding},
    node::Node,
    rearrange,
    reply::Reply,
    setup::Flaw,
};

pub(crate) fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/internal/ping", get(ping))
        .route("/internal/holding", get(holding).put(install))
        .route("/internal/gate", put(shut).delete(open))
        .route("/internal/write", put(write))
        // All keys of a shard come in one body.
        .layer(DefaultBodyLimit::disable())
}

async fn ping(State(node): State<Arc<Node>>) -> Reply {
    let state = node.state();
    Reply::ok(json!({ "version": state.holding.version.to_string(), "view": state.view() }))
}

async fn holding(State(node): State<Arc<Node>>) -> Reply {
    Reply::ok(node.state().holding.to_json())
}

async fn install(State(node): State<Arc<Node>>, Json(share): Json<Value>) -> Reply {
    // What was made for this node counts as its own.
    match Holding::from_json(&share).map(|share| node.state().take(share, node.address)) {
        Some(Ok(())) => Reply::ok(Value::Null),
        _ => refused(),
    }
}

async fn shut(State(node): State<Arc<Node>>) -> Reply {
    if rearrange::shut(&node).await { Reply::ok(Value::Null) } else { refused() }
}

async fn open(State(node): State<Arc<Node>>) -> Reply {
    rearrange::open(&node);
    Reply::ok(Value::Null)
}

async fn write(State(node): State<Arc<Node>>, Json(message): Json<Value>) -> Reply {
    let origin = message["origin"].as_str().and_then(|text| text.parse().ok());
    let (Some(origin), Some(key), Some(entry)) = (origin, message["key"].as_str(), Entry::from_json(&message["entry"]))
    else {
        return refused();
    };
    {
        let mut state = node.state();
        let held = &state.holding.version;
        let is_next = entry.version.count(origin) <= held.count(origin) + 1 || node.flaw == Some(Flaw::Stale);
        match entry.version.placement.cmp(&held.placement) {
            Ordering::Less => return refused(),
            Ordering::Equal if is_next => {
                state.apply(origin, key, entry);
                return Reply::ok(Value::Null);
            }
            _ => {}
        }
    }
    // Something came before, which is with the origin, as this is.
    node.catch_up(origin).await;
    Reply::ok(Value::Null)
}

fn refused() -> Reply {
    Reply(StatusCode::CONFLICT, Value::Null)
}
