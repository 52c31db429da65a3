//! Contract, "Starting a node": any order, seconds apart, and what the variables do.

use std::time::Duration;

use conformance::{Cluster, Failure, eventually};
use reqwest::Method;

use crate::{
    cluster::{InProcess, Shape},
    stage::{ALONE_LIMIT, PATIENCE, class_keys, expect_all, value_of},
};

/// A start that takes longer than this is not "as soon as it listens".
const FIRST_ANSWER_LIMIT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_node_answers_as_soon_as_it_listens() -> Result<(), Failure> {
    let mut cluster = InProcess::prepare(Shape::sharded(4, 2))?;
    cluster.start_node(2)?;
    let client = cluster.client();
    let view = client.view(cluster.url(2)).await?;
    view.must_be(200)?.must_come_within(FIRST_ANSWER_LIMIT)?;
    for operation in ["ids", "node-shard-id", "members/1"] {
        let reply = client.shard(cluster.url(2), operation).await?;
        reply.must_be(200)?.must_come_within(FIRST_ANSWER_LIMIT)?;
    }
    Ok(())
}

#[tokio::test]
async fn nodes_may_start_in_any_order() -> Result<(), Failure> {
    for order in [[3, 1, 0, 2], [0, 2, 3, 1]] {
        let mut cluster = InProcess::prepare(Shape::sharded(4, 2))?;
        let mut started = Vec::new();
        for node in order {
            cluster.start_node(node)?;
            started.push(node);
            // Each start meets a cluster that has settled without it.
            cluster.await_view(&started).await?;
        }
        let mut client = cluster.client();
        for (index, key) in class_keys(20).iter().enumerate() {
            client.put(cluster.url(index % 4), key, value_of(key)).await?.must_be(201)?;
        }
        for url in cluster.urls() {
            expect_all(&mut client, &url, &class_keys(20)).await?;
        }
    }
    Ok(())
}

/// What was written through the first nodes is there for clients of the later ones, from their first answer on.
#[tokio::test]
async fn requests_before_the_view_has_formed_never_get_a_wrong_404() -> Result<(), Failure> {
    let mut cluster = InProcess::prepare(Shape::sharded(4, 2))?;
    cluster.start_node(0)?;
    let mut client = cluster.client();
    let mut written = Vec::new();
    for round in 0..4 {
        for key in (0..10).map(|index| format!("key{round}-{index}")) {
            let put = client.put(cluster.url(round), &key, value_of(&key)).await?;
            if put.status != 503 {
                put.must_be(201)?;
                written.push(key);
            }
        }
        if round == 3 {
            break;
        }
        cluster.start_node(round + 1)?;
        for key in &written {
            for mut reader in [client.clone(), cluster.client()] {
                let get = reader.get(cluster.url(round + 1), key).await?;
                if get.status != 503 {
                    get.must_be(200)?.must_have("value", value_of(key))?;
                }
            }
        }
    }
    cluster.await_view(&[0, 1, 2, 3]).await?;
    for url in cluster.urls() {
        expect_all(&mut client, &url, &written).await?;
    }
    Ok(())
}

/// All at once, and asked at once: a forward may wait briefly, but is answered.
#[tokio::test]
async fn requests_while_all_nodes_start_are_answered() -> Result<(), Failure> {
    let mut cluster = InProcess::prepare(Shape::sharded(4, 2))?;
    for node in 0..4 {
        cluster.start_node(node)?;
    }
    let mut client = cluster.client();
    for (index, key) in class_keys(20).iter().enumerate() {
        client.put(cluster.url(index % 4), key, value_of(key)).await?.must_be(201)?;
    }
    for url in cluster.urls() {
        expect_all(&mut client, &url, &class_keys(20)).await?;
    }
    Ok(())
}

