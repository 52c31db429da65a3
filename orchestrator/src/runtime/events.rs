//! What happens to a project's objects while a command is at it. For evidence only: who does not get all of it fails nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::task::JoinHandle;

/// Older ones make room: how a failure came about is told by the last.
const KEPT: usize = 1000;

/// A list that grows by itself until it is dropped, an object for each event, in order.
pub(crate) struct Events {
    kept: Kept,
    task: JoinHandle<()>,
}

/// The list, for whoever adds to it.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<VecDeque<Value>>>);

impl Kept {
    pub(crate) fn add(&self, event: Value) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == KEPT {
            events.pop_front();
        }
        events.push_back(event);
    }
}

impl Events {
    /// What `gather` adds, which begins at once and ends with the list.
    pub(crate) fn gathered<F: Future<Output = ()> + Send + 'static>(gather: impl FnOnce(Kept) -> F) -> Self {
        let kept = Kept::default();
        Self { task: tokio::spawn(gather(kept.clone())), kept }
    }

    /// Those so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_events_are_kept_and_nobody_gathers_for_a_list_that_is_gone() {
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let events = Events::gathered(async move |kept| {
            (0..=KEPT).for_each(|number| kept.add(number.into()));
            std::future::pending::<()>().await;
            drop(ended);
        });
        while events.all().is_empty() {
            tokio::task::yield_now().await;
        }
        let all = events.all();
        assert_eq!((all.len(), &all[0], &all[KEPT - 1]), (KEPT, &1.into(), &KEPT.into()));
        drop(events);
        assert!(end.await.is_err());
    }
}
