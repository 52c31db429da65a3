//! Contract, "Dialects": the same answers in the shape of each generation.

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::{Value, json};

use super::topic;
use crate::{Dialect, Failure, Layout, Reply, Scenario, Stage, ensure};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("dialects");
    vec![
        topic.scenario("a list must have the shape of its dialect", &["dialect-lists"], shape_of_lists).on_all_paths(),
        topic
            .scenario("a list of addresses must be in numeric order", &["dialect-order"], numeric_order)
            .strict()
            .on_all_paths(),
        topic
            .scenario("shard ids must be strings, counted from 1", &["dialect-shard-ids"], shard_ids)
            .strict()
            .on_all_paths(),
        topic
            .scenario("a GET must be allowed to carry a JSON body", &["dialect-get-body"], get_with_body)
            .strict()
            .on_all_paths(),
        topic
            .scenario(
                "the paths of fall 2021 must be served beside the others, in their own shape",
                &["dialect-fall-paths", "dialect-result"],
                fall_paths,
            )
            .strict(),
        topic
            .scenario(
                "a token must hold on the paths of another dialect",
                &["dialect-fall-paths", "causal"],
                token_across_dialects,
            )
            .strict(),
    ]
}

/// The lists that the first node answers with: shard ids, the view, and the members of a shard.
async fn lists(stage: &Stage) -> Result<[(Reply, Value); 3], Failure> {
    let (client, url) = (stage.client(), stage.url(0));
    let layout = Layout::read(&client, url).await?;
    let members = layout.ids().first().map(|id| format!("members/{id}"));
    let members = members.ok_or_else(|| Failure::new("a shard"))?;
    let ids = client.shard(url, "ids").await?;
    let view = client.view(url).await?;
    let members = client.shard(url, &members).await?;
    let of = |reply: Reply, field: &str| reply.field(field).cloned().map(|list| (reply, list));
    Ok([of(ids, "shard-ids")?, of(view, "view")?, of(members, client.dialect().members_field())?])
}

async fn shape_of_lists(stage: &mut Stage) -> Result<(), Failure> {
    for (reply, list) in lists(stage).await? {
        // An id may be a number where only the shape of the list is judged.
        let shaped = match stage.dialect() {
            Dialect::Seed2019 => list.is_string(),
            Dialect::Spring2021 | Dialect::Fall2021 => list.is_array(),
        };
        if !shaped {
            return Err(reply.contradicts("a comma-separated string in 2019, an array later"));
        }
    }
    Ok(())
}

async fn numeric_order(stage: &mut Stage) -> Result<(), Failure> {
    let [_, addresses @ ..] = lists(stage).await?;
    for (reply, list) in addresses {
        let list = crate::dialect::read_any_list(&list).unwrap_or_default();
        let addresses: Vec<SocketAddr> = list.iter().filter_map(|address| address.parse().ok()).collect();
        if addresses.is_empty() || addresses.len() != list.len() || !addresses.is_sorted() {
            return Err(reply.contradicts("addresses in numeric order"));
        }
    }
    Ok(())
}

async fn shard_ids(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, dialect) = (stage.client(), stage.dialect());
    let ids = client.shard(stage.url(0), "ids").await?;
    if ![json!("1,2"), json!(["1", "2"])].contains(ids.field("shard-ids")?) {
        return Err(ids.contradicts(r#"the shards "1" and "2""#));
    }
    for node in stage.grouped() {
        let own = client.shard(stage.url(node), "node-shard-id").await?;
        let own = own.text(dialect.node_shard_field())?;
        ensure(["1", "2"].contains(&own), || format!("node {node} to be in shard 1 or 2, got {own}"))?;
    }
    let put = client.put(stage.url(0), &stage.key("x"), 1).await?;
    let shard = put.text("shard-id")?;
    ensure(["1", "2"].contains(&shard), || format!("a key to be in shard 1 or 2, got {shard}"))
}

async fn get_with_body(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    let put = client.put(stage.url(0), &key, 1).await?;
    let body = json!({"causal-metadata": put.field("causal-metadata")?});
    let path = stage.dialect().key_path(&key);
    for url in stage.urls() {
        client.send(Method::GET, &url, &path, Some(body.clone())).await?.must_have("value", 1)?;
    }
    Ok(())
}

async fn fall_paths(stage: &mut Stage) -> Result<(), Failure> {
    let (mut writer, key) = (stage.client(), stage.key("x"));
    writer.put(stage.url(0), &key, 1).await?.must_succeed()?;
    let layout = Layout::read(&writer, stage.url(0)).await?;
    let own = layout.shard_of(stage.address(0)).unwrap_or_default();
    let counts = Layout::key_counts(&writer, stage.url(0)).await?;

    let token = writer.token().cloned().unwrap_or_default();
    let mut client = stage.client_speaking(Dialect::Fall2021).with_token(token);
    let get = client.get(stage.url(0), &key).await?;
    get.must_have("value", 1)?.must_have("result", "found")?;
    let send = async |path: &str| client.send(Method::GET, stage.url(0), path, None).await;
    let view = send("/view").await?;
    view.must_be(200)?;
    same(&view, "view", stage.all().iter().map(|node| stage.address(*node)).collect())?;
    same(&send("/shard/ids").await?, "shard-ids", layout.ids())?;
    send("/shard/node-shard-id").await?.must_be(200)?.must_have("node-shard-id", own)?;
    let members = layout.members.get(own).into_iter().flatten().map(String::as_str).collect();
    same(&send(&format!("/shard/members/{own}")).await?, "shard-members", members)?;
    let count = counts.get(own).copied().unwrap_or_default();
    send(&format!("/shard/key-count/{own}")).await?.must_be(200)?.must_have("shard-key-count", count)?;
    Ok(())
}

/// The field must be an array of exactly these texts, in whatever order.
fn same(reply: &Reply, field: &str, mut expected: Vec<&str>) -> Result<(), Failure> {
    let list = Dialect::Fall2021.read_list(reply.field(field)?);
    let mut list = list.ok_or_else(|| reply.contradicts(format!("`{field}` to be an array of strings")))?;
    list.sort_unstable();
    expected.sort_unstable();
    if list == expected { Ok(()) } else { Err(reply.contradicts(format!("`{field}` to be {expected:?}"))) }
}

async fn token_across_dialects(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, key) = (stage.client(), stage.key("x"));
    client.put(stage.url(0), &key, 1).await?.must_succeed()?;
    let token = client.token().cloned().unwrap_or_default();
    let mut fall = stage.client_speaking(Dialect::Fall2021).with_token(token);
    for url in stage.urls() {
        fall.get(&url, &key).await?.must_have("value", 1)?;
    }
    Ok(())
}
