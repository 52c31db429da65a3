//! When a run is to end: because its time is over, or because somebody asked for it.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Short against all that people or faults wait for.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Set once, looked at wherever a run waits.
#[derive(Default)]
pub(super) struct Halt {
    asked: Cell<bool>,
    deadline: Cell<Option<Instant>>,
}

impl Halt {
    /// Somebody wants it to end.
    pub(super) fn ask(&self) {
        self.asked.set(true);
    }

    /// Its time is over then.
    pub(super) fn set_deadline(&self, deadline: Instant) {
        self.deadline.set(Some(deadline));
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.get()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_asked() || self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// What the future comes to, unless somebody asks before that.
    pub(super) async fn unless_asked<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        Self::unless(|| self.is_asked(), future).await
    }

    /// What the future comes to, unless the run is over before that.
    pub(super) async fn unless_over<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        Self::unless(|| self.is_over(), future).await
    }

    async fn unless<T>(ends: impl Fn() -> bool, future: impl Future<Output = T>) -> Option<T> {
        let ended = async {
            while !ends() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::select! {
            () = ended => None,
            came = future => Some(came),
        }
    }
}
