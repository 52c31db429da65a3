//! Contract, "Key-value operations": which keys there are.

use conformance::{Dialect, Failure};
use reqwest::Method;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_key_of_50_characters_is_taken_and_one_of_51_is_400() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        for character in ["k", "ü", "語", "🦀"] {
            let (longest, too_long) = (character.repeat(50), character.repeat(51));
            stage.client.put(&stage.url, &longest, 1).await?.must_be(201)?;
            stage.client.get(&stage.url, &longest).await?.must_be(200)?;
            stage.client.delete(&stage.url, &longest).await?.must_be(200)?;
            let reply = stage.client.put(&stage.url, &too_long, 1).await?;
            reply.must_be(400)?.must_have("error", "Key is too long")?.must_have("message", "Error in PUT")?;
        }
    }
    Ok(())
}

/// Length counts scalar values, not what a person sees as one character: 26 times `e` with a combining accent are 52.
#[tokio::test]
async fn length_counts_scalar_values() -> Result<(), Failure> {
    let mut stage = Stage::new(Dialect::Seed2019).await?;
    let key = "e\u{301}".repeat(25);
    stage.client.put(&stage.url, &key, 1).await?.must_be(201)?;
    let key = "e\u{301}".repeat(26);
    let reply = stage.client.put(&stage.url, &key, 1).await?;
    reply.must_be(400)?.must_have("error", "Key is too long")?;
    Ok(())
}

#[tokio::test]
async fn an_empty_key_is_400() -> Result<(), Failure> {
    for stage in Stage::in_every_dialect().await? {
        let path = stage.dialect.key_path("");
        for (method, message) in
            [(Method::GET, "Error in GET"), (Method::PUT, "Error in PUT"), (Method::DELETE, "Error in DELETE")]
        {
            let body = (method == Method::PUT).then(|| json!({"value": 1}));
            let reply = stage.client.send(method, &stage.url, &path, body).await?;
            reply.must_be(400)?.must_have("error", "Key is empty")?.must_have("message", message)?;
        }
    }
    Ok(())
}

/// Each is a key of its own, on both nodes, whatever characters of a URL are in it.
#[tokio::test]
async fn keys_are_percent_decoded() -> Result<(), Failure> {
    let keys = [
        "a key", "a/key", "/", "a%2Fkey", "a%20key", "a+key", "a?key=1", "a#key", "a&key", "50%", "\"", "\\", "ключ",
        "鍵", "🦀", "...", "\u{1}",
    ];
    for mut stage in Stage::in_every_dialect().await? {
        for key in keys {
            let reply = stage.client.put(&stage.url, key, key).await?;
            reply.must_be(201)?;
        }
        for key in keys {
            let reply = stage.client.get(stage.cluster.url(1), key).await?;
            reply.must_be(200)?.must_have("value", key)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_key_written_encoded_or_plain_is_the_same_key() -> Result<(), Failure> {
    let mut stage = Stage::new(Dialect::Seed2019).await?;
    stage.client.put(&stage.url, "plain-key", 1).await?.must_be(201)?;
    let path = "/key-value-store/plain-key";
    let reply = stage.client.send(Method::GET, &stage.url, path, None).await?;
    reply.must_be(200)?.must_have("value", 1)?;
    Ok(())
}
