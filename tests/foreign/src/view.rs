//! The view: who is up, and who joins or leaves by request.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode},
};
use serde_json::{Map, Value, json};

use crate::{
    node::{FROM_NODE, Node},
    reply::{Reply, fields},
};

/// The course of 2019 writes lists as one string.
pub(crate) fn list(nodes: &[SocketAddr]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(crate) fn socket_address(method: &Method, given: &Map<String, Value>) -> Result<SocketAddr, Reply> {
    let address = given.get("socket-address").and_then(Value::as_str).and_then(|text| text.parse().ok());
    address.ok_or_else(|| Reply::bad_request(method, "The socket-address is missing or no ip:port"))
}

pub(crate) async fn get(State(node): State<Arc<Node>>) -> Reply {
    let view = list(&node.state().view());
    Reply::ok(json!({ "message": "View retrieved successfully", "view": view }))
}

/// PUT and DELETE.
pub(crate) async fn change(
    State(node): State<Arc<Node>>,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Reply, Reply> {
    let address = socket_address(&method, &fields(&method, body)?)?;
    let is_put = method == Method::PUT;
    let others = {
        let mut state = node.state();
        let before = state.view();
        match (is_put, before.contains(&address)) {
            (true, true) => return Err(not_found(&method, "Socket address already exists in the view")),
            (false, false) => return Err(not_found(&method, "Socket address does not exist in the view")),
            (true, false) => state.add(address),
            (false, true) => state.delete(address),
        }
        if is_put { state.view() } else { before }
    };
    if !headers.contains_key(FROM_NODE) {
        node.broadcast(others, method, "/key-value-store-view", &json!({ "socket-address": address })).await;
    }
    Ok(if is_put {
        Reply(StatusCode::CREATED, json!({ "message": "Replica added successfully to the view" }))
    } else {
        Reply::ok(json!({ "message": "Replica deleted successfully from the view" }))
    })
}

fn not_found(method: &Method, error: &str) -> Reply {
    Reply::error(StatusCode::NOT_FOUND, method, error)
}
