//! Contract, "View operations".

use conformance::{Cluster, Dialect, Failure, Layout, throughout};
use reqwest::Method;
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::{Stage, VIEW_LIMIT, class_keys, expect_all, fill},
};

#[tokio::test]
async fn get_is_200_with_every_node_that_is_up() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        for url in stage.cluster.urls() {
            let reply = stage.client.view(&url).await?;
            reply
                .must_be(200)?
                .must_have("message", "View retrieved successfully")?
                .must_have("view", stage.cluster.view_of(&[0, 1]))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn delete_is_200_and_put_again_is_201() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let (client, url, other) = (&stage.client, &stage.url, stage.cluster.address(1));
        let delete = client.delete_view(url, other).await?;
        let message = "Replica deleted successfully from the view";
        delete.must_be(200)?.must_have("message", message)?;
        stage.result_is(&delete, "deleted")?;
        let put = client.put_view(url, other).await?;
        let message = "Replica added successfully to the view";
        put.must_be(201)?.must_have("message", message)?;
        stage.result_is(&put, "added")?;
    }
    Ok(())
}

#[tokio::test]
async fn put_of_an_address_that_is_there_is_404() -> Result<(), Failure> {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021] {
        let stage = Stage::new(dialect).await?;
        for node in 0..2 {
            let address = stage.cluster.address(node);
            let put = stage.client.put_view(&stage.url, address).await?;
            put.must_be(404)?
                .must_have("error", "Socket address already exists in the view")?
                .must_have("message", "Error in PUT")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn put_of_an_address_that_is_there_is_200_in_fall_2021() -> Result<(), Failure> {
    let stage = Stage::new(Dialect::Fall2021).await?;
    for node in 0..2 {
        let address = stage.cluster.address(node);
        let put = stage.client.put_view(&stage.url, address).await?;
        put.must_be(200)?.must_have("result", "already present")?;
    }
    Ok(())
}

#[tokio::test]
async fn delete_of_an_address_that_is_not_there_is_404() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        stage.client.delete_view(&stage.url, stage.cluster.address(1)).await?.must_be(200)?;
        for address in [stage.cluster.address(1), "10.10.0.99:8080"] {
            let delete = stage.client.delete_view(&stage.url, address).await?;
            delete
                .must_be(404)?
                .must_have("error", "Socket address does not exist in the view")?
                .must_have("message", "Error in DELETE")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_or_malformed_address_is_400() -> Result<(), Failure> {
    let bodies = [
        json!({}),
        json!({"socket-address": null}),
        json!({"socket-address": 8080}),
        json!({"socket-address": ""}),
        json!({"socket-address": "node1:8080"}),
        json!({"socket-address": "10.10.0.2"}),
        json!({"socket-address": "10.10.0.2:0"}),
        json!({"socket-address": "10.10.0.2:80800"}),
        json!({"socket-address": ["10.10.0.2:8080"]}),
        json!("10.10.0.2:8080"),
    ];
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.view_path();
        for method in [Method::PUT, Method::DELETE] {
            for body in bodies.iter().cloned().map(Some).chain([None]) {
                let reply = stage.client.send(method.clone(), &stage.url, path, body).await?;
                reply.must_be(400)?.text("error")?;
            }
        }
        let reply = stage.client.send_text(Method::PUT, &stage.url, path, "{").await?;
        reply.must_be(400)?.must_have("message", "Error in PUT")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_change_by_request_spreads_to_all_nodes() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 1)).await?;
    let client = cluster.client();
    client.delete_view(cluster.url(0), cluster.address(3)).await?.must_be(200)?;
    cluster.await_view(&[0, 1, 2]).await?;
    client.put_view(cluster.url(1), cluster.address(3)).await?.must_be(201)?;
    cluster.await_view(&[0, 1, 2, 3]).await
}

/// Twice the time in which a failure detector would have found it to be alive.
#[tokio::test]
async fn a_live_node_that_was_deleted_stays_out_until_it_is_put() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    let client = &cluster.client();
    client.delete_view(cluster.url(0), cluster.address(2)).await?.must_be(200)?;
    cluster.await_view(&[0, 1]).await?;
    let (expected, cluster_now) = (&cluster.view_of(&[0, 1]), &cluster);
    throughout(VIEW_LIMIT * 2, || async move {
        for node in [0, 1] {
            let view = client.view(cluster_now.url(node)).await?;
            view.must_be(200)?.must_have("view", expected.clone())?;
        }
        Ok(())
    })
    .await?;
    client.put_view(cluster.url(1), cluster.address(2)).await?.must_be(201)?;
    cluster.await_view(&[0, 1, 2]).await
}

