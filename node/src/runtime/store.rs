//! How the rest of the node asks the store.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use node_core::{Reply, Request, RequestId, Stats};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::inputs::Asked;

/// The store, seen from outside the loop. Clones ask the same one.
#[derive(Clone)]
pub(crate) struct Store {
    next_id: Arc<AtomicU64>,
    requests: mpsc::Sender<Asked>,
    cancels: mpsc::UnboundedSender<RequestId>,
    probes: mpsc::Sender<oneshot::Sender<Vitals>>,
}

/// How the loop is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vitals {
    /// As [`Core::is_ready`](node_core::Core::is_ready).
    pub(crate) ready: bool,
    /// As [`Core::stats`](node_core::Core::stats).
    pub(crate) stats: Stats,
}

/// Why the store was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refused {
    /// The queue is full.
    #[error("too many requests are waiting at this node")]
    Full,
    /// The loop has ended.
    #[error("this node is stopping")]
    Stopping,
}

/// Tells the loop when the asker is dropped before it has its answer.
struct Asker<'a> {
    id: RequestId,
    cancels: &'a mpsc::UnboundedSender<RequestId>,
    answered: bool,
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        if !self.answered {
            // Fails only when the loop has ended.
            let _ = self.cancels.send(self.id);
        }
    }
}

impl Store {
    pub(super) fn new(
        requests: mpsc::Sender<Asked>,
        cancels: mpsc::UnboundedSender<RequestId>,
        probes: mpsc::Sender<oneshot::Sender<Vitals>>,
    ) -> Self {
        Self { next_id: Arc::default(), requests, cancels, probes }
    }

    /// Asks for one thing and waits for the answer, which the core gives within 65 s. Dropping the future cancels.
    ///
    /// # Errors
    /// [`Refused`] when the store was not, or is not going to be, asked.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, Refused> {
        let id = RequestId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        let asked = Asked { id, request, reply };
        self.requests.try_send(asked).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopping,
        })?;
        let mut asker = Asker { id, cancels: &self.cancels, answered: false };
        let reply = answer.await.map_err(|_| Refused::Stopping);
        asker.answered = true;
        reply
    }

    /// Asks the loop how it is; `None` when it does not take the question.
    pub(crate) async fn vitals(&self) -> Option<Vitals> {
        let (reply, answer) = oneshot::channel();
        self.probes.try_send(reply).ok()?;
        answer.await.ok()
    }
}
