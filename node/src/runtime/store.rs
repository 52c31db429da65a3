//! How the rest of the node asks the store.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use node_core::{Core, Reply, Request, RequestId, Stats};
use prometheus_client::metrics::counter::Counter;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::inputs::{Asked, Probe};

/// Between two looks at whether the node may stop.
const LEAVE_PAUSE: Duration = Duration::from_millis(5);

/// The store, seen from outside the loop. Clones ask the same one.
#[derive(Clone)]
pub(crate) struct Store {
    /// Changed by the loop alone.
    core: Arc<RwLock<Core>>,
    next_id: Arc<AtomicU64>,
    requests: mpsc::Sender<Asked>,
    cancels: mpsc::UnboundedSender<RequestId>,
    probes: mpsc::Sender<Probe>,
    /// Counts the requests that the queue had no room for.
    refused: Counter,
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
        core: Arc<RwLock<Core>>,
        requests: mpsc::Sender<Asked>,
        cancels: mpsc::UnboundedSender<RequestId>,
        probes: mpsc::Sender<Probe>,
        refused: Counter,
    ) -> Self {
        Self { core, next_id: Arc::default(), requests, cancels, probes, refused }
    }

    /// Asks for one thing and waits for the answer, which the core gives within 65 s. Dropping the future cancels.
    ///
    /// # Errors
    /// [`Refused`] when the store was not, or is not going to be, asked.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, Refused> {
        if let Some(reply) = self.read(&request) {
            return Ok(reply);
        }
        let id = RequestId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        let asked = Asked { id, request, reply };
        self.requests.try_send(asked).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                self.refused.inc();
                Refused::Full
            }
            mpsc::error::TrySendError::Closed(_) => Refused::Stopping,
        })?;
        let mut asker = Asker { id, cancels: &self.cancels, answered: false };
        let reply = answer.await.map_err(|_| Refused::Stopping);
        asker.answered = true;
        reply
    }

    /// The answer to a GET that nothing keeps from being given at once.
    fn read(&self, request: &Request) -> Option<Reply> {
        let Request::Get { key, token } = request else { return None };
        // A turn that is under way may be long.
        self.core.try_read().ok()?.read(key, token)
    }

    /// Asks the loop how it is; `None` when it does not take the question.
    pub(crate) async fn vitals(&self) -> Option<Vitals> {
        self.probe(Probe::Vitals).await
    }

    /// Tells the loop that the node is about to stop; completes when nobody waits for it any more.
    pub(crate) async fn leave(&self) {
        while self.probe(Probe::Leave).await == Some(false) {
            sleep(LEAVE_PAUSE).await;
        }
    }

    async fn probe<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Probe) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.probes.try_send(question(answer)).ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, RwLock};

    use node_core::{Core, Durability, Now, Recovered, Reply, Request, Settings};
    use prometheus_client::metrics::counter::Counter;
    use tokio::sync::mpsc;

    use super::Refused;
    use crate::runtime::inputs::{self, Input, Inputs};

    /// Of a core that nobody drives.
    fn inputs() -> (super::Store, Inputs) {
        let address = "127.0.0.1:1".parse().unwrap();
        let settings =
            Settings { address, view: vec![address], shard_count: None, secret: None, durability: Durability::Sync };
        let core = Core::new(settings, Recovered::empty(1), Now { monotonic_ms: 0, wall_ms: 0 });
        let (_links, from_peers) = mpsc::channel(1);
        inputs::inputs(Arc::new(RwLock::new(core)), from_peers, Counter::default())
    }

    #[tokio::test]
    async fn the_answer_comes_back_to_the_asker() {
        let (store, mut inputs) = inputs();
        let asking = tokio::spawn(async move { store.ask(Request::View).await });
        let Some(Input::Request { reply, request, .. }) = inputs.next().await else {
            panic!("no request");
        };
        assert_eq!(request, Request::View);
        reply.send(Reply::Done).unwrap();
        assert_eq!(asking.await.unwrap(), Ok(Reply::Done));
        assert!(inputs.next_in_turn().is_none(), "an answered request was cancelled");
    }

    #[tokio::test]
    async fn an_asker_that_goes_away_cancels() {
        let (store, mut inputs) = inputs();
        let asking = tokio::spawn(async move { store.ask(Request::View).await });
        let Some(Input::Request { id: asked, reply, .. }) = inputs.next().await else {
            panic!("no request");
        };
        asking.abort();
        let Some(Input::Cancel(cancelled)) = inputs.next().await else {
            panic!("no cancel");
        };
        assert_eq!(cancelled, asked);
        drop(reply);
    }

    #[tokio::test]
    async fn a_full_queue_and_a_stopped_loop_refuse() {
        let (store, inputs) = inputs();
        let mut asking = tokio::task::JoinSet::new();
        let refused = loop {
            let store = store.clone();
            asking.spawn(async move { store.ask(Request::View).await });
            tokio::task::yield_now().await;
            if let Some(answer) = asking.try_join_next() {
                break answer.unwrap();
            }
        };
        assert_eq!(refused, Err(Refused::Full));
        drop(inputs);
        assert_eq!(store.ask(Request::View).await, Err(Refused::Stopping));
    }
}