/// Nobody is there, so it leaves again: the view is the set of nodes that are up.
#[tokio::test]
async fn put_of_an_address_without_a_node_is_201_and_does_not_last() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(2, 1)).await?;
    let (ip, _) = cluster.address(1).split_once(':').unwrap_or_default();
    let put = cluster.client().put_view(cluster.url(0), &format!("{ip}:1")).await?;
    put.must_be(201)?.must_have("message", "Replica added successfully to the view")?;
    cluster.await_view(&[0, 1]).await
}

/// Also when the request comes before the nodes have got to know each other.
#[tokio::test]
async fn a_node_that_is_deleted_right_after_its_start_stays_out() -> Result<(), Failure> {
    let mut cluster = InProcess::prepare(Shape::sharded(3, 1))?;
    for node in 0..3 {
        cluster.start_node(node)?;
    }
    let (client, cluster) = (&cluster.client(), &cluster);
    for url in cluster.urls() {
        client.view(&url).await?.must_be(200)?;
    }
    client.delete_view(cluster.url(0), cluster.address(2)).await?.must_be(200)?;
    cluster.await_view(&[0, 1]).await?;
    let expected = &cluster.view_of(&[0, 1]);
    throughout(VIEW_LIMIT, || async move {
        let view = client.view(cluster.url(0)).await?;
        view.must_be(200)?.must_have("view", expected.clone())?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_node_that_was_deleted_comes_back_when_it_starts_again() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    let client = cluster.client();
    client.delete_view(cluster.url(0), cluster.address(2)).await?.must_be(200)?;
    cluster.await_view(&[0, 1]).await?;
    cluster.kill(2).await?;
    cluster.restart_empty(2).await?;
    cluster.await_view(&[0, 1, 2]).await
}

#[tokio::test]
async fn a_live_node_that_was_deleted_forwards() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    let keys = class_keys(20);
    fill(&mut client, &cluster.urls(), &keys).await?;
    client.delete_view(cluster.url(0), cluster.address(5)).await?.must_be(200)?;
    cluster.await_view(&[0, 1, 2, 3, 4]).await?;
    expect_all(&mut client, cluster.url(5), &keys).await?;
    for key in &keys {
        client.put(cluster.url(5), key, 2).await?.must_be(200)?;
        client.get(cluster.url(0), key).await?.must_have("value", 2)?;
        client.delete(cluster.url(5), key).await?.must_be(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_live_node_that_was_deleted_does_not_count_for_reshard() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let client = cluster.client();
    client.delete_view(cluster.url(0), cluster.address(3)).await?.must_be(200)?;
    cluster.await_view(&[0, 1, 2]).await?;
    let reply = client.reshard(cluster.url(0), 2).await?;
    let message = "Not enough nodes to provide fault-tolerance with the given shard count!";
    reply.must_be(400)?.must_have("message", message)?;
    client.put_view(cluster.url(0), cluster.address(3)).await?.must_be(201)?;
    cluster.await_view(&[0, 1, 2, 3]).await?;
    client.reshard(cluster.url(0), 2).await?.must_be(200)?;
    Ok(())
}

/// What was written, and deleted, while it was out is there, and gone, when it is in again.
#[tokio::test]
async fn a_node_that_is_put_again_has_what_it_missed() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    let mut client = cluster.client();
    let (kept, gone) = (class_keys(20), later_keys());
    fill(&mut client, &cluster.urls(), &gone).await?;
    client.delete_view(cluster.url(0), cluster.address(2)).await?.must_be(200)?;
    cluster.await_view(&[0, 1]).await?;
    fill(&mut client, &[cluster.url(0).to_owned()], &kept).await?;
    for key in &gone {
        client.delete(cluster.url(1), key).await?.must_be(200)?;
    }
    client.put_view(cluster.url(0), cluster.address(2)).await?.must_be(201)?;
    cluster.await_view(&[0, 1, 2]).await?;
    expect_all(&mut client, cluster.url(2), &kept).await?;
    for key in &gone {
        client.get(cluster.url(2), key).await?.must_be(404)?;
    }
    let counts = Layout::key_counts(&client, cluster.url(2)).await?;
    assert_eq!(counts.values().sum::<u64>(), 20);
    Ok(())
}

fn later_keys() -> Vec<String> {
    (0..20).map(|index| format!("gone{index}")).collect()
}
