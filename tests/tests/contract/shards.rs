//! Contract, "Shard operations": what is asked of shards.

use std::collections::BTreeSet;

use conformance::{Dialect, Failure, Layout, ensure};
use reqwest::Method;
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::{class_keys, put_into_shard},
};

async fn in_every_dialect() -> Result<Vec<InProcess>, Failure> {
    let mut clusters = Vec::new();
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        clusters.push(InProcess::start(Shape::sharded(5, 2).speaking(dialect)).await?);
    }
    Ok(clusters)
}

#[tokio::test]
async fn shard_ids_is_200_with_the_same_ids_from_every_node() -> Result<(), Failure> {
    for cluster in in_every_dialect().await? {
        let client = cluster.client();
        for url in cluster.urls() {
            let ids = client.shard(&url, "ids").await?;
            ids.must_be(200)?
                .must_have("message", "Shard IDs retrieved successfully")?
                .must_have("shard-ids", client.dialect().list(&["1", "2"]))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn node_shard_id_is_200_with_the_shard_that_lists_the_node() -> Result<(), Failure> {
    for cluster in in_every_dialect().await? {
        let client = cluster.client();
        let layout = Layout::read(&client, cluster.url(0)).await?;
        for node in cluster.all() {
            let reply = client.shard(cluster.url(node), "node-shard-id").await?;
            let message = "Shard ID of the node retrieved successfully";
            let shard = reply.must_be(200)?.must_have("message", message)?.text(client.dialect().node_shard_field())?;
            ensure(layout.shard_of(cluster.address(node)) == Some(shard), || {
                format!("{} to be in shard {shard} of {layout:?}", cluster.address(node))
            })?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn shard_id_members_is_200_with_the_same_members_from_every_node() -> Result<(), Failure> {
    for cluster in in_every_dialect().await? {
        let client = cluster.client();
        let layout = Layout::read(&client, cluster.url(0)).await?;
        for url in cluster.urls() {
            for (id, members) in &layout.members {
                let reply = client.shard(&url, &format!("members/{id}")).await?;
                let message = "Members of shard ID retrieved successfully";
                reply
                    .must_be(200)?
                    .must_have("message", message)?
                    .must_have(client.dialect().members_field(), client.dialect().list(members))?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn shard_id_key_count_is_200_with_an_integer() -> Result<(), Failure> {
    for cluster in in_every_dialect().await? {
        let mut client = cluster.client();
        let put = client.put(cluster.url(0), "x", 1).await?;
        let shard = put.must_be(201)?.text("shard-id")?.to_owned();
        for url in cluster.urls() {
            for id in ["1", "2"] {
                let reply = client.shard(&url, &format!("key-count/{id}")).await?;
                let message = "Key count of shard ID retrieved successfully";
                reply
                    .must_be(200)?
                    .must_have("message", message)?
                    .must_have(client.dialect().key_count_field(), u64::from(shard == id))?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_shard_id_is_404() -> Result<(), Failure> {
    for cluster in in_every_dialect().await? {
        let client = cluster.client();
        let body = json!({"socket-address": cluster.address(0)});
        for id in ["0", "3", "99", "4294967297", "-1", "one"] {
            for (method, operation, message) in [
                (Method::GET, "members", "Error in GET"),
                (Method::GET, "key-count", "Error in GET"),
                (Method::PUT, "add-member", "Error in PUT"),
            ] {
                let path = client.dialect().shard_path(&format!("{operation}/{id}"));
                let body = (method == Method::PUT).then(|| body.clone());
                let reply = client.send(method, cluster.url(1), &path, body).await?;
                reply.must_be(404)?.must_have("error", "Shard ID does not exist")?.must_have("message", message)?;
            }
        }
    }
    Ok(())
}

/// "Exact", "asked of any node": after every single write, wherever it was made and wherever the count is asked.
#[tokio::test]
async fn key_counts_are_exact_from_any_node_right_after_a_write() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let mut client = cluster.client();
    let mut left = 0;
    for (index, key) in class_keys(32).iter().enumerate() {
        let at = |hop: usize| cluster.url((index + hop) % 4);
        client.put(at(0), key, 1).await?.must_be(201)?;
        left += 1;
        total_is(&cluster, at(1), left).await?;
        client.put(at(1), key, 2).await?.must_be(200)?;
        total_is(&cluster, at(2), left).await?;
        if index % 2 == 0 {
            client.delete(at(2), key).await?.must_be(200)?;
            left -= 1;
            total_is(&cluster, at(3), left).await?;
        }
    }
    Ok(())
}

async fn total_is(cluster: &InProcess, url: &str, total: u64) -> Result<(), Failure> {
    let counts = Layout::key_counts(&cluster.client(), url).await?;
    ensure(counts.values().sum::<u64>() == total, || format!("{total} keys, got {counts:?} from {url}"))
}

#[tokio::test]
async fn every_shard_has_two_members_and_each_node_one_shard() -> Result<(), Failure> {
    for (nodes, shards) in [(4, 2), (5, 2), (6, 3), (7, 3)] {
        let cluster = InProcess::start(Shape::sharded(nodes, shards)).await?;
        let layout = Layout::read(&cluster.client(), cluster.url(0)).await?;
        let all: Vec<&String> = layout.members.values().flatten().collect();
        let distinct: BTreeSet<&String> = all.iter().copied().collect();
        ensure(
            layout.members.len() == shards as usize
                && layout.members.values().all(|members| members.len() >= 2)
                && all.len() == nodes
                && distinct.len() == nodes,
            || format!("{nodes} nodes in {shards} shards of two or more, got {layout:?}"),
        )?;
    }
    Ok(())
}

/// No `SHARD_COUNT` on any node is assignment 3: one shard of all nodes.
#[tokio::test]
async fn without_shard_count_there_is_one_shard_of_all_nodes() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::replicated(3)).await?;
    let client = cluster.client();
    for url in cluster.urls() {
        let ids = client.shard(&url, "ids").await?;
        ids.must_be(200)?.must_have("shard-ids", "1")?;
        let members = client.shard(&url, "members/1").await?;
        members.must_be(200)?.must_have("shard-id-members", cluster.view_of(&[0, 1, 2]))?;
    }
    put_into_shard(&mut cluster.client(), cluster.url(1), "1", "x").await.map(|_| ())
}
