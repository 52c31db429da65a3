//! Contract, "Key-value operations": the rows of the table that succeed or miss a key.

use reqwest::Method;
use serde_json::{Value, json};

use super::topic;
use crate::{Client, Failure, Layout, Reply, Scenario, Stage, ensure};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("key-value");
    vec![
        topic
            .scenario(
                "a GET of an existing key must be 200",
                &["get-existing", "dialect-result"],
                get_of_an_existing_key,
            )
            .on_all_paths(),
        topic.scenario("a GET of a key never written must be 404", &["get-missing"], get_of_a_new_key).on_all_paths(),
        topic.scenario("a GET of a deleted key must be 404", &["get-missing"], get_of_a_deleted_key).on_all_paths(),
        topic
            .scenario("a PUT of a new key must be 201", &["put-new", "dialect-result"], put_of_a_new_key)
            .on_all_paths(),
        topic
            .scenario("a PUT of a deleted key must be 201", &["put-new", "dialect-result"], put_of_a_deleted_key)
            .on_all_paths(),
        topic
            .scenario(
                "a PUT of an existing key must be 200",
                &["put-existing", "dialect-result"],
                put_of_an_existing_key,
            )
            .on_all_paths(),
        topic
            .scenario(
                "a DELETE of an existing key must be 200",
                &["delete-existing", "dialect-result"],
                delete_of_an_existing_key,
            )
            .on_all_paths(),
        topic
            .scenario("a DELETE of a missing key must be 404", &["delete-missing"], delete_of_a_missing_key)
            .on_all_paths(),
        topic
            .scenario(
                "an answer about a write must carry its version, a token and its shard",
                &["token-format", "dialect-shard-ids"],
                answers_carry_a_write,
            )
            .strict()
            .on_all_paths(),
        topic
            .scenario(
                "the README's requests must be answered as printed",
                &[
                    "start-readme",
                    "get-missing",
                    "put-new",
                    "put-existing",
                    "get-existing",
                    "delete-existing",
                    "delete-missing",
                ],
                readme,
            )
            .strict(),
        topic.scenario("any JSON value must be kept", &["any-value"], any_value).strict().on_all_paths(),
    ]
}

async fn get_of_an_existing_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    client.put(stage.url(0), &key, "a value").await?.must_succeed()?;
    let reply = client.get(stage.url(0), &key).await?;
    reply
        .must_be(200)?
        .must_have("doesExist", true)?
        .must_have("message", "Retrieved successfully")?
        .must_have("value", "a value")?
        .field("causal-metadata")?;
    stage.result_is(&reply, "found")
}

async fn get_of_a_new_key(stage: &mut Stage) -> Result<(), Failure> {
    missing(&stage.client().get(stage.url(0), &stage.key("x")).await?, "Error in GET")
}

async fn get_of_a_deleted_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    client.delete(stage.url(0), &key).await?.must_succeed()?;
    missing(&client.get(stage.url(0), &key).await?, "Error in GET")
}

fn missing(reply: &Reply, message: &str) -> Result<(), Failure> {
    reply
        .must_be(404)?
        .must_have("doesExist", false)?
        .must_have("error", "Key does not exist")?
        .must_have("message", message)?
        .field("causal-metadata")?;
    Ok(())
}

async fn put_of_a_new_key(stage: &mut Stage) -> Result<(), Failure> {
    added(stage, &stage.client().put(stage.url(0), &stage.key("x"), 1).await?)
}

async fn put_of_a_deleted_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    client.delete(stage.url(0), &key).await?.must_succeed()?;
    added(stage, &client.put(stage.url(0), &key, 2).await?)
}

fn added(stage: &Stage, reply: &Reply) -> Result<(), Failure> {
    reply.must_be(201)?.must_have("message", "Added successfully")?.must_have("replaced", false)?;
    stage.result_is(reply, "created")
}

async fn put_of_an_existing_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    let reply = client.put(stage.url(0), &key, 2).await?;
    reply.must_be(200)?.must_have("message", "Updated successfully")?.must_have("replaced", true)?;
    stage.result_is(&reply, "replaced")?;
    client.get(stage.url(0), &key).await?.must_have("value", 2)?;
    Ok(())
}

