//! Contract: what happens when nodes die or hang.

use super::{restored, topic};
use crate::{
    Failure, Scenario, Stage,
    stage::{expect_all, fill},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("failures");
    let scenarios = vec![
        topic
            .scenario(
                "a hanging node must leave every view within five seconds, and return",
                &["view-failed-leave", "view-return"],
                hanging,
            )
            .strict(),
        topic
            .scenario(
                "a killed and a stopped node must leave every view within five seconds, and return",
                &["view-failed-leave", "view-return", "view-return-empty"],
                killed_and_stopped,
            )
            .strict(),
        topic
            .scenario("writes must go on beside a hanging replica", &["isolated-writes", "heals"], beside_hanging)
            .strict(),
    ];
    scenarios.into_iter().map(Scenario::restores).collect()
}

/// Its connections stay open, and nothing comes out of them.
async fn hanging(stage: &mut Stage) -> Result<(), Failure> {
    stage.pause(0).await?;
    stage.await_view(&[1, 2]).await?;
    stage.resume(0).await?;
    stage.await_view(&[0, 1, 2]).await?;
    restored(stage, &[]).await
}

/// At once, so that one is left: what they held comes back from that.
async fn killed_and_stopped(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(10));
    fill(&mut client, &stage.urls(), &keys).await?;
    expect_all(&mut client, stage.url(1), &keys).await?;
    stage.kill(0).await?;
    stage.stop(2).await?;
    stage.await_view(&[1]).await?;
    stage.restart_empty(0).await?;
    stage.start(2).await?;
    stage.await_view(&[0, 1, 2]).await?;
    restored(stage, &keys).await?;
    for url in stage.urls() {
        expect_all(&mut client, &url, &keys).await?;
    }
    Ok(())
}

/// From the first moment on; the replica catches up when it goes on.
async fn beside_hanging(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, keys) = (stage.client(), stage.keys(20));
    stage.pause(2).await?;
    fill(&mut client, &stage.urls()[..2], &keys).await?;
    stage.resume(2).await?;
    expect_all(&mut client, stage.url(2), &keys).await?;
    restored(stage, &[]).await
}
