//! Contract, "Key-value operations": which keys there are.

use reqwest::Method;
use serde_json::json;

use super::topic;
use crate::{Failure, Scenario, Stage};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("keys");
    vec![
        topic
            .scenario(
                "a key of 50 characters must be taken, and one of 51 must be 400",
                &["put-long-key"],
                the_longest_key,
            )
            .on_all_paths(),
        topic
            .scenario(
                "the length of a key must be counted in scalar values",
                &["key-decoding", "put-long-key"],
                length_in_scalar_values,
            )
            .strict()
            .on_all_paths(),
        topic.scenario("an empty key must be 400", &["empty-key"], an_empty_key).strict().on_all_paths(),
        topic.scenario("a key must be percent-decoded", &["key-decoding"], percent_decoded).strict().on_all_paths(),
        topic.scenario("a key must be the same written encoded or plain", &["key-decoding"], encoded_or_plain).strict(),
    ]
}

/// A key of this scenario's own that consists of `length` scalar values: so many times `pattern` as there is room for.
fn key_of(stage: &Stage, pattern: &str, length: usize) -> String {
    let own = stage.key("");
    let room = length - own.chars().count();
    pattern.chars().cycle().take(room).chain(own.chars()).collect()
}

async fn takes_50_and_refuses_51(stage: &Stage, pattern: &str) -> Result<(), Failure> {
    let (longest, too_long) = (key_of(stage, pattern, 50), key_of(stage, pattern, 51));
    let mut client = stage.client();
    client.put(stage.url(0), &longest, 1).await?.must_succeed()?;
    client.get(stage.url(0), &longest).await?.must_have("value", 1)?;
    client.delete(stage.url(0), &longest).await?.must_succeed()?;
    let reply = client.put(stage.url(0), &too_long, 1).await?;
    reply.must_be(400)?.must_have("error", "Key is too long")?.must_have("message", "Error in PUT")?;
    Ok(())
}

async fn the_longest_key(stage: &mut Stage) -> Result<(), Failure> {
    takes_50_and_refuses_51(stage, "k").await
}

/// Not bytes, not UTF-16, and not what a person sees as one character: `e` with a combining accent is two.
async fn length_in_scalar_values(stage: &mut Stage) -> Result<(), Failure> {
    for pattern in ["ü", "語", "🦀", "e\u{301}"] {
        takes_50_and_refuses_51(stage, pattern).await?;
    }
    Ok(())
}

async fn an_empty_key(stage: &mut Stage) -> Result<(), Failure> {
    let (client, path) = (stage.client(), stage.dialect().key_path(""));
    for (method, message) in
        [(Method::GET, "Error in GET"), (Method::PUT, "Error in PUT"), (Method::DELETE, "Error in DELETE")]
    {
        let body = (method == Method::PUT).then(|| json!({"value": 1}));
        let reply = client.send(method, stage.url(0), &path, body).await?;
        reply.must_be(400)?.must_have("error", "Key is empty")?.must_have("message", message)?;
    }
    Ok(())
}

/// Each is a key of its own, on two nodes, whatever characters of a URL are in it.
async fn percent_decoded(stage: &mut Stage) -> Result<(), Failure> {
    let names = [
        "a key", "a/key", "/", "a%2Fkey", "a%20key", "a+key", "a?key=1", "a#key", "a&key", "50%", "\"", "\\", "ключ",
        "鍵", "🦀", "...", "\u{1}",
    ];
    let (mut client, keys) = (stage.client(), names.map(|name| stage.key(name)));
    for key in &keys {
        client.put(stage.url(0), key, key.as_str()).await?.must_succeed()?;
    }
    for key in &keys {
        client.get(stage.url(1), key).await?.must_have("value", key.as_str())?;
    }
    Ok(())
}

async fn encoded_or_plain(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("plain"));
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    // Clients encode the `-` of the key.
    let path = format!("{}{key}", stage.dialect().key_path(""));
    let body = json!({"causal-metadata": client.token()});
    client.send(Method::GET, stage.url(0), &path, Some(body)).await?.must_have("value", 1)?;
    Ok(())
}
