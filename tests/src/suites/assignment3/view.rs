//! Contract, "View operations": the rows of its table, and what becomes of a change.

use reqwest::Method;
use serde_json::json;

use super::{restored, topic};
use crate::{
    Dialect, Failure, Layout, Scenario, Stage, ensure,
    stage::{MEETING_TIME, PATIENCE, expect_all, fill},
    throughout,
};

/// An address at which nobody is, reserved for examples.
const NOBODY: &str = "192.0.2.1:8080";

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("view");
    vec![
        topic.scenario("a GET of the view must be 200 with every node", &["view-get"], get).on_all_paths(),
        topic
            .scenario("a DELETE of an address must be 200", &["view-delete", "dialect-result"], delete)
            .restores()
            .on_all_paths(),
        topic
            .scenario("a PUT of a deleted address must be 201", &["view-put", "dialect-result"], put_again)
            .restores()
            .on_all_paths(),
        topic
            .scenario("a PUT of an address that is there must say so", &["view-put-there", "dialect-result"], put_there)
            .on_all_paths(),
        topic
            .scenario("a DELETE of an unknown address must be 404", &["view-delete-missing"], delete_unknown)
            .on_all_paths(),
        topic
            .scenario("a second DELETE of an address must be 404", &["view-delete-missing"], delete_again)
            .restores()
            .on_all_paths(),
        topic
            .scenario("a missing or malformed address must be 400", &["view-bad-address", "bad-body"], bad_address)
            .strict()
            .on_all_paths(),
        topic.scenario("a change by request must spread to all nodes", &["view-spreads"], spreads).restores(),
        topic
            .scenario(
                "a live node that was deleted must stay out until it is PUT",
                &["view-deleted-stays-out"],
                stays_out,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a node that was deleted must come back when it starts again",
                &["view-deleted-stays-out", "view-return"],
                comes_back,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a PUT address without a node must leave the view again",
                &["view-put", "view-get", "view-failed-leave"],
                nobody_there,
            )
            .strict()
            .restores(),
        topic
            .scenario(
                "a node that is PUT again must have what it missed",
                &["view-deleted-forwards", "causal-moving", "key-count"],
                has_what_it_missed,
            )
            .strict()
            .restores(),
    ]
}

async fn get(stage: &mut Stage) -> Result<(), Failure> {
    let (client, all) = (stage.client(), stage.all());
    for node in &all {
        let reply = stage.sees(&client, *node, &all).await?;
        reply.must_be(200)?.must_have("message", "View retrieved successfully")?;
    }
    Ok(())
}

async fn delete(stage: &mut Stage) -> Result<(), Failure> {
    let (client, url, other) = (stage.client(), stage.url(0), stage.address(1));
    let delete = client.delete_view(url, other).await?;
    delete.must_be(200)?.must_have("message", "Replica deleted successfully from the view")?;
    stage.result_is(&delete, "deleted")?;
    client.put_view(url, other).await?.must_succeed()?;
    restored(stage, &[]).await
}

async fn put_again(stage: &mut Stage) -> Result<(), Failure> {
    let (client, url, other) = (stage.client(), stage.url(0), stage.address(1));
    client.delete_view(url, other).await?.must_succeed()?;
    let put = client.put_view(url, other).await?;
    put.must_be(201)?.must_have("message", "Replica added successfully to the view")?;
    stage.result_is(&put, "added")?;
    restored(stage, &[]).await
}

async fn put_there(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    for node in stage.all() {
        let put = client.put_view(stage.url(0), stage.address(node)).await?;
        if stage.dialect() == Dialect::Fall2021 {
            put.must_be(200)?.must_have("result", "already present")?;
        } else {
            put.must_be(404)?
                .must_have("error", "Socket address already exists in the view")?
                .must_have("message", "Error in PUT")?;
        }
    }
    Ok(())
}

async fn delete_unknown(stage: &mut Stage) -> Result<(), Failure> {
    delete_missing(stage, NOBODY).await
}

