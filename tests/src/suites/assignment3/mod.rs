//! Assignment 3: replicas of one key space: views, replication, causal order, availability.

mod agreement;
pub(super) mod causality;
mod failures;
mod isolation;
mod lost_writes;
mod replication;
mod returning;
mod startup;
mod view;

pub(super) use agreement::never_wrong;
pub(super) use startup::first_answer;

use crate::{Failure, Scenario, Shape, Stage, Suite, scenario::Topic, stage::PATIENCE};

/// Three replicas without `SHARD_COUNT`.
const REPLICAS: Shape = Shape::replicated(3);

fn topic(name: &'static str) -> Topic {
    Topic { suite: Suite::Assignment3, name, shape: REPLICAS }
}

/// The scenarios of this suite.
pub(super) fn scenarios() -> Vec<Scenario> {
    let topics = [
        view::scenarios(),
        replication::scenarios(),
        causality::scenarios(&topic("causality")),
        isolation::scenarios(),
        failures::scenarios(),
        returning::scenarios(),
        lost_writes::scenarios(),
        startup::scenarios(),
    ];
    topics.into_iter().flatten().collect()
}

/// Waits until the cluster is as it was before: every view is full, and every node has everything, these keys at least.
pub(super) async fn restored(stage: &Stage, keys: &[String]) -> Result<(), Failure> {
    stage.await_view_at(&stage.all(), &stage.all(), PATIENCE).await?;
    for node in stage.all() {
        stage.await_whole(node, keys, PATIENCE).await?;
    }
    Ok(())
}
