//! Contract: a token that names a write which no reachable replica has, and what becomes of it when its last disk is gone.

use futures_util::future::try_join_all;
use reqwest::Method;

use super::{agreement::everywhere, topic};
use crate::{Client, Failure, Scenario, Stage, ensure, eventually, stage::PATIENCE};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("lost writes");
    let scenarios = vec![
        topic.scenario(
            "a token of writes that nobody has must get 503, until their disks have come back empty",
            &["never-older", "unavailable-503", "put-never-503", "given-up"],
            come_back_empty,
        ),
        topic.scenario(
            "writes whose disks were deleted from the view must be given up",
            &["put-never-503", "given-up"],
            deleted_from_the_view,
        ),
    ];
    scenarios.into_iter().map(|scenario| scenario.strict().destroys().partitions()).collect()
}

/// The third node has the value 1 of the old keys. Their values 2, and the new keys, were on the first two only, which are
/// dead.
struct Lost {
    /// Its token names the writes that the third node does not have.
    client: Client,
    old: Vec<String>,
    new: Vec<String>,
}

async fn lose(stage: &mut Stage) -> Result<Lost, Failure> {
    let (mut client, old, new) = (stage.client(), stage.keys_named("old", 3), stage.keys_named("new", 2));
    stage.step("the third node has values that are overwritten while it is cut off");
    for key in &old {
        client.put(stage.url(0), key, 1).await?.must_succeed()?;
        everywhere(stage, key, Some(1.into())).await?;
    }
    stage.partition(&[&[0, 1], &[2]]).await?;
    for key in old.iter().chain(&new) {
        client.put(stage.url(0), key, 2).await?.must_succeed()?;
    }
    stage.step("the other two are killed, and the network heals");
    stage.kill_all([0, 1]).await?;
    stage.heal().await?;
    Ok(Lost { client, old, new })
}

async fn come_back_empty(stage: &mut Stage) -> Result<(), Failure> {
    let lost = lose(stage).await?;
    stage.step("a read is 503, and never an older value");
    unavailable(stage, &lost).await?;
    stage.step("who knows nothing of the lost writes reads on");
    for key in &lost.old {
        let get = stage.client().get(stage.url(2), key).await?;
        get.must_be(200)?.must_have("value", 1)?;
    }
    stage.step("a DELETE is 503 where the write that it does not have may have made the key");
    let delete = lost.client.clone().delete(stage.url(2), &lost.new[0]).await?;
    delete.must_be(503)?.must_have("message", "Error in DELETE")?.header("retry-after")?;
    stage.step("one of the two comes back empty: the other's disk may still return");
    stage.restart_empty(0).await?;
    stage.await_view(&[0, 2]).await?;
    unavailable(stage, &lost).await?;
    stage.step("so does the other");
    stage.restart_empty(1).await?;
    given_up(stage, &lost).await?;
    let metrics = stage.client().send(Method::GET, stage.url(2), "/metrics", None).await?;
    let mut samples = metrics.text.lines().filter(|line| !line.starts_with('#'));
    let counted = samples.any(|line| line.contains("writes_lost") && !line.ends_with(" 0"));
    ensure(counted, || "a metric `…writes_lost…` above 0").map_err(|failure| failure.with(&metrics.text))
}

async fn deleted_from_the_view(stage: &mut Stage) -> Result<(), Failure> {
    let mut lost = lose(stage).await?;
    let (exists, may_exist, doomed) = (lost.old.remove(0), lost.new.remove(0), lost.old.remove(0));
    stage.step("a PUT is never 503 because of its dependencies");
    let put = lost.client.clone().put(stage.url(2), &exists, 3).await?;
    put.must_be(200)?.must_have("replaced", true)?;
    lost.client.clone().put(stage.url(2), &may_exist, 3).await?.must_succeed()?;
    stage.step("a DELETE of a key that is there may be done");
    let delete = lost.client.clone().delete(stage.url(2), &doomed).await?;
    if delete.status != 503 {
        delete.must_be(200)?;
    }
    stage.step("the dead nodes are deleted from the view, if they are still in it");
    for node in [0, 1] {
        let delete = lost.client.delete_view(stage.url(2), stage.address(node)).await?;
        if delete.status != 404 {
            delete.must_succeed()?;
        }
    }
    given_up(stage, &lost).await
}

/// Reads with the token are 503; all at once, since each may wait for what it misses.
async fn unavailable(stage: &Stage, lost: &Lost) -> Result<(), Failure> {
    let reads = lost.old.iter().chain(&lost.new).map(|key| async move {
        let get = lost.client.clone().get(stage.url(2), key).await?;
        get.must_be(503)?.must_have("message", "Error in GET")?.header("retry-after")?;
        get.text("error").map(|_| ())
    });
    try_join_all(reads).await.map(|_| ())
}

/// Reads with the token go on without the lost writes.
async fn given_up(stage: &Stage, lost: &Lost) -> Result<(), Failure> {
    eventually(PATIENCE, "reads go on without the lost writes", || async {
        for key in &lost.old {
            let get = lost.client.clone().get(stage.url(2), key).await?;
            get.must_be(200)?.must_have("value", 1)?;
        }
        for key in &lost.new {
            lost.client.clone().get(stage.url(2), key).await?.must_be(404)?;
        }
        Ok(())
    })
    .await
}
