//! The tasks of one node: whoever holds the [`DropGuard`] ends them all.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Starts tasks that end together. Clones start into the same group.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Starts a task; it ends with `None` when the group is stopped first.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.tracker.spawn(self.stop.clone().run_until_cancelled_owned(future))
    }

    /// A group that is stopped with this one, and can be waited for apart.
    pub(crate) fn subgroup(&self) -> Self {
        Self { stop: self.stop.child_token(), tracker: TaskTracker::new() }
    }

    /// Stops the group when dropped.
    pub(crate) fn stop_on_drop(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// Completes when every task has ended by itself or been stopped.
    pub(crate) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
