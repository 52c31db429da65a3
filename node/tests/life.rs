//! A node as a future: it stops when asked, everything stops when it is dropped, and nodes find each other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod running;

use running::{Node, eventually, read_to_end};
use tokio::net::{TcpListener, TcpStream};

fn metric(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn it_stops_when_asked() {
    let node = Node::alone().await;
    let address = node.address;
    let mut open = TcpStream::connect(address).await.unwrap();
    node.stop().await.unwrap();
    read_to_end(&mut open).await;
    assert!(TcpListener::bind(address).await.is_ok());
}

#[tokio::test]
async fn a_crash_leaves_nothing_behind() {
    let node = Node::alone().await;
    let address = node.address;
    eventually("it answers", || async { node.ask("GET /healthz", "").await.0 == 200 }).await;
    let mut open = TcpStream::connect(address).await.unwrap();
    node.crash().await;
    read_to_end(&mut open).await;
    assert!(TcpListener::bind(address).await.is_ok());
}

#[tokio::test]
async fn nodes_link_once_a_pair() {
    let nodes = Node::together(3).await;
    for node in &nodes {
        for peer in nodes.iter().filter(|peer| peer.address != node.address) {
            let name = format!("node_peer_link_up{{peer=\"{}\"}}", peer.address);
            eventually("both are linked", || async {
                let (_, text) = node.ask("GET /metrics", "").await;
                metric(&text, &name) == Some(1.0)
            })
            .await;
        }
    }
}

#[tokio::test]
async fn the_body_limit_is_named() {
    let node = Node::start_with(|config| config.body_limit_bytes = 10).await;
    let (status, text) = node.ask("PUT /kvs/a", "{\"value\": 1}").await;
    assert_eq!(status, 413, "{text}");
    assert!(text.contains("limit of 10 bytes"), "{text}");
}

#[tokio::test]
async fn every_listener_serves() {
    let main = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let extra = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [main.local_addr().unwrap(), extra.local_addr().unwrap()];
    let data = tempfile::TempDir::new().unwrap();
    let mut config = node::Config::new(addresses[0], vec![addresses[0]]);
    config.data_dir = data.path().to_owned();
    let node = tokio::spawn(node::run(config, vec![main, extra], std::future::pending()));
    for address in addresses {
        let (status, text) = running::ask(address, "GET /healthz", "").await;
        assert_eq!(status, 200, "{text}");
    }
    node.abort();
}

/// Only Linux has more than one loopback address without being told.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_calls_others_from_where_it_listens() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap();
    let node = Node::start_with(|config| {
        config.bind_address = [127, 0, 0, 2].into();
        config.view.push(address);
    })
    .await;
    let (_, caller) = tokio::time::timeout(running::PATIENCE, other.accept()).await.unwrap().unwrap();
    assert_eq!(caller.ip().to_string(), "127.0.0.2");
    node.crash().await;
}
