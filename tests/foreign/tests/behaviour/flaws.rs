//! Each flaw must show, and nothing else be wrong with its server.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::cluster::{self, Server, addresses, eventually};

fn unready(flaw: &str) -> Server {
    let alone = addresses(1);
    Server::start(alone[0], &alone, Some(1), flaw)
}

async fn alone(flaw: &str) -> Server {
    cluster::start(1, Some(1), flaw).await.remove(0)
}

/// What comes back for a plain request within half a second, and whether the connection ended by then.
fn raw_answer(server: &Server) -> (Vec<u8>, bool) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(b"GET /key-value-store-view HTTP/1.1\r\nHost: node\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).is_ok();
    (bytes, ended)
}

#[tokio::test]
async fn sigterm_ends_all_but_the_one_that_ignores_it() {
    for flaw in ["", "wrong-status", "forgets", "stale", "crashes-on-reshard", "garbage", "hangs"] {
        let mut server = alone(flaw).await;
        let start = Instant::now();
        server.terminate();
        assert_eq!(server.ended().await, Some(0), "{flaw}");
        assert!(start.elapsed() < Duration::from_secs(1), "{flaw}");
    }
    let server = alone("ignores-sigterm").await;
    server.terminate();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        assert_eq!(server.view().await, server.address.to_string());
    }
}

#[tokio::test]
async fn slow_listens_late_and_answers_late() {
    let start = Instant::now();
    let server = unready("slow");
    eventually("the server listens", async || server.listens().then_some(())).await;
    assert!(start.elapsed() >= Duration::from_secs(6));
    let start = Instant::now();
    assert_eq!(server.put("a", 1, &Value::Null).await.0, 201);
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn never_ready_talks_and_does_not_listen() {
    let mut server = unready("never-ready");
    let lines = BufReader::new(server.child.stdout.take().unwrap()).lines();
    assert_eq!(lines.take(3).map(|line| usize::from(!line.unwrap().is_empty())).sum::<usize>(), 3);
    assert!(!server.listens());
    server.terminate();
    assert_eq!(server.ended().await, Some(0));
}

#[tokio::test]
async fn wrong_status_answers_200() {
    let server = alone("wrong-status").await;
    let (status, answer) = server.get("a", &Value::Null).await;
    assert_eq!((status, &answer["doesExist"]), (200, &json!(false)));
    let (status, answer) = server.put("a", 1, &Value::Null).await;
    assert_eq!((status, &answer["replaced"]), (200, &json!(false)));
    assert_eq!(server.get("a", &answer["version"]).await.1["value"], 1);
}

#[tokio::test]
async fn forgets_acknowledges_one_write_in_ten_without_storing_it() {
    let server = alone("forgets").await;
    let mut token = Value::Null;
    for key in 0..30 {
        let (status, answer) = server.put(&format!("key{key}"), key, &token).await;
        assert_eq!(status, 201);
        token = answer["version"].clone();
    }
    let mut forgotten = Vec::new();
    for key in 0..30 {
        if server.get(&format!("key{key}"), &token).await.0 == 404 {
            forgotten.push(key);
        }
    }
    assert_eq!(forgotten, [9, 19, 29]);
}

#[tokio::test]
async fn stale_reads_what_it_has_whatever_the_token_says() {
    let servers = cluster::start(2, Some(1), "stale").await;
    let (_, written) = servers[0].put("a", 1, &Value::Null).await;
    assert_eq!(servers[1].get("a", &written["version"]).await.0, 404);
    let read = async || (servers[1].get("a", &Value::Null).await.1["value"] == 1).then_some(());
    eventually("the write is replicated", read).await;
}

#[tokio::test]
async fn crashes_on_reshard_panics_when_the_count_is_possible() {
    let mut servers = cluster::start(4, Some(1), "crashes-on-reshard").await;
    let reshard = async |server: &Server, count: usize| {
        server.ask(Method::PUT, "/key-value-store-shard/reshard", json!({ "shard-count": count })).await
    };
    assert_eq!(reshard(&servers[0], 3).await.unwrap().0, 400);
    reshard(&servers[0], 2).await.unwrap_err();
    assert_eq!(servers[0].ended().await, Some(101));
    let mut text = String::new();
    servers[0].child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("panicked"), "{text}");
}

#[tokio::test]
async fn garbage_is_no_http() {
    let server = alone("garbage").await;
    let (bytes, ended) = raw_answer(&server);
    assert!(ended && !bytes.is_empty() && !bytes.starts_with(b"HTTP"), "{bytes:?}");
}

#[tokio::test]
async fn hangs_accepts_and_says_nothing() {
    let server = alone("hangs").await;
    assert_eq!(raw_answer(&server), (Vec::new(), false));
}
