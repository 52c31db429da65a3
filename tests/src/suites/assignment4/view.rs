//! Contract, "View operations": what a live node that was deleted by request is still there for.

use super::{FOUR_IN_TWO, placement::refused_for_too_few, topic};
use crate::{
    Failure, Scenario, Stage,
    stage::{PATIENCE, expect_all, fill},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("view");
    let scenarios = vec![
        topic.scenario("a live node that was deleted must forward", &["view-deleted-forwards"], forwards),
        topic.scenario(
            "a live node that was deleted must not count for reshard",
            &["view-deleted-forwards", "reshard-counts-up", "reshard-too-few"],
            does_not_count,
        ),
    ];
    scenarios.into_iter().map(|scenario| scenario.strict().restores().on(FOUR_IN_TWO)).collect()
}

async fn forwards(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(12));
    fill(&mut client, &stage.urls(), &keys).await?;
    delete(stage).await?;
    expect_all(&mut client, stage.url(3), &keys).await?;
    for key in &keys {
        client.put(stage.url(3), key, 2).await?.must_succeed()?;
        client.get(stage.url(0), key).await?.must_have("value", 2)?;
        client.delete(stage.url(3), key).await?.must_succeed()?;
        client.get(stage.url(3), key).await?.must_be(404)?;
    }
    put_again(stage).await
}

async fn does_not_count(stage: &mut Stage) -> Result<(), Failure> {
    let client = stage.client();
    delete(stage).await?;
    refused_for_too_few(&client.reshard(stage.url(0), 2).await?)?;
    put_again(stage).await?;
    client.reshard(stage.url(0), 2).await?.must_succeed().map(|_| ())
}

async fn delete(stage: &Stage) -> Result<(), Failure> {
    stage.client().delete_view(stage.url(0), stage.address(3)).await?.must_succeed()?;
    stage.await_view(&[0, 1, 2]).await
}

async fn put_again(stage: &Stage) -> Result<(), Failure> {
    stage.client().put_view(stage.url(0), stage.address(3)).await?.must_succeed()?;
    stage.await_view(&stage.all()).await?;
    stage.await_whole(3, &[], PATIENCE).await
}