async fn delete_of_an_existing_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    let reply = client.delete(stage.url(0), &key).await?;
    reply.must_be(200)?.must_have("doesExist", true)?.must_have("message", "Deleted successfully")?;
    stage.result_is(&reply, "deleted")
}

async fn delete_of_a_missing_key(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    missing(&client.delete(stage.url(0), &key).await?, "Error in DELETE")?;
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    client.delete(stage.url(0), &key).await?.must_succeed()?;
    missing(&client.delete(stage.url(0), &key).await?, "Error in DELETE")
}

async fn answers_carry_a_write(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    let layout = Layout::read(&client, stage.url(0)).await?;
    for reply in [
        client.put(stage.url(0), &key, 1).await?,
        client.put(stage.url(0), &key, 2).await?,
        client.get(stage.url(0), &key).await?,
        client.delete(stage.url(0), &key).await?,
    ] {
        reply.must_succeed()?.opaque("version")?;
        reply.opaque("causal-metadata")?;
        let shard = reply.text("shard-id")?;
        ensure(layout.members.contains_key(shard), || format!("shard {shard} to be one of {layout:?}"))?;
    }
    for reply in [client.get(stage.url(0), &key).await?, client.delete(stage.url(0), &key).await?] {
        reply.opaque("causal-metadata")?;
    }
    Ok(())
}

async fn readme(stage: &mut Stage) -> Result<(), Failure> {
    let (client, key) = (stage.client(), stage.key("course1"));
    let path = stage.dialect().key_path(&key);
    let value = json!({"value": "Distributed Systems"});
    let send = async |method, body| client.send(method, stage.url(0), &path, body).await;

    missing(&send(Method::GET, None).await?, "Error in GET")?;
    let put = send(Method::PUT, Some(value.clone())).await?;
    put.must_be(201)?.must_have("message", "Added successfully")?.must_have("replaced", false)?.text("shard-id")?;
    // Nobody passes a token along here, so each step waits until the one before has reached every replica.
    stage.await_key(&key).await?;
    let put = send(Method::PUT, Some(value)).await?;
    put.must_be(200)?.must_have("message", "Updated successfully")?.must_have("replaced", true)?;
    let get = send(Method::GET, None).await?;
    get.must_be(200)?.must_have("message", "Retrieved successfully")?.must_have("value", "Distributed Systems")?;
    let delete = send(Method::DELETE, None).await?;
    delete.must_be(200)?.must_have("doesExist", true)?.must_have("message", "Deleted successfully")?;
    stage.await_no_key(&key).await?;
    missing(&send(Method::DELETE, None).await?, "Error in DELETE")
}

/// More than any machine integer holds.
const LARGE_INTEGER: &str = "123456789012345678901234567890";

async fn any_value(stage: &mut Stage) -> Result<(), Failure> {
    let values = [
        "null",
        "true",
        "-0.5",
        "9223372036854775808",
        LARGE_INTEGER,
        r#""""#,
        r#""\"quoted\" \\ \u0001 ünïcode 🦀""#,
        "[]",
        r#"[1,"two",[3],{"four":null}]"#,
        r#"{"value":{"nested":"value"},"causal-metadata":""}"#,
    ];
    for (value, key) in values.iter().zip(stage.keys_named("value", values.len())) {
        let mut client = stage.client();
        let get = put_and_get(stage, &mut client, &key, value).await?;
        let expected: Value = serde_json::from_str(value).unwrap_or_default();
        get.must_have("value", expected)?;
        if *value == LARGE_INTEGER && !get.text.contains(LARGE_INTEGER) {
            return Err(get.contradicts("all digits of a large integer"));
        }
    }
    Ok(())
}

/// Puts the JSON text `value` as it is through one node, and reads it through another.
async fn put_and_get(stage: &Stage, client: &mut Client, key: &str, value: &str) -> Result<Reply, Failure> {
    let body = format!(r#"{{"value":{value},"causal-metadata":""}}"#);
    let put = client.send_as_json(Method::PUT, stage.url(0), &stage.dialect().key_path(key), &body).await?;
    let token = put.must_succeed()?.field("causal-metadata")?.clone();
    client.with_token(token).get(stage.url(1), key).await
}
