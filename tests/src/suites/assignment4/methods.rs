//! Contract: unsupported methods, trailing slashes.

use reqwest::Method;
use serde_json::json;

use super::topic;
use crate::{Failure, Layout, Scenario, Stage};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("methods");
    vec![
        topic.scenario("an unsupported method must be 405", &["method-405"], unsupported).strict().on_all_paths(),
        topic.scenario("a trailing slash must be accepted", &["dialect-slash"], trailing_slash).strict().on_all_paths(),
        topic
            .scenario("a trailing slash must be accepted by reshard", &["dialect-slash"], trailing_slash_of_reshard)
            .strict()
            .restores()
            .on_all_paths(),
    ]
}

/// An id of a shard that exists.
async fn some_shard(stage: &Stage) -> Result<String, Failure> {
    let layout = Layout::read(&stage.client(), stage.url(0)).await?;
    let first = layout.ids().first().map(|id| (*id).to_owned());
    first.ok_or_else(|| Failure::new("a shard"))
}

async fn unsupported(stage: &mut Stage) -> Result<(), Failure> {
    let (client, dialect, shard) = (stage.client(), stage.dialect(), some_shard(stage).await?);
    let cases = [
        (dialect.key_path(&stage.key("x")), &["GET", "PUT", "DELETE"][..]),
        (dialect.view_path().to_owned(), &["GET", "PUT", "DELETE"]),
        (dialect.shard_path("ids"), &["GET"]),
        (dialect.shard_path("node-shard-id"), &["GET"]),
        (dialect.shard_path(&format!("members/{shard}")), &["GET"]),
        (dialect.shard_path(&format!("key-count/{shard}")), &["GET"]),
        (dialect.shard_path(&format!("add-member/{shard}")), &["PUT"]),
        (dialect.shard_path("reshard"), &["PUT"]),
    ];
    for (path, supported) in cases {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::POST, Method::PATCH] {
            if supported.contains(&method.as_str()) {
                continue;
            }
            let message = format!("Error in {method}");
            let reply = client.send(method, stage.url(0), &path, None).await?;
            let allow = reply
                .must_be(405)?
                .must_have("error", "This method is unsupported")?
                .must_have("message", message)?
                .header("allow")?;
            let allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
            if !supported.iter().all(|method| allowed.contains(method)) {
                return Err(reply.contradicts(format!("`Allow` with {supported:?}")));
            }
        }
    }
    Ok(())
}

async fn trailing_slash(stage: &mut Stage) -> Result<(), Failure> {
    let (client, dialect, shard) = (stage.client(), stage.dialect(), some_shard(stage).await?);
    let key = dialect.key_path(&stage.key("x"));
    let send = async |method, path: &str, body| client.send(method, stage.url(0), &format!("{path}/"), body).await;
    let put = send(Method::PUT, &key, Some(json!({"value": 1}))).await?;
    let token = json!({"causal-metadata": put.must_succeed()?.field("causal-metadata")?});
    send(Method::GET, &key, Some(token.clone())).await?.must_have("value", 1)?;
    client.send(Method::GET, stage.url(0), &key, Some(token.clone())).await?.must_have("value", 1)?;
    send(Method::DELETE, &key, Some(token)).await?.must_succeed()?;
    send(Method::GET, dialect.view_path(), None).await?.must_succeed()?;
    for operation in ["ids", "node-shard-id", &format!("members/{shard}"), &format!("key-count/{shard}")] {
        send(Method::GET, &dialect.shard_path(operation), None).await?.must_succeed()?;
    }
    Ok(())
}

async fn trailing_slash_of_reshard(stage: &mut Stage) -> Result<(), Failure> {
    let path = format!("{}/", stage.dialect().shard_path("reshard"));
    let body = json!({"shard-count": 2});
    stage.client().send(Method::PUT, stage.url(0), &path, Some(body)).await?.must_succeed()?;
    Ok(())
}
