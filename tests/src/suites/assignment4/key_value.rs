//! Contract, "Key-value operations": the rows of the table that succeed or miss a key.

use reqwest::Method;
use serde_json::{Value, json};

use super::topic;
use crate::{Dialect, Failure, Reply, Scenario, Stage};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("key-value");
    vec![
        topic
            .scenario("a GET of an existing key must be 200", &["get-existing"], get_of_an_existing_key)
            .on_all_paths(),
        topic.scenario("a GET of a key never written must be 404", &["get-missing"], get_of_a_new_key).on_all_paths(),
        topic.scenario("a PUT of a new key must be 201", &["put-new"], put_of_a_new_key).on_all_paths(),
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
    let reply = stage.client().put(stage.url(0), &stage.key("x"), 1).await?;
    reply.must_be(201)?.must_have("message", "Added successfully")?.must_have("replaced", false)?;
    stage.result_is(&reply, "created")
}
