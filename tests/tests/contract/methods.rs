//! Contract: unsupported methods, trailing slashes.

use conformance::{Dialect, Failure};
use reqwest::Method;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn an_unsupported_method_is_405() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let dialect = stage.dialect;
        let cases = [
            (dialect.key_path("x"), &["GET", "PUT", "DELETE"][..]),
            (dialect.view_path().to_owned(), &["GET", "PUT", "DELETE"]),
            (dialect.shard_path("ids"), &["GET"]),
            (dialect.shard_path("node-shard-id"), &["GET"]),
            (dialect.shard_path("members/1"), &["GET"]),
            (dialect.shard_path("key-count/1"), &["GET"]),
            (dialect.shard_path("add-member/1"), &["PUT"]),
            (dialect.shard_path("reshard"), &["PUT"]),
        ];
        for (path, supported) in cases {
            let methods = [Method::GET, Method::PUT, Method::DELETE, Method::POST, Method::PATCH];
            for method in methods {
                if supported.contains(&method.as_str()) {
                    continue;
                }
                let message = format!("Error in {method}");
                let reply = stage.client.send(method, &stage.url, &path, None).await?;
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
    }
    Ok(())
}

#[tokio::test]
async fn trailing_slashes_are_accepted() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let dialect = stage.dialect;
        let key = dialect.key_path("x");
        let send =
            async |method, path: &str, body| stage.client.send(method, &stage.url, &format!("{path}/"), body).await;
        send(Method::PUT, &key, Some(json!({"value": 1}))).await?.must_be(201)?;
        send(Method::GET, &key, None).await?.must_be(200)?.must_have("value", 1)?;
        let plain = stage.client.send(Method::GET, &stage.url, &key, None).await?;
        plain.must_be(200)?.must_have("value", 1)?;
        send(Method::DELETE, &key, None).await?.must_be(200)?;
        send(Method::GET, dialect.view_path(), None).await?.must_be(200)?;
        for operation in ["ids", "node-shard-id", "members/1", "key-count/1"] {
            send(Method::GET, &dialect.shard_path(operation), None).await?.must_be(200)?;
        }
        let reshard = dialect.shard_path("reshard");
        send(Method::PUT, &reshard, Some(json!({"shard-count": 1}))).await?.must_be(200)?;
    }
    Ok(())
}

/// The paths of fall 2021 are served always, in their own shape.
#[tokio::test]
async fn fall_2021_paths_are_served_beside_those_of_2019() -> Result<(), Failure> {
    let mut stage = Stage::new(Dialect::Seed2019).await?;
    stage.client.put(&stage.url, "x", 1).await?.must_be(201)?;
    let client = stage.client.without_token();
    let send = async |path| client.send(Method::GET, &stage.url, path, None).await;
    let reply = send("/kvs/x").await?;
    reply.must_be(200)?.must_have("value", 1)?.must_have("result", "found")?;
    let addresses = json!([stage.cluster.address(0), stage.cluster.address(1)]);
    send("/view").await?.must_be(200)?.must_have("view", addresses.clone())?;
    send("/shard/ids").await?.must_be(200)?.must_have("shard-ids", json!(["1"]))?;
    send("/shard/node-shard-id").await?.must_be(200)?.must_have("node-shard-id", "1")?;
    send("/shard/members/1").await?.must_be(200)?.must_have("shard-members", addresses)?;
    send("/shard/key-count/1").await?.must_be(200)?.must_have("shard-key-count", 1)?;
    Ok(())
}
