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

/// The judge judged: somebody who deletes the load's keys behind its back is found out, by its clients and at the end.
#[tokio::test]
async fn a_spoiled_store_is_caught() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(2, 1)).await?;
    let running = Workload::new(cluster.dialect(), 6).start(cluster.urls());
    more(&running, 400).await?;
    let mut spoiler = cluster.client();
    for key in (0..20).flat_map(|writer| (0..10).map(move |own| format!("load-{writer}-{own}"))) {
        spoiler.delete(cluster.url(0), &key).await?;
    }
    more(&running, 200).await?;
    let report = running.stop().await?;
    ensure(report.verdict().is_err(), || "violations to be seen")?;
    let last = report.final_values.iter().find(|(_, value)| value.is_some());
    let (key, _) = last.ok_or_else(|| Failure::new("a key that the load left"))?;
    spoiler.delete(cluster.url(1), key).await?.must_be(200)?;
    let held = report.check_final_state(&cluster.urls(), 0).await;
    ensure(held.is_err(), || "the missing key to be seen")
}
