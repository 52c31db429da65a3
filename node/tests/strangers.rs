//! What strangers send to the port must not hurt the node.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;

use running::{Node, eventually, exchange, read_to_end, status};
use tokio::{io::AsyncWriteExt, net::TcpStream};

async fn assert_well(node: &Node) {
    let (status, text) = node.ask("GET /healthz", "").await;
    assert_eq!(status, 200, "{text}");
}

/// A handshake of a peer that says it is at `from`, with one header replaced.
fn handshake(node: &Node, from: &str, replaced: (&str, &str)) -> String {
    let host = node.address.to_string();
    let headers = [
        ("Host", host.as_str()),
        ("Connection", "upgrade"),
        ("Upgrade", "node-peer"),
        ("X-Peer-Format", "2"),
        ("X-Peer-From", from),
        ("X-Peer-Run", "1"),
    ];
    let mut head = "GET /internal/peer HTTP/1.1\r\n".to_owned();
    for (name, value) in headers {
        let value = if name == replaced.0 { replaced.1 } else { value };
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head
}

/// A link from a peer at `from`, after the handshake.
async fn link(node: &Node, from: &str) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let head = handshake(node, from, ("", ""));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn garbage_closes_the_connection_and_nothing_else() {
    let node = Node::alone().await;
    let long = [b"GET /".to_vec(), vec![b'a'; 1 << 20]].concat();
    let garbage: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\r\n\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        &long,
    ];
    for bytes in garbage {
        let answer = exchange(node.address, bytes).await;
        assert!(!answer.contains("200 OK"), "{answer}");
        assert_well(&node).await;
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_right_is_refused() {
    let node = Node::alone().await;
    let cases = [
        (("Upgrade", "websocket"), 426),
        (("X-Peer-Format", "1"), 426),
        (("X-Peer-From", "somewhere"), 400),
        (("X-Peer-Run", "-"), 400),
        (("Host", "127.0.0.1:1"), 421),
        (("X-Peer-From", &node.address.to_string()), 409),
    ];
    for (replaced, expected) in cases {
        let head = handshake(&node, "127.0.0.1:9", replaced);
        // The answer leaves the connection open: a second, bad request ends it.
        let text = exchange(node.address, format!("{head}\0\r\n\r\n").as_bytes()).await;
        assert_eq!(status(&text), expected, "{replaced:?}: {text}");
        assert!(text.to_lowercase().contains("x-peer-format: 2"), "{text}");
    }
    assert_well(&node).await;
}

#[tokio::test]
async fn frames_that_are_not_messages_close_the_link() {
    let node = Node::alone().await;
    let frames: [&[u8]; 3] = [
        b"\x00\x00\x00\x05hello",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ];
    for bytes in frames {
        let mut stream = link(&node, "127.0.0.1:9").await;
        stream.write_all(bytes).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert_eq!(status(&String::from_utf8_lossy(&answer)), 101);
        assert_well(&node).await;
    }
}

#[tokio::test]
async fn a_silent_link_is_closed() {
    let node = Node::alone().await;
    let mut stream = link(&node, "127.0.0.1:9").await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    assert_well(&node).await;
}

#[tokio::test]
async fn a_second_link_of_the_same_peer_replaces_the_first() {
    let node = Node::alone().await;
    let mut first = link(&node, "127.0.0.1:9").await;
    let _second = link(&node, "127.0.0.1:9").await;
    let start = tokio::time::Instant::now();
    read_to_end(&mut first).await;
    assert!(start.elapsed().as_secs() < 3, "closed for silence only");
}

/// What clients send and do not finish is bounded for all of them together.
#[tokio::test]
async fn bodies_beyond_what_a_node_holds_are_503_and_the_rest_is_answered() {
    const MIB: usize = 1024 * 1024;
    let node = Node::start_with(|config| config.body_limit_bytes = 80 * MIB).await;
    let mut slow = TcpStream::connect(node.address).await.unwrap();
    let head = format!("PUT /kvs/slow HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n\r\n", 64 * MIB);
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&vec![b' '; 63 * MIB]).await.unwrap();
    let value = format!("{{\"value\": \"{}\"}}", "x".repeat(2 * MIB));
    eventually("a body is refused", || async {
        let (status, text) = node.ask("PUT /kvs/large", &value).await;
        status == 503 && text.contains("retry-after") && text.contains("too much is being sent to this node")
    })
    .await;
    assert_eq!(node.ask("PUT /kvs/small", "{\"value\": 1}").await.0, 201);
    drop(slow);
    eventually("there is room again", || async { node.ask("PUT /kvs/large", &value).await.0 == 201 }).await;
}
