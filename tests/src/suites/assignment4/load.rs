//! Clients that pass their tokens along see nothing wrong while the cluster grows and reshards.

use std::time::Duration;

use super::topic;
use crate::{
    Failure, Layout, Scenario, Shape, Stage, ensure, eventually,
    stage::{PATIENCE, fill},
};

/// With two nodes added, seven.
const FIVE_IN_TWO: Shape = Shape::sharded(5, 2);
/// A "few hundred", read generously.
const TOKEN_BYTES_MAX: usize = 600;

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("load");
    let clauses = [
        "causal",
        "causal-moving",
        "reshard-serves",
        "two-members",
        "key-count",
        "token-size",
        "put-new",
        "put-existing",
        "get-missing",
        "delete-existing",
        "delete-missing",
    ];
    let name = "clients must see nothing wrong while the cluster grows and reshards, and their tokens must stay small";
    vec![topic.scenario(name, &clauses, growing).strict().on(FIVE_IN_TWO).destroys().within(Duration::from_secs(180))]
}

async fn growing(stage: &mut Stage) -> Result<(), Failure> {
    let admin = stage.client();
    super::placement::well_formed(stage, &stage.all(), 2).await?;
    stage.step("twenty clients begin");
    let running = stage.workload().start(stage.urls());
    running.more(300).await?;
    for asked in [0, 1] {
        let node = stage.add().await?;
        stage.step("the new node is asked as soon as it is in every view, and becomes a member of a shard");
        stage.await_view_at(&stage.all(), &stage.all(), PATIENCE).await?;
        running.add_node(stage.url(node));
        running.more(200).await?;
        let layout = Layout::read(&admin, stage.url(asked)).await?;
        admin.add_member(stage.url(asked), layout.ids()[asked], stage.address(node)).await?.must_succeed()?;
        running.more(300).await?;
    }
    for count in [3, 2] {
        stage.step(format!("reshard to {count}"));
        admin.reshard(stage.url(2), count).await?.must_succeed()?;
        running.more(300).await?;
    }
    stage.step("the clients end, and every node serves what they left");
    let report = running.stop().await?;
    report.verdict()?;
    report.check_final_state(&stage.urls(), 0).await?;
    small_tokens(stage).await
}

async fn small_tokens(stage: &Stage) -> Result<(), Failure> {
    stage.step("after many writes with one token over seven nodes, tokens are small");
    let mut client = stage.client();
    fill(&mut client, &stage.urls(), &stage.keys(140)).await?;
    eventually(PATIENCE, "tokens are small", || async {
        let put = client.clone().put(stage.url(3), &stage.key("x"), 1).await?;
        for field in ["version", "causal-metadata"] {
            let length = put.text(field)?.len();
            ensure(length <= TOKEN_BYTES_MAX, || format!("{field} of {length} bytes to be short"))?;
        }
        Ok(())
    })
    .await
}
