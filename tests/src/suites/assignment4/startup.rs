//! Contract, "Starting a node": what nodes with a `SHARD_COUNT` answer before they know each other.

use super::{FOUR_IN_TWO, topic};
use crate::{
    Failure, Scenario, Stage,
    stage::{MEETING_TIME, expect_all, value_of},
    suites::assignment3::{first_answer, never_wrong},
    throughout,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let clauses =
        ["start-any-order", "start-answers-at-once", "view-deleted-stays-out", "view-deleted-forwards", "put-new"];
    let name = "nodes that start must answer at once and never wrongly, and keep out who is deleted at once";
    vec![topic("startup").scenario(name, &clauses, start).strict().on(FOUR_IN_TWO.unstarted()).destroys()]
}

/// One node first, then all others at once; one of these is deleted before they have got to know each other.
async fn start(stage: &mut Stage) -> Result<(), Failure> {
    stage.step("the third node starts alone, and takes what it can answer for");
    stage.start(2).await?;
    first_answer(stage, 2).await?.must_be(200)?;
    let (mut client, mut written) = (stage.client(), Vec::new());
    for key in stage.keys_named("early", 12) {
        let put = client.put(stage.url(2), &key, value_of(&key)).await?;
        if put.status != 503 {
            put.must_be(201)?;
            written.push(key);
        }
    }
    stage.step("the others start, and the fourth is deleted through the first");
    for node in [0, 1, 3] {
        stage.start(node).await?;
    }
    for node in [0, 1, 3] {
        first_answer(stage, node).await?.must_be(200)?;
    }
    let delete = client.delete_view(stage.url(0), stage.address(3)).await?;
    if delete.status != 404 {
        delete.must_succeed()?;
    }
    stage.step("all are asked at once");
    for node in [0, 1, 3] {
        never_wrong(stage, &client, node, &written).await?;
    }
    for (index, key) in stage.keys_named("late", 16).iter().enumerate() {
        client.put(stage.url(index % 4), key, value_of(key)).await?.must_be(201)?;
        written.push(key.clone());
    }
    stage.step("the fourth is in nobody's view, and stays out; it forwards");
    stage.await_view(&[0, 1, 2]).await?;
    for url in stage.urls() {
        expect_all(&mut client, &url, &written).await?;
    }
    let (here, client) = (&*stage, &client);
    throughout(MEETING_TIME, || async move {
        for node in [0, 1, 2] {
            here.sees(client, node, &[0, 1, 2]).await?;
        }
        Ok(())
    })
    .await
}
