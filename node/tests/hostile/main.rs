//! What strangers, careless clients and bad links do to a node: its memory stays under a cap, nothing panics, and who behaves is
//! served all the while.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "docs/testing.md tells how much memory it was")]

mod client;
#[path = "../process/mod.rs"]
mod process;
mod proxy;
mod witness;

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::atomic::Ordering,
    thread,
};

use client::Client;
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    signal::Signal,
};
use node_core::{Dot, Hlc, Key, Origin, SlotId, Token, TokenKey};
use process::{Running, free_address, poll};
use proxy::{Proxy, Way, scatter};
use tempfile::TempDir;
use witness::Witness;

/// What a node with little data may take at most, whatever is done to it; docs/api.md promises it.
const MEMORY_MIB_MAX: u64 = 192;
const MIB: usize = 1024 * 1024;
/// The limit for bodies that a node has when it is not told another one.
const BODY_LIMIT: usize = MIB;

const OPEN_FILES: u64 = 16_384;

/// Nodes with their data directories.
struct Cluster {
    nodes: Vec<Running>,
    _data: Vec<TempDir>,
}

impl Cluster {
    /// Starts a node at each address, bound elsewhere where it says so, and waits until all serve.
    fn start(at: &[(SocketAddr, Ipv4Addr)], absent: &[SocketAddr], shard_count: u32) -> Self {
        let view: Vec<_> = at.iter().map(|(address, _)| address).chain(absent).map(ToString::to_string).collect();
        let (view, shard_count) = (view.join(","), shard_count.to_string());
        let data: Vec<_> = at.iter().map(|_| TempDir::new().unwrap()).collect();
        let start = |((address, bound), data): (&(SocketAddr, Ipv4Addr), &TempDir)| {
            let bound_text = bound.to_string();
            let variables = [("VIEW", view.as_str()), ("SHARD_COUNT", &shard_count), ("BIND_ADDRESS", &bound_text)];
            let mut node = Running::start_on(*address, data.path(), &variables);
            node.address = (*bound, address.port()).into();
            node
        };
        let nodes: Vec<_> = at.iter().zip(&data).map(start).collect();
        for node in &nodes {
            poll("every node serves", || {
                node.ask("GET /readyz", "").filter(|answer| answer.starts_with("HTTP/1.1 200"))
            });
        }
        Self { nodes, _data: data }
    }
}

fn alone() -> Running {
    Running::start(&[])
}

/// It is well, has taken no more memory than it may, ends when it is asked to, and nothing in it has panicked.
#[track_caller]
fn assert_unharmed(mut node: Running) {
    assert_eq!(Client::connect(node.address).ask("GET /healthz", "").status, 200);
    let status = fs::read_to_string(format!("/proc/{}/status", node.child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")).unwrap();
    let peak_mib = peak.parse::<u64>().unwrap() / 1024;
    println!("at most {peak_mib} MiB");
    assert!(peak_mib <= MEMORY_MIB_MAX, "it took {peak_mib} MiB");
    let (code, _) = node.end_by(Signal::SIGTERM);
    let stderr = node.stderr();
    assert!(code == Some(0) && !stderr.contains("panicked"), "{code:?}: {stderr}");
}

/// Lets this process, and the nodes that it starts, have as many connections as these tests make.
fn allow_open_files() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard >= OPEN_FILES, "this test needs {OPEN_FILES} open files, and may have {hard} (ulimit -Hn)");
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(OPEN_FILES), hard).unwrap();
}

/// A token that names a write which nobody has, so that reads with it wait.
fn token_of_nobody(key: &str, entries: u64) -> String {
    let mut token = Token::default();
    for uuid in 0..entries {
        token.observe(Dot { slot: Key::new(key).unwrap().slot(), origin: Origin { uuid, epoch: 1 }, seq: 1 });
    }
    token.encode(&TokenKey::new(None))
}

