//! Contract, "Key-value operations": what a request's body may be, and what is said when it may not.

use conformance::{Dialect, Failure, Reply};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

fn refused(reply: &Reply, message: &str) -> Result<(), Failure> {
    reply.must_be(400)?.must_have("message", message)?;
    match reply.text("error")? {
        "" => Err(reply.contradicts("`error` to say what is wrong")),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn put_without_value_is_400() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.key_path("x");
        for body in [json!({}), json!({"causal-metadata": ""}), json!({"valu": 1})] {
            let reply = stage.client.send(Method::PUT, &stage.url, &path, Some(body));
            let reply = reply.await?;
            reply.must_be(400)?.must_have("error", "Value is missing")?.must_have("message", "Error in PUT")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.key_path("x");
        for body in ["value=1", "{", r#"{"value": 1"#, r#"{"value": 1} {}"#, "\u{1}"] {
            for (method, message) in
                [(Method::PUT, "Error in PUT"), (Method::DELETE, "Error in DELETE"), (Method::GET, "Error in GET")]
            {
                let reply = stage.client.send_text(method, &stage.url, &path, body);
                refused(&reply.await?, message)?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_of_the_wrong_type_is_400() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.key_path("x");
        for body in [json!([1]), json!("value"), json!(7)] {
            let reply = stage.client.send(Method::PUT, &stage.url, &path, Some(body));
            refused(&reply.await?, "Error in PUT")?;
        }
        for token in [json!(7), json!([]), json!({"a": 1}), json!(true)] {
            let body = json!({"value": 1, "causal-metadata": token});
            let reply = stage.client.send(Method::PUT, &stage.url, &path, Some(body));
            refused(&reply.await?, "Error in PUT")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_token_is_400() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        let put = stage.client.put(&stage.url, "x", 1).await?;
        let token = put.opaque("causal-metadata")?;
        let altered: String = token.chars().rev().collect();
        let halved = &token[..token.len() / 2];
        for bad in ["not a token", "🦀", "AAAA", &altered, halved] {
            let mut client = stage.client.with_token(bad);
            refused(&client.get(&stage.url, "x").await?, "Error in GET")?;
            let mut client = stage.client.with_token(bad);
            refused(&client.put(&stage.url, "x", 2).await?, "Error in PUT")?;
            let mut client = stage.client.with_token(bad);
            refused(&client.delete(&stage.url, "x").await?, "Error in DELETE")?;
        }
        stage.client.get(&stage.url, "x").await?.must_have("value", 1)?;
    }
    Ok(())
}

/// A token of up to 32 KiB is read: garbled, it is a bad token and not a request too large.
#[tokio::test]
async fn a_token_of_32_kib_is_read() -> Result<(), Failure> {
    let stage = Stage::new(Dialect::Spring2021).await?;
    let mut client = stage.client.with_token("A".repeat(32 * 1024));
    refused(&client.get(&stage.url, "x").await?, "Error in GET")?;
    refused(&client.put(&stage.url, "x", 1).await?, "Error in PUT")
}

#[tokio::test]
async fn causal_metadata_may_be_empty_null_or_absent_at_first() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let bodies = [
            json!({"value": 1, "causal-metadata": ""}),
            json!({"value": 1, "causal-metadata": null}),
            json!({"value": 1}),
        ];
        for (index, body) in bodies.into_iter().enumerate() {
            let path = stage.dialect.key_path(&format!("x{index}"));
            let without_value = body.get("causal-metadata").map(|token| json!({"causal-metadata": token}));
            let send = async |method, body: Option<Value>| stage.client.send(method, &stage.url, &path, body).await;
            send(Method::PUT, Some(body)).await?.must_be(201)?;
            send(Method::GET, without_value.clone()).await?.must_be(200)?;
            send(Method::DELETE, without_value).await?.must_be(200)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_body_may_come_without_content_type() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.key_path("x");
        let send = async |method, body| stage.client.send_text(method, &stage.url, &path, body).await;
        send(Method::PUT, r#"{"value": 1}"#).await?.must_be(201)?;
        send(Method::GET, r#"{"causal-metadata": ""}"#).await?.must_be(200)?;
        send(Method::DELETE, r#"{"causal-metadata": ""}"#).await?.must_be(200)?;
        let body = format!(r#"{{"socket-address": "{}"}}"#, stage.cluster.address(1));
        let view = stage.dialect.view_path();
        let reply = stage.client.send_text(Method::DELETE, &stage.url, view, &body);
        reply.await?.must_be(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn unknown_json_fields_are_ignored() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.key_path("x");
        let body = json!({"value": 1, "version": 7, "colour": ["red"], "causal-metadata": ""});
        let send = async |method, body| stage.client.send(method, &stage.url, &path, Some(body)).await;
        send(Method::PUT, body).await?.must_be(201)?;
        send(Method::GET, json!({"colour": null})).await?.must_be(200)?;
        send(Method::DELETE, json!({"colour": 1, "value": 2})).await?.must_be(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        let fits = "v".repeat(1024 * 1024 - 1024);
        stage.client.put(&stage.url, "x", fits.as_str()).await?.must_be(201)?;
        let reply = stage.client.get(stage.cluster.url(1), "x").await?;
        reply.must_be(200)?.must_have("value", fits)?;

        let reply = stage.client.put(&stage.url, "y", "v".repeat(1024 * 1024)).await?;
        let error = reply.must_be(413)?.text("error")?;
        if !["1048576", "1 MiB"].iter().any(|limit| error.contains(limit)) {
            return Err(reply.contradicts("`error` to name the limit"));
        }
        stage.client.get(&stage.url, "y").await?.must_be(404)?;
    }
    Ok(())
}
