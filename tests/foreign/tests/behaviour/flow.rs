//! Assignment 4 from one end to the other, with the honest server.

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::{Value, json};

use crate::cluster::{self, Server, addresses, eventually};

const KEYS: usize = 600;

fn text(nodes: &[SocketAddr]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// All nodes must say the same of the shards, and every key must be counted once, in even shards.
async fn check_shards(servers: &[Server], shard_count: usize) {
    let ids: Vec<_> = (1..=shard_count).map(|id| id.to_string()).collect();
    for server in servers {
        assert_eq!(server.shard("shard-ids", "shard-ids").await, ids.join(","));
    }
    let (mut keys, mut members) = (0, 0);
    for id in &ids {
        let shard = servers[0].shard(&format!("shard-id-members/{id}"), "shard-id-members").await;
        let count = servers[0].shard(&format!("shard-id-key-count/{id}"), "shard-id-key-count").await;
        for server in servers {
            assert_eq!(server.shard(&format!("shard-id-members/{id}"), "shard-id-members").await, shard);
            assert_eq!(server.shard(&format!("shard-id-key-count/{id}"), "shard-id-key-count").await, count);
            let is_member = shard.as_str().unwrap().split(',').any(|member| member == server.address.to_string());
            assert_eq!(server.shard("node-shard-id", "shard-id").await == id.as_str(), is_member);
            members += usize::from(is_member);
        }
        let (count, mean) = (count.as_u64().unwrap() as usize, KEYS / shard_count);
        assert!(count.abs_diff(mean) <= mean / 4, "shard {id} has {count} of {KEYS} keys");
        keys += count;
    }
    assert_eq!((keys, members), (KEYS, servers.len()));
}

/// Every key must be read through some node other than the one that took it, with the token.
async fn check_keys(servers: &[Server], token: &Value) {
    for key in 0..KEYS {
        let (status, answer) = servers[(key + 1) % servers.len()].get(&format!("key{key}"), token).await;
        assert_eq!((status, &answer["value"]), (200, &json!(key)), "{answer}");
    }
}

/// Some keys through every node: all replicas must give the same version.
async fn check_agreement(servers: &[Server]) {
    for key in (0..KEYS).step_by(50) {
        let (_, first) = servers[0].get(&format!("key{key}"), &Value::Null).await;
        for server in servers {
            assert_eq!(server.get(&format!("key{key}"), &Value::Null).await, (200, first.clone()));
        }
    }
}

#[tokio::test]
async fn the_honest_one_passes_assignment_4() {
    let all = addresses(7);
    let (grouped, seventh) = (&all[..6], all[6]);
    let mut servers: Vec<_> = grouped.iter().map(|node| Server::start(*node, grouped, Some(2), "")).collect();
    for server in &servers {
        let view = text(grouped);
        eventually("the view is complete", async || (server.listens() && server.view().await == view).then_some(()))
            .await;
    }
    let mut token = json!("");
    for key in 0..KEYS {
        let (status, answer) = servers[key % servers.len()].put(&format!("key{key}"), key, &token).await;
        assert_eq!((status, &answer["replaced"]), (201, &json!(false)), "{answer}");
        assert_eq!(answer["version"], answer["causal-metadata"]);
        token = answer["causal-metadata"].clone();
    }
    assert!(token.as_str().unwrap().len() < 400, "{token}");
    check_shards(&servers, 2).await;
    check_keys(&servers, &token).await;
    check_agreement(&servers).await;

    servers.push(Server::start(seventh, &all, None, ""));
    for server in &servers {
        let view = text(&all);
        eventually("node7 is in the view", async || (server.listens() && server.view().await == view).then_some(()))
            .await;
    }
    assert_eq!(servers[6].shard("node-shard-id", "shard-id").await, "");
    check_agreement(&servers).await;
    // By the port of the host, as the class does, where the IP is node7's alone.
    let port = if cfg!(target_os = "linux") { 8082 } else { seventh.port() };
    let body = json!({ "socket-address": format!("{}:{port}", seventh.ip()) });
    for (status, text) in
        [(200, "Member added to the shard successfully"), (404, "Socket address already exists in the shard")]
    {
        let path = "/key-value-store-shard/add-member/1";
        let answer = servers[1].ask(Method::PUT, path, body.clone()).await.unwrap();
        assert!(answer.0 == status && answer.1.to_string().contains(text), "{answer:?}");
    }
    check_shards(&servers, 2).await;

    for (count, status, message) in [
        (10, 400, "Not enough nodes to provide fault-tolerance with the given shard count!"),
        (3, 200, "Resharding done successfully"),
    ] {
        let body = json!({ "shard-count": count });
        let answer = servers[6].ask(Method::PUT, "/key-value-store-shard/reshard", body).await.unwrap();
        assert_eq!(answer, (status, json!({ "message": message })));
    }
    check_shards(&servers, 3).await;
    check_keys(&servers, &token).await;
    check_agreement(&servers).await;
}

#[tokio::test]
async fn a_failed_node_leaves_the_view_and_returns_with_all_keys() {
    let all = addresses(4);
    let view = text(&all);
    let first = |node: usize| Server::start(all[node], &all[..3], None, "");
    // The last one joins when the others have made one shard.
    let mut servers = vec![first(0), first(1), first(2)];
    eventually("they listen", async || servers.iter().all(Server::listens).then_some(())).await;
    let (status, before) = servers[0].put("before", 1, &Value::Null).await;
    assert_eq!(status, 201);
    servers.push(Server::start(all[3], &all, None, ""));
    eventually("the fourth is in the view", async || (servers[0].view().await == view).then_some(())).await;

    drop(servers.remove(0));
    let (_, during) = servers[0].put("during", 2, &before["version"]).await;
    assert_eq!(servers[1].get("before", &during["version"]).await.1["value"], 1);
    eventually("the failed node leaves", async || (servers[1].view().await == text(&all[1..])).then_some(())).await;

    servers.push(first(0));
    eventually("it listens", async || servers[3].listens().then_some(())).await;
    assert_eq!(servers[3].get("during", &during["version"]).await.1["value"], 2);
    assert_eq!(servers[3].get("before", &during["version"]).await.1["value"], 1);
    for server in &servers {
        eventually("everybody is back", async || (server.view().await == view).then_some(())).await;
    }
    let (_, after) = servers[3].put("after", 3, &during["version"]).await;
    assert_eq!(servers[1].get("after", &after["version"]).await.1["value"], 3);
}

#[tokio::test]
async fn requests_get_the_answers_of_the_contract() {
    let servers = cluster::start(4, Some(2), "").await;
    let keys = "/key-value-store";
    let long = format!("{keys}/{}", "k".repeat(51));
    let unheard_of = json!({ "causal-metadata": format!("1@{}=9,{}=9", servers[0].address, servers[2].address) });
    for (method, path, body, status, error) in [
        (Method::GET, format!("{keys}/a"), json!({}), 404, "Key does not exist"),
        (Method::DELETE, format!("{keys}/a"), json!({}), 404, "Key does not exist"),
        (Method::PUT, format!("{keys}/a"), json!({}), 400, "Value is missing"),
        (Method::PUT, long, json!({ "value": 1 }), 400, "Key is too long"),
        (Method::PUT, format!("{keys}/"), json!({ "value": 1 }), 400, "Key is empty"),
        (Method::POST, format!("{keys}/a"), json!({}), 405, "This method is unsupported"),
        (Method::GET, format!("{keys}/a"), unheard_of, 503, "Not all of"),
        (Method::PUT, format!("{keys}-view"), json!({ "socket-address": servers[3].address }), 404, "already exists"),
        (Method::DELETE, format!("{keys}-view"), json!({ "socket-address": "10.0.0.1:1" }), 404, "does not exist"),
        (Method::GET, format!("{keys}-shard/shard-id-members/3"), json!({}), 404, "Shard ID does not exist"),
        (Method::PUT, format!("{keys}-shard/reshard"), json!({ "shard-count": 0 }), 400, "no positive number"),
    ] {
        for server in &servers {
            let answer = server.ask(method.clone(), &path, body.clone()).await.unwrap();
            let as_expected = answer.0 == status && answer.1["error"].as_str().unwrap().contains(error);
            assert!(as_expected && answer.1["message"] == format!("Error in {method}"), "{method} {path}: {answer:?}");
        }
    }
    let mut token = json!("");
    for (server, (method, status)) in
        servers.iter().zip([(Method::PUT, 201), (Method::PUT, 200), (Method::DELETE, 200), (Method::PUT, 201)])
    {
        let body = json!({ "value": null, "causal-metadata": token });
        let answer = server.ask(method, "/key-value-store/a%20%2Fb", body).await.unwrap();
        assert_eq!(answer.0, status, "{answer:?}");
        token = answer.1["causal-metadata"].clone();
    }
    let exact = json!([0.249_330_714_442_686_62, { "b": null, "a": "ü" }]);
    servers[0].put("exact", exact.clone(), &token).await;
    assert_eq!(servers[3].get("exact", &token).await.1["value"], exact);
    for (method, status, after) in [(Method::DELETE, 200, 3), (Method::PUT, 201, 4)] {
        let body = json!({ "socket-address": servers[3].address });
        let answer = servers[0].ask(method, "/key-value-store-view", body).await.unwrap();
        assert_eq!(answer.0, status, "{answer:?}");
        for server in &servers[..3] {
            assert_eq!(server.view().await.split(',').count(), after);
        }
    }
}
