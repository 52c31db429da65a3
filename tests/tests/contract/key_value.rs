//! Contract, "Key-value operations": the rows of the table that succeed or miss a key.

use conformance::{Dialect, Failure, Reply};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

/// What every answer about an existing key, or to a write, carries.
fn carries_a_write(reply: &Reply) -> Result<(), Failure> {
    reply.opaque("version")?;
    reply.opaque("causal-metadata")?;
    reply.must_have("shard-id", "1")?;
    Ok(())
}

#[tokio::test]
async fn get_of_an_existing_key_is_200() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        stage.client.put(&stage.url, "x", "a value").await?;
        let reply = stage.client.get(&stage.url, "x").await?;
        reply
            .must_be(200)?
            .must_have("doesExist", true)?
            .must_have("message", "Retrieved successfully")?
            .must_have("value", "a value")?;
        carries_a_write(&reply)?;
        stage.result_is(&reply, "found")?;
    }
    Ok(())
}

#[tokio::test]
async fn get_of_a_key_never_written_is_404() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        missing(&stage.client.get(&stage.url, "x").await?, "Error in GET")?;
    }
    Ok(())
}

#[tokio::test]
async fn get_of_a_deleted_key_is_404() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        stage.client.put(&stage.url, "x", 1).await?;
        stage.client.delete(&stage.url, "x").await?;
        missing(&stage.client.get(&stage.url, "x").await?, "Error in GET")?;
    }
    Ok(())
}

fn missing(reply: &Reply, message: &str) -> Result<(), Failure> {
    reply
        .must_be(404)?
        .must_have("doesExist", false)?
        .must_have("error", "Key does not exist")?
        .must_have("message", message)?
        .opaque("causal-metadata")?;
    Ok(())
}

#[tokio::test]
async fn put_of_a_new_key_is_201() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        let reply = stage.client.put(&stage.url, "x", 1).await?;
        added(&stage, &reply)?;
    }
    Ok(())
}

#[tokio::test]
async fn put_of_a_deleted_key_is_201() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        stage.client.put(&stage.url, "x", 1).await?;
        stage.client.delete(&stage.url, "x").await?;
        let reply = stage.client.put(&stage.url, "x", 2).await?;
        added(&stage, &reply)?;
    }
    Ok(())
}

fn added(stage: &Stage, reply: &Reply) -> Result<(), Failure> {
    reply.must_be(201)?.must_have("message", "Added successfully")?.must_have("replaced", false)?;
    stage.result_is(reply, "created")?;
    carries_a_write(reply)
}

#[tokio::test]
async fn put_of_an_existing_key_is_200() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        stage.client.put(&stage.url, "x", 1).await?;
        let reply = stage.client.put(&stage.url, "x", 2).await?;
        reply.must_be(200)?.must_have("message", "Updated successfully")?.must_have("replaced", true)?;
        carries_a_write(&reply)?;
        stage.result_is(&reply, "replaced")?;
        let reply = stage.client.get(&stage.url, "x").await?;
        reply.must_have("value", 2)?;
    }
    Ok(())
}

#[tokio::test]
async fn delete_of_an_existing_key_is_200() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        stage.client.put(&stage.url, "x", 1).await?;
        let reply = stage.client.delete(&stage.url, "x").await?;
        reply.must_be(200)?.must_have("doesExist", true)?.must_have("message", "Deleted successfully")?;
        carries_a_write(&reply)?;
        stage.result_is(&reply, "deleted")?;
    }
    Ok(())
}

#[tokio::test]
async fn delete_of_a_missing_key_is_404() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        missing(&stage.client.delete(&stage.url, "x").await?, "Error in DELETE")?;
        stage.client.put(&stage.url, "x", 1).await?;
        stage.client.delete(&stage.url, "x").await?;
        missing(&stage.client.delete(&stage.url, "x").await?, "Error in DELETE")?;
    }
    Ok(())
}

#[tokio::test]
async fn the_readme_examples_answer_as_printed() -> Result<(), Failure> {
    let stage = Stage::new(Dialect::Seed2019).await?;
    let (client, path) = (&stage.client, "/key-value-store/course1");
    let value = json!({"value": "Distributed Systems"});
    let send = async |method, body| client.send(method, &stage.url, path, body).await;

    missing(&send(Method::GET, None).await?, "Error in GET")?;
    let put = send(Method::PUT, Some(value.clone())).await?;
    put.must_be(201)?
        .must_have("message", "Added successfully")?
        .must_have("replaced", false)?
        .must_have("shard-id", "1")?;
    let put = send(Method::PUT, Some(value)).await?;
    put.must_be(200)?.must_have("message", "Updated successfully")?.must_have("replaced", true)?;
    let get = send(Method::GET, None).await?;
    get.must_be(200)?.must_have("value", "Distributed Systems")?;
    let delete = send(Method::DELETE, None).await?;
    delete.must_be(200)?.must_have("doesExist", true)?.must_have("message", "Deleted successfully")?;
    missing(&send(Method::DELETE, None).await?, "Error in DELETE")
}

#[tokio::test]
async fn any_json_value_is_kept() -> Result<(), Failure> {
    let values = [
        "null",
        "true",
        "-0.5",
        "9223372036854775808",
        "123456789012345678901234567890",
        r#""""#,
        r#""\"quoted\" \\ \u0001 ünïcode 🦀""#,
        "[]",
        r#"[1,"two",[3],{"four":null}]"#,
        r#"{"value":{"nested":"value"},"causal-metadata":""}"#,
    ];
    for mut stage in Stage::in_every_dialect().await? {
        for (index, value) in values.iter().enumerate() {
            let key = format!("v{index}");
            let (path, body) = (stage.dialect.key_path(&key), format!(r#"{{"value":{value},"causal-metadata":""}}"#));
            let put = stage.client.send_text(Method::PUT, &stage.url, &path, &body).await?;
            put.must_be(201)?;
            let get = stage.client.get(stage.cluster.url(1), &key).await?;
            let value: Value = serde_json::from_str(value).unwrap_or_default();
            get.must_be(200)?.must_have("value", value)?;
        }
        let get = stage.client.get(&stage.url, "v4").await?;
        if !get.text.contains("123456789012345678901234567890") {
            return Err(get.contradicts("all digits of a large integer"));
        }
    }
    Ok(())
}
