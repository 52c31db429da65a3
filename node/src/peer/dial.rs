//! The side that calls: when something waits and there is no link, with a growing pause between failures.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, http::StatusCode};
use blake3::Hash;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use node_core::Address;
use thiserror::Error;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tracing::debug;

use super::{
    Links,
    handshake::{Hello, Refusal, nonce_of, proof_of},
    link::Stream,
    neighbour::Neighbour,
    precedence::Dialler,
    proof::{Exchange, ProofKey, Side, nonce},
};

/// A connection that is not made by then is given up: the next attempt finds a node that has just come back sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);
/// A node that has accepted the connection may be slow to answer, but not slower than this.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause after the first failure; doubled after each further one.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause: with [`CONNECT_TIMEOUT`], a node that has come back is reached within a second.
const PAUSE_MAX: Duration = Duration::from_millis(400);
/// A neighbour is forgotten when it is unlinked and unspoken to for this long.
const IDLE: Duration = Duration::from_secs(60);

#[derive(Debug, Error)]
enum DialError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("no answer in time")]
    Timeout,
    #[error("no HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("refused with status {0}")]
    Refused(StatusCode),
    #[error("not a peer: {0}")]
    NotAPeer(#[from] Refusal),
    #[error("another node answers there: {0}")]
    Another(Address),
    #[error("the other side's connection takes precedence")]
    Duplicate,
    #[error("CLUSTER_SECRET differs from that of the node there")]
    SecretDiffers,
    #[error("no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

impl DialError {
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::CONFLICT => Self::Duplicate,
            StatusCode::UNAUTHORIZED => Self::SecretDiffers,
            status => Self::Refused(status),
        }
    }
}

type Requests = http1::SendRequest<Body>;

/// Dials the neighbour each time that it is wanted, until it is forgotten.
pub(super) async fn whenever_wanted(links: Links, neighbour: Arc<Neighbour>) {
    let peer = neighbour.address();
    let mut pause = PAUSE_MIN;
    loop {
        if timeout(IDLE, neighbour.dialling_wanted()).await.is_err() {
            if links.forget_if_idle(&neighbour) {
                return;
            }
            continue;
        }
        match dial(&links, peer).await {
            Ok((stream, hello)) => {
                pause = PAUSE_MIN;
                links.adopt(stream, hello, Dialler::Own);
                continue;
            }
            // Its connection is on the way here, or here already.
            Err(DialError::Duplicate) => {}
            Err(_) if neighbour.is_linked() => {}
            Err(error) => {
                if matches!(error, DialError::SecretDiffers) {
                    links.0.strangers.refuse(peer);
                }
                debug!(%peer, %error, "dialling failed");
                neighbour.lose_queued();
                links.report_down(peer).await;
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn dial(links: &Links, peer: Address) -> Result<(Stream, Hello), DialError> {
    let connecting = socket(links.0.bind_address, peer).map_err(DialError::Connect)?.connect(peer);
    let stream =
        timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| DialError::Timeout)?.map_err(DialError::Connect)?;
    stream.set_nodelay(true).map_err(DialError::Connect)?;
    timeout(HANDSHAKE_TIMEOUT, upgrade(links, peer, stream)).await.map_err(|_| DialError::Timeout)?
}

/// A socket that calls `peer` from `local`, so that what stands between the two can tell who calls. The system chooses the
/// address where `local` is none, or none from which there is a way to the peer.
fn socket(local: IpAddr, peer: Address) -> io::Result<TcpSocket> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    let leads_there = local.is_ipv4() == peer.is_ipv4() && (peer.ip().is_loopback() || !local.is_loopback());
    if leads_there && !local.is_unspecified() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    Ok(socket)
}

async fn upgrade(links: &Links, peer: Address, stream: TcpStream) -> Result<(Stream, Hello), DialError> {
    let (mut requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
    links.0.tasks.spawn(connection.with_upgrades());
    let request = match &links.0.key {
        None => links.0.own.request(peer),
        Some(key) => links.0.own.proving(peer, prove(links.0.own, key, peer, &mut requests).await?),
    };
    let response = requests.send_request(request).await?;
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => {}
        status => return Err(DialError::of_status(status)),
    }
    let hello = Hello::of_headers(response.headers())?;
    if hello.address != peer {
        return Err(DialError::Another(hello.address));
    }
    let stream = hyper::upgrade::on(response).await?;
    Ok((TokioIo::new(stream), hello))
}

/// Has the other side prove that it knows the secret; returns the proof that this one does.
async fn prove(own: Hello, key: &ProofKey, peer: Address, requests: &mut Requests) -> Result<Hash, DialError> {
    let dialler_nonce = nonce()?;
    let response = requests.send_request(own.asking(peer, dialler_nonce)).await?;
    match response.status() {
        StatusCode::UNAUTHORIZED => {}
        // It lets in who has not proved anything.
        StatusCode::SWITCHING_PROTOCOLS => return Err(DialError::SecretDiffers),
        status => return Err(DialError::of_status(status)),
    }
    let headers = response.headers();
    let (Some(acceptor_nonce), Some(proof)) = (nonce_of(headers), proof_of(headers)) else {
        return Err(DialError::SecretDiffers);
    };
    let acceptor = Hello::of_headers(headers)?;
    if acceptor.address != peer {
        return Err(DialError::Another(acceptor.address));
    }
    let exchange = Exchange { dialler: own, acceptor, dialler_nonce, acceptor_nonce };
    if exchange.proof(key, Side::Acceptor) != proof {
        return Err(DialError::SecretDiffers);
    }
    // The connection is free for the second request once the first answer has been read.
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    requests.ready().await?;
    Ok(exchange.proof(key, Side::Dialler))
}
