//! Done-criterion 5: clients that pass their tokens along see nothing wrong while the cluster grows and reshards.

use std::time::Duration;

use conformance::{
    Cluster, Failure, ensure, eventually,
    workload::{Running, Workload},
};

use crate::cluster::{InProcess, Shape};

/// A machine that compiles beside the test makes a few dozen operations a second.
const LOAD_PATIENCE: Duration = Duration::from_secs(60);

/// Lets the load run on until it has done this much more.
async fn more(running: &Running, operations: u64) -> Result<(), Failure> {
    let goal = running.operations() + operations;
    eventually(LOAD_PATIENCE, "the load goes on", || async {
        let done = running.operations();
        ensure(done >= goal, || format!("{goal} operations, got {done}"))
    })
    .await
}

#[tokio::test]
async fn clients_see_nothing_wrong_on_a_quiet_cluster() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let running = Workload::new(cluster.dialect(), 4).start(cluster.urls());
    more(&running, 1000).await?;
    let report = running.stop().await?;
    report.verdict()?;
    report.check_final_state(&cluster.urls(), 0).await
}

#[tokio::test]
async fn clients_see_nothing_wrong_while_the_cluster_grows_and_reshards() -> Result<(), Failure> {
    let mut cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let admin = cluster.client();
    let running = Workload::new(cluster.dialect(), 5).start(cluster.urls());
    more(&running, 300).await?;

    let node7 = cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    running.add_node(cluster.url(node7));
    more(&running, 300).await?;

    let added = admin.add_member(cluster.url(0), "1", cluster.address(node7)).await?;
    added.must_be(200)?;
    more(&running, 300).await?;

    let node8 = cluster.add().await?;
    cluster.await_view(&cluster.all()).await?;
    let added = admin.add_member(cluster.url(1), "2", cluster.address(node8)).await?;
    added.must_be(200)?;
    running.add_node(cluster.url(node8));
    more(&running, 300).await?;

    for count in [4, 2] {
        admin.reshard(cluster.url(2), count).await?.must_be(200)?;
        more(&running, 300).await?;
    }
    let report = running.stop().await?;
    report.verdict()?;
    report.check_final_state(&cluster.urls(), 0).await
}