fn requests_waiting(node: &Running) -> usize {
    let metrics = node.ask("GET /metrics", "").unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix("node_store_requests_waiting ")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn idle_connections_and_half_requests_are_borne() {
    allow_open_files();
    let node = alone();
    let witness = Witness::of(node.address);
    let connect = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(node.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let head = format!("GET /kvs/a HTTP/1.1\r\nX-Long: {}", "x".repeat(15 * 1024));
    let body =
        format!("PUT /kvs/a HTTP/1.1\r\nHost: node\r\nContent-Length: {BODY_LIMIT}\r\n\r\n{}", "x".repeat(60 * 1024));
    let mut held: Vec<_> = (0..2_000).map(|_| connect(b"")).collect();
    for bytes in ["G", head.as_str(), body.as_str()] {
        held.extend((0..500).map(|_| connect(bytes.as_bytes())));
    }
    witness.sees(20);
    drop(held);
    witness.sees(20);
    witness.dismiss();
    assert_unharmed(node);
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "without optimization a node cannot take 10,000 reads at once: cargo test --release"
)]
fn ten_thousand_waiting_reads_are_answered() {
    allow_open_files();
    let addresses: Vec<_> = (0..4).map(|_| (free_address(), Ipv4Addr::LOCALHOST)).collect();
    // While one node has not been heard of, nobody can say that the write does not exist.
    let cluster = Cluster::start(&addresses, &[free_address()], 2);
    let witnesses: Vec<_> = cluster.nodes.iter().map(|node| Witness::of(node.address)).collect();
    let read = format!("{{\"causal-metadata\": \"{}\"}}", token_of_nobody("waiting", 1));
    let mut clients: Vec<_> =
        (0..10_000).map(|number| Client::connect(cluster.nodes[number % cluster.nodes.len()].address)).collect();
    for client in &mut clients {
        client.send("GET /kvs/waiting", &read);
    }
    let waiting: usize = cluster.nodes.iter().map(requests_waiting).sum();
    assert!(waiting >= clients.len(), "only {waiting} wait");
    for client in &mut clients {
        let answer = client.answer();
        assert!(answer.status == 503 && answer.retry_after, "{answer:?}");
    }
    for witness in witnesses {
        witness.sees(20);
        witness.dismiss();
    }
    for node in cluster.nodes {
        assert_unharmed(node);
    }
}

#[test]
fn long_tokens_of_reads_that_wait_are_bounded_together() {
    allow_open_files();
    let cluster = Cluster::start(&[(free_address(), Ipv4Addr::LOCALHOST)], &[free_address()], 1);
    let node = &cluster.nodes[0];
    let witness = Witness::of(node.address);
    let read = format!("{{\"causal-metadata\": \"{}\"}}", token_of_nobody("waiting", 15_000));
    let mut clients: Vec<_> = (0..300).map(|_| Client::connect(node.address)).collect();
    for _ in 0..2 {
        for client in &mut clients {
            client.send("GET /kvs/waiting", &read);
        }
        for client in &mut clients {
            let answer = client.answer();
            assert!(answer.status == 503 && answer.retry_after, "{answer:?}");
        }
    }
    witness.sees(20);
    witness.dismiss();
    for node in cluster.nodes {
        assert_unharmed(node);
    }
}

#[test]
fn more_connections_than_files_are_turned_away() {
    let node = Running::start_limited("ulimit -n 256");
    let witness = Witness::of(node.address);
    let mut held: Vec<_> = (0..200).map(|_| TcpStream::connect(node.address).unwrap()).collect();
    poll("one is turned away", || {
        let mut client = Client::connect(node.address);
        let answer = client.ask("GET /kvs/a", "");
        held.push(client.into());
        (answer.status == 503 && answer.retry_after).then_some(())
    });
    witness.sees(20);
    drop(held);
    poll("there is room again", || (Client::connect(node.address).ask("GET /kvs/a", "").status == 404).then_some(()));
    witness.dismiss();
    assert_unharmed(node);
}

#[test]
fn bodies_up_to_the_limit_are_taken_and_longer_ones_refused() {
    let node = alone();
    let witness = Witness::of(node.address);
    let of_length = |length: usize| {
        let (start, end) = ("{\"value\": \"", "\"}");
        format!("{start}{}{end}", "x".repeat(length - start.len() - end.len()))
    };
    let mut client = Client::connect(node.address);
    assert_eq!(client.ask("PUT /kvs/a", &of_length(BODY_LIMIT)).status, 201);
    assert_eq!(client.ask("PUT /kvs/a", &of_length(BODY_LIMIT + 1)).status, 413);
    assert_eq!(client.ask("PUT /kvs/a", &of_length(BODY_LIMIT)).status, 200);
    let lengths = [BODY_LIMIT, BODY_LIMIT + 1, 16 * MIB];
    let address = node.address;
    let clients: Vec<_> = (0..48)
        .map(|number| {
            let length = lengths[number % lengths.len()];
            let body = of_length(length);
            thread::spawn(move || {
                let mut client = Client::connect(address);
                for _ in 0..6 {
                    let answer = client.ask(&format!("PUT /kvs/{}", number % 4), &body);
                    let expected =
                        if length > BODY_LIMIT { answer.status == 413 } else { matches!(answer.status, 200 | 201) };
                    assert!(expected || (answer.status == 503 && answer.retry_after), "{length} bytes: {answer:?}");
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    witness.sees(20);
    witness.dismiss();
    assert_unharmed(node);
}

#[test]
fn tokens_of_any_kind_are_answered() {
    let node = alone();
    let witness = Witness::of(node.address);
    let mut client = Client::connect(node.address);
    let good = client.ask("PUT /kvs/a", "{\"value\": 1}").body["causal-metadata"].as_str().unwrap().to_owned();
    let mut refused = 0;
    for number in 0..3_000 {
        let chance = scatter(number) as usize;
        let mut text = good.clone().into_bytes();
        match number % 3 {
            0 => text[chance % good.len()] = chance.to_be_bytes()[7],
            1 => text.truncate(chance % good.len()),
            _ => text = (0..chance % 300).map(|at| scatter(number + at as u64) as u8).collect(),
        }
        let token = serde_json::Value::from(String::from_utf8_lossy(&text)).to_string();
        for (method, value) in [("GET", ""), ("PUT", "\"value\": 1, "), ("DELETE", "")] {
            let answer = client.ask(&format!("{method} /kvs/b"), &format!("{{{value}\"causal-metadata\": {token}}}"));
            assert!(matches!(answer.status, 200 | 201 | 400 | 404), "{token}: {answer:?}");
            refused += usize::from(answer.status == 400);
        }
    }
    assert!(refused > 8_000, "{refused}");
    // Right in form, and about writes that nobody can have made.
    for clock in [0, 1 << 62, u64::MAX] {
        let mut token = Token::default();
        token.clock = Hlc(clock);
        for seq in [1, u64::MAX] {
            let origin = Origin { uuid: seq, epoch: u32::MAX };
            (0..=255).for_each(|slot| token.observe(Dot { slot: SlotId(slot), origin, seq }));
            let token = token.encode(&TokenKey::new(None));
            for (method, value) in [("GET", ""), ("PUT", "\"value\": 1, "), ("DELETE", "")] {
                let answer =
                    client.ask(&format!("{method} /kvs/c"), &format!("{{{value}\"causal-metadata\": \"{token}\"}}"));
                assert!(matches!(answer.status, 200 | 201 | 400 | 404 | 503), "{answer:?}");
            }
        }
    }
    witness.sees(20);
    witness.dismiss();
    assert_unharmed(node);
}

/// Two nodes, each behind a proxy for the other.
fn pair() -> ([Proxy; 2], Cluster) {
    let bound = [Ipv4Addr::new(127, 0, 0, 3), Ipv4Addr::new(127, 0, 0, 4)];
    let proxies = bound.map(Proxy::before);
    let at: Vec<_> = proxies.iter().zip(bound).map(|(proxy, bound)| (proxy.address, bound)).collect();
    let cluster = Cluster::start(&at, &[], 1);
    (proxies, cluster)
}

#[test]
fn a_peer_that_reads_slowly_costs_bounded_memory() {
    let (proxies, cluster) = pair();
    let [node, slow] = &cluster.nodes[..] else { unreachable!() };
    let witness = Witness::of(node.address);
    let write = |way: Way| {
        // Whichever of them has called the other: what the first says to the second.
        proxies[0].from_node.store(way as u8, Ordering::Relaxed);
        proxies[1].to_node.store(way as u8, Ordering::Relaxed);
    };
    write(Way::Slow);
    let body = format!("{{\"value\": \"{}\"}}", "x".repeat(MIB / 4));
    thread::scope(|scope| {
        for number in 0..48 {
            let body = &body;
            scope.spawn(move || {
                let mut client = Client::connect(node.address);
                for _ in 0..20 {
                    let put = client.ask(&format!("PUT /kvs/large{}", number % 4), body);
                    assert!(matches!(put.status, 200 | 201) || (put.status == 503 && put.retry_after), "{put:?}");
                }
            });
        }
    });
    witness.sees(5);
    write(Way::Clear);
    let mut client = Client::connect(node.address);
    let token = client.ask("PUT /kvs/last", "{\"value\": 1}").body["causal-metadata"].to_string();
    let read = format!("{{\"causal-metadata\": {token}}}");
    poll("the slow one has caught up", || {
        (Client::connect(slow.address).ask("GET /kvs/last", &read).status == 200).then_some(())
    });
    witness.dismiss();
    for node in cluster.nodes {
        assert_unharmed(node);
    }
}

#[test]
fn messages_that_are_garbled_on_the_way_end_nothing_but_the_link() {
    let (proxies, cluster) = pair();
    for proxy in &proxies {
        proxy.to_node.store(Way::Garbled as u8, Ordering::Relaxed);
    }
    let mut client = Client::connect(cluster.nodes[0].address);
    let garbled = || proxies.iter().map(|proxy| proxy.garbled.load(Ordering::Relaxed)).sum::<u64>();
    for round in 1..=50 {
        // What they come to believe of each other is anybody's guess, and so is the answer.
        poll("more is garbled", || {
            client.ask("PUT /kvs/a", "{\"value\": 1}");
            (garbled() >= 4 * round).then_some(())
        });
    }
    for node in cluster.nodes {
        assert_unharmed(node);
    }
}
