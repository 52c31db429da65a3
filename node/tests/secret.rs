//! With a `CLUSTER_SECRET` only who proves that it knows it is a peer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;

use running::{Node, PATIENCE, eventually, exchange, status};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const NONCE: &str = "X-Peer-Nonce: 0101010101010101010101010101010101010101010101010101010101010101\r\n";

fn hello(node: &Node, more: &str) -> String {
    format!(
        "GET /internal/peer HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: node-peer\r\n\
         X-Peer-Format: 2\r\nX-Peer-From: 127.0.0.1:9\r\nX-Peer-Run: 1\r\n{more}\r\n",
        node.address
    )
}

/// Sends a request and reads the head and the body of the answer.
async fn say(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("\r\n\r\n") || (!text.ends_with('}') && status(&text) != 101) {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("an answer").unwrap();
        assert!(read > 0, "closed after {text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    text
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name}: {text}"))
}

async fn view_size(node: &Node) -> usize {
    let (status, text) = node.ask("GET /view", "").await;
    assert_eq!(status, 200, "{text}");
    text.matches("127.0.0.1:").count() - text.matches("Host: ").count()
}

#[tokio::test]
async fn nodes_with_the_same_secret_form_a_view_and_others_stay_out() {
    let secrets = [Some("one"), Some("one"), Some("two"), None];
    let nodes = Node::together_with(secrets.len(), |config, index| {
        config.cluster_secret = secrets[index].map(str::to_owned);
    })
    .await;
    // Everyone is in the views at first, and leaves when nothing is heard of it.
    for (node, size) in nodes.iter().zip([2, 2, 1, 1]) {
        eventually("the view of those who know the same secret", || async { view_size(node).await == size }).await;
        let (status, text) = node.ask("PUT /view", "{}").await;
        assert_eq!(status, 400, "a client is not answered: {text}");
        let (_, text) = node.ask("GET /metrics", "").await;
        assert!(!text.contains("node_peer_refused_strangers_total 0\n"), "{text}");
    }
    let links = nodes[0].ask("GET /metrics", "").await.1;
    for (node, linked) in nodes.iter().zip([false, true, false, false]) {
        let up = format!("node_peer_link_up{{peer=\"{}\"}} 1\n", node.address);
        assert_eq!(links.contains(&up), linked, "{links}");
    }
}

#[tokio::test]
async fn a_stranger_is_refused_with_401() {
    let node = Node::start_with(|config| config.cluster_secret = Some("secret".to_owned())).await;
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    assert_eq!(status(&say(&mut stream, &hello(&node, "")).await), 401);
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let challenge = say(&mut stream, &hello(&node, NONCE)).await;
    assert_eq!(status(&challenge), 401);
    // The acceptor's own proof, reflected.
    let reflected = format!("X-Peer-Proof: {}\r\n", header(&challenge, "x-peer-proof"));
    assert_eq!(status(&say(&mut stream, &hello(&node, &reflected)).await), 401);
    // Proofs that answer no challenge.
    assert_eq!(status(&say(&mut stream, &hello(&node, &reflected)).await), 401);
    let (_, metrics) = node.ask("GET /metrics", "").await;
    assert!(metrics.contains("node_peer_refused_strangers_total 3\n"), "{metrics}");
    assert!(!metrics.contains("node_peer_link_up{"), "a stranger is kept: {metrics}");
}

#[tokio::test]
async fn a_hello_that_is_repeated_gets_another_challenge() {
    let node = Node::start_with(|config| config.cluster_secret = Some("secret".to_owned())).await;
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let first = say(&mut stream, &hello(&node, NONCE)).await;
    let second = say(&mut stream, &hello(&node, NONCE)).await;
    for name in ["x-peer-nonce", "x-peer-proof"] {
        assert_ne!(header(&first, name), header(&second, name));
    }
}

#[tokio::test]
async fn without_a_secret_a_proof_is_not_wanted() {
    let node = Node::alone().await;
    let text = exchange(node.address, format!("{}\0\r\n\r\n", hello(&node, NONCE)).as_bytes()).await;
    assert_eq!(status(&text), 401);
}
