//! Contract, "Key-value operations": what a request's body may be, and what is said when it may not.

use reqwest::Method;
use serde_json::{Value, json};

use super::topic;
use crate::{Failure, Reply, Scenario, Stage, eventually, stage::PATIENCE};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("bodies");
    vec![
        topic.scenario("a PUT without value must be 400", &["put-without-value"], put_without_value).on_all_paths(),
        topic
            .scenario(
                "a PUT with a value by another name must be 400",
                &["put-without-value", "dialect-unknown-fields"],
                put_with_a_misspelt_value,
            )
            .on_all_paths(),
        topic
            .scenario(
                "a token must be allowed to be empty, null or absent at first",
                &["token-first"],
                no_token_at_first,
            )
            .on_all_paths(),
        topic.scenario("a body that is not JSON must be 400", &["bad-body"], not_json).strict().on_all_paths(),
        topic
            .scenario("a body of the wrong type must be 400", &["bad-body"], of_the_wrong_type)
            .strict()
            .on_all_paths(),
        topic.scenario("a bad token must be 400", &["bad-body"], bad_token).strict().on_all_paths(),
        topic.scenario("a token of 32 KiB must be read", &["token-32k", "bad-body"], token_of_32_kib).strict(),
        topic
            .scenario("a body must be taken without Content-Type", &["dialect-content-type"], without_content_type)
            .strict()
            .on_all_paths(),
        topic
            .scenario(
                "a view change and a reshard must be taken without Content-Type",
                &["dialect-content-type"],
                change_without_content_type,
            )
            .strict()
            .restores(),
        topic
            .scenario("unknown JSON fields must be ignored", &["dialect-unknown-fields"], unknown_fields)
            .strict()
            .on_all_paths(),
        topic.scenario("a body over the limit must be 413", &["body-413"], over_the_limit).strict().on_all_paths(),
    ]
}

fn refused(reply: &Reply, message: &str) -> Result<(), Failure> {
    reply.must_be(400)?.must_have("message", message)?;
    match reply.text("error")? {
        "" => Err(reply.contradicts("`error` to say what is wrong")),
        _ => Ok(()),
    }
}

async fn put_without_value(stage: &mut Stage) -> Result<(), Failure> {
    for body in [json!({}), json!({"causal-metadata": ""})] {
        value_is_missing(stage, body).await?;
    }
    Ok(())
}

async fn put_with_a_misspelt_value(stage: &mut Stage) -> Result<(), Failure> {
    value_is_missing(stage, json!({"valu": 1})).await
}

async fn value_is_missing(stage: &Stage, body: Value) -> Result<(), Failure> {
    let path = stage.dialect().key_path(&stage.key("x"));
    let reply = stage.client().send(Method::PUT, stage.url(0), &path, Some(body)).await?;
    reply.must_be(400)?.must_have("error", "Value is missing")?.must_have("message", "Error in PUT")?;
    Ok(())
}

async fn no_token_at_first(stage: &mut Stage) -> Result<(), Failure> {
    let (client, keys) = (stage.client(), stage.keys(3));
    let tokens = [Some(json!("")), Some(json!(null)), None];
    for (key, token) in keys.iter().zip(tokens) {
        let path = stage.dialect().key_path(key);
        let without_value = token.map(|token| json!({ "causal-metadata": token }));
        let mut with_value = without_value.clone().unwrap_or_else(|| json!({}));
        with_value["value"] = json!(1);
        let send = async |method, body: Option<Value>| client.send(method, stage.url(0), &path, body).await;
        send(Method::PUT, Some(with_value)).await?.must_succeed()?;
        stage.await_key(key).await?;
        send(Method::GET, without_value.clone()).await?.must_have("value", 1)?;
        send(Method::DELETE, without_value).await?.must_succeed()?;
    }
    Ok(())
}

async fn not_json(stage: &mut Stage) -> Result<(), Failure> {
    let (client, path) = (stage.client(), stage.dialect().key_path(&stage.key("x")));
    for body in ["value=1", "{", r#"{"value": 1"#, r#"{"value": 1} {}"#, "\u{1}"] {
        for (method, message) in
            [(Method::PUT, "Error in PUT"), (Method::DELETE, "Error in DELETE"), (Method::GET, "Error in GET")]
        {
            refused(&client.send_as_json(method, stage.url(0), &path, body).await?, message)?;
        }
    }
    Ok(())
}