/// Availability first: alone of three, a replica takes writes; those who come later have them.
#[tokio::test]
async fn a_node_that_starts_alone_takes_writes_of_its_shard() -> Result<(), Failure> {
    let mut cluster = InProcess::prepare(Shape::replicated(3))?;
    cluster.start_node(1)?;
    let mut client = cluster.client();
    eventually(PATIENCE, "a node alone takes a write", || async {
        let put = cluster.client().put(cluster.url(1), "x", 1).await?;
        put.must_be(201)?;
        Ok(())
    })
    .await?;
    let put = client.put(cluster.url(1), "x", 2).await?;
    put.must_be(200)?.must_come_within(ALONE_LIMIT)?;
    cluster.start_node(0)?;
    cluster.start_node(2)?;
    cluster.await_view(&[0, 1, 2]).await?;
    for url in cluster.urls() {
        client.get(&url, "x").await?.must_be(200)?.must_have("value", 2)?;
    }
    Ok(())
}

#[tokio::test]
async fn extra_ports_are_listened_on() -> Result<(), Failure> {
    let port = free_port();
    let shape = Shape { variables: vec![("EXTRA_PORTS", port.to_string())], ..Shape::sharded(2, 1) };
    let cluster = InProcess::start(shape).await?;
    let mut client = cluster.client();
    for node in [0, 1] {
        let (ip, _) = cluster.address(node).split_once(':').unwrap_or_default();
        let extra = format!("http://{ip}:{port}");
        client.put(&extra, &format!("x{node}"), 1).await?.must_be(201)?;
        client.get(cluster.url(node), &format!("x{node}")).await?.must_be(200)?;
    }
    Ok(())
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port on the loopback network")
        .port()
}

/// An extra port equal to the main one is dropped, and everything but address and view has a default.
#[tokio::test]
async fn an_extra_port_equal_to_the_main_one_is_dropped() -> Result<(), Failure> {
    let config = |extra: &str| {
        let variables = [("SOCKET_ADDRESS", "10.10.0.2:8080"), ("VIEW", "10.10.0.2:8080"), ("EXTRA_PORTS", extra)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        node::Config::from_env(variables).unwrap()
    };
    assert_eq!(config("8080,8082").extra_ports, [8082]);
    assert_eq!(config("8082").bind_address.to_string(), "0.0.0.0");
    Ok(())
}

#[test]
fn a_bad_variable_is_one_line_that_names_it() {
    let cases = [
        ("SHARD_COUNT", "0"),
        ("SHARD_COUNT", "many"),
        ("VIEW", "10.10.0.3:8080"),
        ("VIEW", "node1"),
        ("SOCKET_ADDRESS", "10.10.0.2"),
        ("API_DIALECT", "1999"),
        ("BIND_ADDRESS", "here"),
        ("EXTRA_PORTS", "http"),
    ];
    for (name, value) in cases {
        let good = [("SOCKET_ADDRESS", "10.10.0.2:8080"), ("VIEW", "10.10.0.2:8080")];
        let variables = good.into_iter().chain([(name, value)]);
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let error = node::Config::from_env(variables).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value) && !error.contains('\n'), "{name}={value}: {error}");
    }
}

/// What the image's health check, an orchestrator and Prometheus ask.
#[tokio::test]
async fn probes_and_metrics_are_served() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(2, 1)).await?;
    let client = cluster.client();
    let send = async |path| client.send(Method::GET, cluster.url(0), path, None).await;
    send("/healthz").await?.must_be(200)?;
    send("/readyz").await?.must_be(200)?;
    let metrics = send("/metrics").await?;
    metrics.must_be(200)?;
    if !metrics.text.contains("# TYPE ") {
        return Err(metrics.contradicts("the text format of Prometheus"));
    }
    Ok(())
}

/// As after SIGTERM: without an error, within a second, also while clients keep connections open.
#[tokio::test]
async fn a_node_ends_within_a_second_when_it_is_asked_to() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(2, 1)).await?;
    let mut client = cluster.client();
    client.put(cluster.url(0), "x", 1).await?.must_be(201)?;
    cluster.stop(0).await?;
    cluster.stop(1).await
}
