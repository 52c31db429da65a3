//! Contract, "Starting a node": the node without a shard, until it is a member. What the course asks of it is in `course`.

use std::net::SocketAddr;

use serde_json::json;

use super::{
    FOUR_IN_TWO,
    membership::in_shard_everywhere,
    placement::{counted, unchanged},
    topic,
};
use crate::{
    Client, Dialect, Failure, Layout, Reply, Scenario, Stage, ensure,
    stage::{expect_all, fill, value_of},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let clauses = [
        "start-ungrouped",
        "start-ungrouped-view",
        "start-ungrouped-answers",
        "start-answers-at-once",
        "node-shard-id",
        "key-count",
        "add-member",
        "add-member-port",
        "add-member-again",
        "add-member-unknown",
        "reshard",
    ];
    let name =
        "a node without SHARD_COUNT must answer as all do without a shard, and hold its shard's keys as a member";
    vec![topic("ungrouped").scenario(name, &clauses, a_node_without_shard_count).strict().on(FOUR_IN_TWO).destroys()]
}

async fn a_node_without_shard_count(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(60));
    fill(&mut client, &stage.urls(), &keys).await?;
    let node = stage.add().await?;

    stage.step("its first requests come before it knows who has the keys: none is a wrong 404");
    for key in &keys[..20] {
        let get = stage.client().get(stage.url(node), key).await?;
        if get.status != 503 {
            get.must_have("value", value_of(key))?;
        }
    }
    stage.step("it announces itself: within five seconds it is in every view, and in no shard");
    stage.await_view(&stage.all()).await?;
    in_no_shard(stage, node).await?;

    stage.step("it forwards");
    expect_all(&mut client, stage.url(node), &keys).await?;
    let (kept, spent) = keys.split_at(40);
    for key in spent {
        client.put(stage.url(node), key, 2).await?.must_succeed()?;
        client.get(stage.url(0), key).await?.must_have("value", 2)?;
        client.delete(stage.url(node), key).await?.must_succeed()?;
        client.get(stage.url(node), key).await?.must_miss()?;
    }
    stage.step("it tells the same of shards as the others, and counts every key");
    let before = Layout::read(&client, stage.url(0)).await?;
    unchanged(stage, &before, node).await?;
    counted(stage, &[node], kept.len() as u64).await?;

    let shard = before.ids()[0];
    becomes_a_member(stage, node, shard).await?;
    holds_its_keys(stage, &mut client, node, shard, kept).await?;

    stage.step("it takes a reshard as any node does: one shard of the three that are up");
    client.reshard(stage.url(node), 1).await?.must_be(200)?;
    expect_all(&mut client, stage.url(node), kept).await
}

async fn in_no_shard(stage: &Stage, node: usize) -> Result<(), Failure> {
    for dialect in [stage.dialect(), Dialect::Fall2021] {
        let none = match dialect {
            Dialect::Seed2019 => json!(""),
            Dialect::Spring2021 | Dialect::Fall2021 => json!(null),
        };
        let reply = stage.client_speaking(dialect).shard(stage.url(node), "node-shard-id").await?;
        let message = "Shard ID of the node retrieved successfully";
        reply.must_be(200)?.must_have("message", message)?.must_have(dialect.node_shard_field(), none)?;
    }
    for url in stage.urls() {
        let layout = Layout::read(&stage.client(), &url).await?;
        let address = stage.address(node);
        ensure(layout.shard_of(address).is_none(), || format!("{address} in no shard, got {layout:?} from {url}"))?;
    }
    Ok(())
}

/// The class's example adds node7 by another port than it listens on.
async fn becomes_a_member(stage: &Stage, node: usize, shard: &str) -> Result<(), Failure> {
    let (client, address) = (stage.client(), stage.address(node));
    let add = async |address: &str| client.add_member(stage.url(node), shard, address).await;
    if let Some(other_port) = other_port(address) {
        let reply = add(&other_port).await?;
        if stage.all().iter().filter(|other| ip(stage.address(**other)) == ip(address)).count() == 1 {
            stage.step("it is added by another port, as the only node of that IP");
            is_added(&reply)?;
            is_there_already(&add(&other_port).await?)?;
        } else {
            stage.step("nodes share its IP, so another port is nobody's; it is added by its own");
            let error = "Socket address does not exist in the view";
            reply.must_be(404)?.must_have("error", error)?;
            is_added(&add(address).await?)?;
        }
    }
    is_there_already(&add(address).await?)?;
    in_shard_everywhere(stage, address, shard).await?;
    for dialect in [stage.dialect(), Dialect::Fall2021] {
        let own = stage.client_speaking(dialect).shard(stage.url(node), "node-shard-id").await?;
        own.must_be(200)?.must_have(dialect.node_shard_field(), shard)?;
    }
    Ok(())
}

fn is_added(reply: &Reply) -> Result<(), Failure> {
    reply.must_be(200)?.must_have("message", "Member added to the shard successfully")?;
    Ok(())
}

fn is_there_already(reply: &Reply) -> Result<(), Failure> {
    reply.must_be(404)?.must_have("error", "Socket address already exists in the shard")?;
    Ok(())
}

/// "Answered when the node holds the shard's keys": so the old members may go at once.
async fn holds_its_keys(
    stage: &mut Stage,
    client: &mut Client,
    node: usize,
    shard: &str,
    keys: &[String],
) -> Result<(), Failure> {
    let mut in_shard = Vec::new();
    for key in keys {
        if client.get(stage.url(0), key).await?.text("shard-id")? == shard {
            in_shard.push(key.clone());
        }
    }
    let layout = Layout::read(client, stage.url(0)).await?;
    let mut old = stage.members(&layout, shard);
    old.retain(|member| *member != node);
    stage.step("the old members of its shard die at once: it holds every key");
    stage.kill_all(old).await?;
    expect_all(client, stage.url(node), &in_shard).await
}

fn ip(address: &str) -> Option<std::net::IpAddr> {
    address.parse::<SocketAddr>().ok().map(|address| address.ip())
}

/// The same IP with a port that no node listens on.
fn other_port(address: &str) -> Option<String> {
    ip(address).map(|ip| SocketAddr::new(ip, 1).to_string())
}