async fn of_the_wrong_type(stage: &mut Stage) -> Result<(), Failure> {
    let (client, path) = (stage.client(), stage.dialect().key_path(&stage.key("x")));
    let put = async |body| client.send(Method::PUT, stage.url(0), &path, Some(body)).await;
    for body in [json!([1]), json!("value"), json!(7)] {
        refused(&put(body).await?, "Error in PUT")?;
    }
    for token in [json!(7), json!([]), json!({"a": 1}), json!(true)] {
        refused(&put(json!({"value": 1, "causal-metadata": token})).await?, "Error in PUT")?;
    }
    Ok(())
}

async fn bad_token(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key, url) = (stage.client(), stage.key("x"), stage.url(0));
    let put = client.put(url, &key, 1).await?;
    let token = put.text("causal-metadata")?;
    let altered: String = token.chars().rev().collect();
    let halved: String = token.chars().take(token.len() / 2).collect();
    for bad in ["not a token", "🦀", "AAAA", &altered, &halved] {
        refused(&client.with_token(bad).get(url, &key).await?, "Error in GET")?;
        refused(&client.with_token(bad).put(url, &key, 2).await?, "Error in PUT")?;
        refused(&client.with_token(bad).delete(url, &key).await?, "Error in DELETE")?;
    }
    client.get(url, &key).await?.must_have("value", 1)?;
    Ok(())
}

/// Garbled, it is a bad token and not a request too large.
async fn token_of_32_kib(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client().with_token("A".repeat(32 * 1024)), stage.key("x"));
    refused(&client.get(stage.url(0), &key).await?, "Error in GET")?;
    refused(&client.put(stage.url(0), &key, 1).await?, "Error in PUT")
}

async fn without_content_type(stage: &mut Stage) -> Result<(), Failure> {
    let (client, path) = (stage.client(), stage.dialect().key_path(&stage.key("x")));
    let send = async |method, body| client.send_text(method, stage.url(0), &path, body).await;
    let put = send(Method::PUT, r#"{"value": 1}"#).await?;
    let token = json!({"causal-metadata": put.must_succeed()?.field("causal-metadata")?}).to_string();
    send(Method::GET, &token).await?.must_have("value", 1)?;
    send(Method::DELETE, &token).await?.must_succeed()?;
    Ok(())
}

async fn change_without_content_type(stage: &mut Stage) -> Result<(), Failure> {
    let (client, last) = (stage.client(), stage.all().len() - 1);
    let body = format!(r#"{{"socket-address": "{}"}}"#, stage.address(last));
    for method in [Method::DELETE, Method::PUT] {
        let reply = client.send_text(method, stage.url(0), stage.dialect().view_path(), &body).await?;
        reply.must_succeed()?;
    }
    stage.await_view(&stage.all()).await?;
    let reshard = stage.dialect().shard_path("reshard");
    client.send_text(Method::PUT, stage.url(0), &reshard, r#"{"shard-count": 2}"#).await?.must_succeed()?;
    Ok(())
}

async fn unknown_fields(stage: &mut Stage) -> Result<(), Failure> {
    let (client, path) = (stage.client(), stage.dialect().key_path(&stage.key("x")));
    let send = async |method, body| client.send(method, stage.url(0), &path, Some(body)).await;
    let body = json!({"value": 1, "version": 7, "colour": ["red"], "causal-metadata": ""});
    let put = send(Method::PUT, body).await?;
    let token = put.must_succeed()?.field("causal-metadata")?;
    send(Method::GET, json!({"colour": null, "causal-metadata": token})).await?.must_have("value", 1)?;
    send(Method::DELETE, json!({"colour": 1, "value": 2, "causal-metadata": token})).await?.must_succeed()?;
    Ok(())
}

async fn over_the_limit(stage: &mut Stage) -> Result<(), Failure> {
    let (client, fitting, large) = (stage.client(), stage.key("fitting"), stage.key("large"));
    let fits = "v".repeat(1024 * 1024 - 1024);
    // A busy machine may take too long for a megabyte at the first try.
    let put = || async { stage.client().put(stage.url(0), &fitting, fits.as_str()).await?.must_succeed().cloned() };
    let put = eventually(PATIENCE, "a body within the limit is taken", put).await?;
    let mut client = client.with_token(put.field("causal-metadata")?.clone());
    client.get(stage.url(1), &fitting).await?.must_have("value", fits)?;

    let reply = client.put(stage.url(0), &large, "v".repeat(1024 * 1024)).await?;
    let error = reply.must_be(413)?.text("error")?;
    if !["1048576", "1 MiB"].iter().any(|limit| error.contains(limit)) {
        return Err(reply.contradicts("`error` to name the limit"));
    }
    client.get(stage.url(0), &large).await?.must_miss()?;
    Ok(())
}
