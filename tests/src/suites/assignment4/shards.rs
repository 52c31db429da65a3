//! Contract, "Shard operations": what is asked of shards.

use reqwest::Method;
use serde_json::json;

use super::{placement::well_formed, topic};
use crate::{
    Failure, Layout, Scenario, Stage,
    dialect::{read_any_list, read_any_text},
    ensure, eventually,
    stage::PATIENCE,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("shards");
    vec![
        topic.scenario("shard-ids must be 200 with the same ids from every node", &["shard-ids"], ids).on_all_paths(),
        topic
            .scenario("node-shard-id must be 200 with the shard that lists the node", &["node-shard-id"], node_shard_id)
            .on_all_paths(),
        topic
            .scenario("shard-id-members must be 200 with the same members from every node", &["shard-members"], members)
            .on_all_paths(),
        topic
            .scenario("shard-id-key-count must be 200 with an integer from any node", &["key-count"], key_count)
            .on_all_paths(),
        topic
            .scenario("every shard must have two members, and each node one shard", &["two-members"], two_members)
            .on_all_paths(),
        topic.scenario("an unknown shard id must be 404", &["unknown-shard"], unknown_shard).on_all_paths(),
        topic
            .scenario("an add-member to an unknown shard must be 404", &["unknown-shard"], add_to_unknown_shard)
            .restores()
            .on_all_paths(),
        topic
            .scenario("a key count must be exact from any node right after a write", &["key-count"], exact_at_once)
            .strict()
            .on_all_paths(),
    ]
}

async fn ids(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    for url in stage.urls() {
        let reply = client.shard(&url, "ids").await?;
        reply.must_be(200)?.must_have("message", "Shard IDs retrieved successfully")?;
        let mut ids = read_any_list(reply.field("shard-ids")?).unwrap_or_default();
        ids.sort_unstable();
        let layout = Layout::read(&client, stage.url(0)).await?;
        if ids.len() != 2 || ids != layout.ids() {
            return Err(reply.contradicts(format!("two ids, the same as from the first node: {:?}", layout.ids())));
        }
    }
    Ok(())
}

async fn node_shard_id(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    for node in stage.grouped() {
        let reply = client.shard(stage.url(node), "node-shard-id").await?;
        reply.must_be(200)?.must_have("message", "Shard ID of the node retrieved successfully")?;
        let own = read_any_text(reply.field(client.dialect().node_shard_field())?);
        let expected = layout.shard_of(stage.address(node));
        if own.is_none() || own.as_deref() != expected {
            return Err(reply.contradicts(format!("the shard that lists the node in {layout:?}")));
        }
    }
    Ok(())
}

async fn members(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let layout = Layout::read(&client, stage.url(0)).await?;
    for url in stage.urls() {
        for (id, members) in &layout.members {
            let reply = client.shard(&url, &format!("members/{id}")).await?;
            reply.must_be(200)?.must_have("message", "Members of shard ID retrieved successfully")?;
            let mut seen = read_any_list(reply.field(client.dialect().members_field())?).unwrap_or_default();
            seen.sort_unstable();
            if seen != *members {
                return Err(reply.contradicts(format!("the same members as from the first node: {members:?}")));
            }
        }
    }
    Ok(())
}

async fn key_count(stage: &mut Stage) -> Result<(), Failure> {
    let mut client = stage.client();
    let before: u64 = Layout::key_counts(&client, stage.url(0)).await?.values().sum();
    client.put(stage.url(0), &stage.key("x"), 1).await?.must_succeed()?;
    for url in stage.urls() {
        for id in Layout::read(&client, &url).await?.ids() {
            let reply = client.shard(&url, &format!("key-count/{id}")).await?;
            reply.must_be(200)?.must_have("message", "Key count of shard ID retrieved successfully")?;
            if !reply.field(client.dialect().key_count_field())?.is_u64() {
                return Err(reply.contradicts("the count to be an integer"));
            }
        }
        let counted = || total_is(stage, &url, before + 1);
        eventually(PATIENCE, "the new key is counted", counted).await?;
    }
    Ok(())
}

async fn total_is(stage: &Stage, url: &str, total: u64) -> Result<(), Failure> {
    let counts = Layout::key_counts(&stage.client(), url).await?;
    ensure(counts.values().sum::<u64>() == total, || format!("{total} keys, got {counts:?} from {url}"))
}

async fn two_members(stage: &mut Stage) -> Result<(), Failure> {
    well_formed(stage, &stage.grouped(), 2).await
}

const UNKNOWN: [&str; 6] = ["0", "3", "99", "4294967297", "-1", "one"];

async fn unknown_shard(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let known = Layout::read(&client, stage.url(0)).await?;
    for id in UNKNOWN.iter().filter(|id| !known.members.contains_key(**id)) {
        for operation in ["members", "key-count"] {
            let reply = client.shard(stage.url(1), &format!("{operation}/{id}")).await?;
            let error = "Shard ID does not exist";
            reply.must_be(404)?.must_have("error", error)?.must_have("message", "Error in GET")?;
        }
    }
    Ok(())
}

async fn add_to_unknown_shard(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    let known = Layout::read(&client, stage.url(0)).await?;
    let body = json!({"socket-address": stage.address(0)});
    for id in UNKNOWN.iter().filter(|id| !known.members.contains_key(**id)) {
        let path = client.dialect().shard_path(&format!("add-member/{id}"));
        let reply = client.send(Method::PUT, stage.url(1), &path, Some(body.clone())).await?;
        let error = "Shard ID does not exist";
        reply.must_be(404)?.must_have("error", error)?.must_have("message", "Error in PUT")?;
    }
    Ok(())
}

/// After every single write, wherever it was made and wherever the count is asked.
async fn exact_at_once(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, urls) = (stage.client(), stage.urls());
    let mut left: u64 = Layout::key_counts(&client, &urls[0]).await?.values().sum();
    for (index, key) in stage.keys(18).iter().enumerate() {
        let at = |hop: usize| &urls[(index + hop) % urls.len()];
        client.put(at(0), key, 1).await?.must_succeed()?;
        left += 1;
        total_is(stage, at(1), left).await?;
        client.put(at(1), key, 2).await?.must_succeed()?;
        total_is(stage, at(2), left).await?;
        if index % 2 == 0 {
            client.delete(at(2), key).await?.must_succeed()?;
            left -= 1;
            total_is(stage, at(3), left).await?;
        }
    }
    Ok(())
}