async fn delete_again(stage: &mut Stage) -> Result<(), Failure> {
    let (client, url, other) = (stage.client(), stage.url(0), stage.address(1));
    client.delete_view(url, other).await?.must_succeed()?;
    delete_missing(stage, other).await?;
    client.put_view(url, other).await?.must_succeed()?;
    restored(stage, &[]).await
}

async fn delete_missing(stage: &Stage, address: &str) -> Result<(), Failure> {
    let delete = stage.client().delete_view(stage.url(0), address).await?;
    delete
        .must_be(404)?
        .must_have("error", "Socket address does not exist in the view")?
        .must_have("message", "Error in DELETE")?;
    Ok(())
}

async fn bad_address(stage: &mut Stage) -> Result<(), Failure> {
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
    let (client, url, path) = (stage.client(), stage.url(0), stage.dialect().view_path());
    for method in [Method::PUT, Method::DELETE] {
        for body in bodies.iter().cloned().map(Some).chain([None]) {
            let reply = client.send(method.clone(), url, path, body).await?;
            reply.must_be(400)?.text("error")?;
        }
    }
    client.send_text(Method::PUT, url, path, "{").await?.must_be(400)?.must_have("message", "Error in PUT")?;
    Ok(())
}

async fn spreads(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    client.delete_view(stage.url(0), stage.address(2)).await?.must_succeed()?;
    stage.await_view_at(&[0, 1], &[0, 1], PATIENCE).await?;
    client.put_view(stage.url(1), stage.address(2)).await?.must_succeed()?;
    restored(stage, &[]).await
}

async fn stays_out(stage: &mut Stage) -> Result<(), Failure> {
    let client = &stage.client();
    client.delete_view(stage.url(0), stage.address(2)).await?.must_succeed()?;
    stage.await_view(&[0, 1]).await?;
    let here = &*stage;
    throughout(MEETING_TIME, || async move {
        for node in [0, 1] {
            here.sees(client, node, &[0, 1]).await?;
        }
        Ok(())
    })
    .await?;
    client.put_view(stage.url(1), stage.address(2)).await?.must_succeed()?;
    stage.await_view(&[0, 1, 2]).await?;
    restored(stage, &[]).await
}

async fn comes_back(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    client.delete_view(stage.url(0), stage.address(2)).await?.must_succeed()?;
    stage.await_view(&[0, 1]).await?;
    stage.kill(2).await?;
    stage.restart_empty(2).await?;
    stage.await_view(&[0, 1, 2]).await?;
    restored(stage, &[]).await
}

/// The view is the set of nodes that are up.
async fn nobody_there(stage: &mut Stage) -> Result<(), Failure> {
    let (ip, _) = stage.address(1).split_once(':').unwrap_or_default();
    let put = stage.client().put_view(stage.url(0), &format!("{ip}:1")).await?;
    put.must_be(201)?.must_have("message", "Replica added successfully to the view")?;
    stage.await_view(&[0, 1, 2]).await
}

/// What was written, and deleted, while it was out is there, and gone, when it is in again.
async fn has_what_it_missed(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, kept, gone) = (stage.client(), stage.keys_named("kept", 10), stage.keys_named("gone", 10));
    let before = total(stage, 0).await?;
    fill(&mut client, &stage.urls(), &gone).await?;
    client.delete_view(stage.url(0), stage.address(2)).await?.must_succeed()?;
    stage.await_view(&[0, 1]).await?;
    fill(&mut client, &[stage.url(0).to_owned()], &kept).await?;
    for key in &gone {
        client.delete(stage.url(1), key).await?.must_succeed()?;
    }
    client.put_view(stage.url(0), stage.address(2)).await?.must_succeed()?;
    stage.await_view(&[0, 1, 2]).await?;
    expect_all(&mut client, stage.url(2), &kept).await?;
    for key in &gone {
        client.get(stage.url(2), key).await?.must_be(404)?;
    }
    let after = total(stage, 2).await?;
    ensure(after == before + 10, || format!("{} keys, got {after}", before + 10))?;
    restored(stage, &kept).await
}

/// How many keys there are, as this node tells it.
async fn total(stage: &Stage, node: usize) -> Result<u64, Failure> {
    let counts = Layout::key_counts(&stage.client(), stage.url(node)).await?;
    Ok(counts.values().sum())
}
