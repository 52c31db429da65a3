//! When a cluster of the testbed is ready to be tested: what nobody's store can be excused from is waited for and is an
//! error; what only a right store does is waited for briefly, and then left to the tests to judge.

use std::collections::BTreeSet;
use std::time::Duration;

use conformance::eventually;
use futures_util::future::{join_all, try_join_all};

use super::Settings;
use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::readiness::{Awaited, Waiter};

/// How long the views of a new cluster may take to become complete before the tests begin anyway.
const VIEW_PATIENCE: Duration = Duration::from_secs(10);

/// Until each of these nodes answers; a `whole` cluster also until all are in each view, and ours until each says that it
/// is ready.
pub(super) async fn wait(
    settings: &Settings,
    project: &str,
    nodes: &[ObservedNode],
    whole: bool,
) -> Result<(), Failure> {
    let waiter = Waiter {
        runtime: &*settings.runtime,
        project,
        output: &settings.output,
        interrupt: &settings.interrupt,
        timeout: settings.timeout,
    };
    let awaited: Vec<Awaited> = nodes.iter().filter_map(Awaited::new).collect();
    let answers = awaited.iter().map(|node| {
        waiter.until(node, "answers", || async { node.client.answers().await.map_err(|error| error.to_string()) })
    });
    try_join_all(answers).await?;
    if !whole {
        return Ok(());
    }
    let sockets: BTreeSet<&str> = awaited.iter().map(|node| node.socket.as_str()).collect();
    // Not an error: a store with wrong views is for the tests to judge.
    let _ = eventually(VIEW_PATIENCE, "complete views", || async {
        let views = join_all(awaited.iter().map(|node| node.client.view())).await;
        let is_complete = |view: &Vec<String>| sockets.iter().all(|socket| view.iter().any(|own| own == socket));
        conformance::ensure(
            views.iter().flatten().filter(|view| is_complete(view)).count() == awaited.len(),
            || "all nodes in every view",
        )
    })
    .await;
    if settings.ours {
        let ready = awaited.iter().map(|node| {
            waiter.until(node, "is ready", || async { node.client.ready().await.map_err(|error| error.to_string()) })
        });
        try_join_all(ready).await?;
    }
    Ok(())
}
