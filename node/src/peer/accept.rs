//! The side that is called.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::time::timeout;
use tracing::debug;

use super::{
    Links,
    handshake::{Hello, Refusal, nonce_of, proof_of},
    neighbour::Accepted,
    precedence::Dialler,
    proof::{Challenge, Exchange, Side, nonce},
};

/// A dialler that does not go on after the handshake is given up.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers a dialler, and makes its connection a link. `challenge` is what this connection has been asked to prove.
pub(crate) async fn accept(
    State(links): State<Links>,
    Extension(challenge): Extension<Challenge>,
    mut request: Request,
) -> Response {
    let peer = match Hello::of_request(request.headers(), links.0.own.address) {
        Ok(hello) => hello,
        Err(refusal) => return refuse(&refusal),
    };
    if let Err(refusal) = admit(&links, &challenge, peer, request.headers()) {
        if refusal.status() == StatusCode::UNAUTHORIZED && !matches!(refusal, Refusal::Unproven(_)) {
            links.0.strangers.refuse(peer.address);
        }
        return refuse(&refusal);
    }
    if !links.would_accept(peer) {
        return refuse(&Refusal::Duplicate);
    }
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

/// Whether the dialler knows this node's secret, where there is one.
fn admit(links: &Links, challenge: &Challenge, peer: Hello, headers: &HeaderMap) -> Result<(), Refusal> {
    let offered = nonce_of(headers);
    let proof = proof_of(headers);
    let Some(key) = &links.0.key else {
        // It would refuse this node: better to say so at once than to believe in a link that it closes.
        return if offered.is_some() || proof.is_some() { Err(Refusal::SecretUnknown) } else { Ok(()) };
    };
    if let Some(proof) = proof {
        return if challenge.is_met(key, peer, proof) { Ok(()) } else { Err(Refusal::SecretDiffers) };
    }
    let dialler_nonce = offered.ok_or(Refusal::SecretDiffers)?;
    let acceptor_nonce = nonce().map_err(|_| Refusal::SecretDiffers)?;
    let exchange = Exchange { dialler: peer, acceptor: links.0.own, dialler_nonce, acceptor_nonce };
    challenge.set(exchange);
    let own = links.0.own.challenging(acceptor_nonce, exchange.proof(key, Side::Acceptor));
    Err(Refusal::Unproven(Box::new(own)))
}

fn refuse(refusal: &Refusal) -> Response {
    let body = json!({ "error": refusal.to_string(), "message": "Error in GET" });
    let mut response = (refusal.status(), Refusal::headers(), Json(body)).into_response();
    if let Refusal::Unproven(own) = refusal {
        response.headers_mut().extend((**own).clone());
    }
    response
}
