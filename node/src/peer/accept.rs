//! The side that is called.

use std::time::Duration;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::time::timeout;
use tracing::debug;

use super::{
    Links,
    handshake::{Hello, Refusal},
    neighbour::Accepted,
    precedence::Dialler,
};

/// A dialler that does not go on after the handshake is given up.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers a dialler, and makes its connection a link.
pub(crate) async fn accept(State(links): State<Links>, mut request: Request) -> Response {
    let peer = match Hello::of_request(request.headers(), links.0.own.address) {
        Ok(hello) if links.would_accept(hello) => hello,
        Ok(_) => return refuse(&Refusal::Duplicate),
        Err(refusal) => return refuse(&refusal),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let response = links.0.own.response();
    links.clone().0.tasks.spawn(async move {
        let Ok(Ok(stream)) = timeout(UPGRADE_TIMEOUT, upgrade).await else {
            return debug!(peer = %peer.address, "the dialler has gone away");
        };
        if links.adopt(TokioIo::new(stream), peer, Dialler::Peer) == Accepted::No {
            debug!(peer = %peer.address, "another connection has come first");
        }
    });
    response
}

fn refuse(refusal: &Refusal) -> Response {
    let body = json!({ "error": refusal.to_string(), "message": "Error in GET" });
    (refusal.status(), Refusal::headers(), Json(body)).into_response()
}
