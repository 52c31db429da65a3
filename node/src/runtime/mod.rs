//! The one loop that changes the core: everything that happens to the store happens in it, one input after the other.
//!
//! Inputs come in through bounded queues, several to a turn; effects go out at the end of each turn, in the core's order.
//! Nobody else changes the core, and nothing in the loop waits for anything but its next input. Between the turns others
//! may read it: nobody sees half of a turn.

mod clock;
mod committer;
mod events;
mod inputs;
mod store;

use std::{
    collections::HashMap,
    future,
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
};

use node_core::{Core, Effect, Reply, RequestId, Settings};
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::{Instant, sleep_until},
};

use self::{
    clock::Clock,
    committer::{Committer, Progress},
    inputs::{Input, Inputs, Probe, inputs},
};
pub(crate) use self::{
    committer::{CommitError, Commitment, recover},
    inputs::PEER_INPUTS_MAX,
    store::{Store, Vitals},
};
use crate::{
    metrics::RuntimeMetrics,
    peer::{Links, PeerInput},
    storage::Storage,
};

/// The loop's state.
pub(crate) struct Runtime {
    /// Shared with readers, who only ever try: while a turn is under way they ask through the queue.
    core: Arc<RwLock<Core>>,
    clock: Clock,
    inputs: Inputs,
    links: Links,
    committer: Committer,
    /// Clients that wait for an answer.
    waiting: HashMap<RequestId, oneshot::Sender<Reply>>,
    metrics: RuntimeMetrics,
    /// Monotonic milliseconds at which the core was last told the time.
    timeout_handled_ms: u64,
}

/// With what a turn begins.
enum Woken {
    Timeout,
    Progress(Progress),
    Input(Input),
}

impl Runtime {
    /// Starts the core on what `storage` holds, with a bug where one is to be planted; and the way to ask it.
    ///
    /// # Errors
    /// When the committer's thread cannot be started.
    pub(crate) fn new(
        settings: Settings,
        (recovered, storage): (node_core::Recovered, Box<dyn Storage>),
        headroom_bytes: u64,
        from_peers: mpsc::Receiver<PeerInput>,
        links: Links,
        metrics: RuntimeMetrics,
        #[cfg(feature = "planted")] bug: Option<node_core::Bug>,
    ) -> std::io::Result<(Self, Store)> {
        let clock = Clock::start();
        let commitment = Commitment { durability: settings.durability, headroom_bytes };
        #[cfg(not(feature = "planted"))]
        let core = Core::new(settings, recovered, clock.now());
        #[cfg(feature = "planted")]
        let core = Core::with_bug(settings, recovered, clock.now(), bug);
        let core = Arc::new(RwLock::new(core));
        let (store, inputs) = inputs(Arc::clone(&core), from_peers, metrics.refused.clone());
        let runtime = Self {
            core,
            clock,
            inputs,
            links,
            committer: Committer::start(storage, commitment, metrics.clone())?,
            waiting: HashMap::new(),
            metrics,
            timeout_handled_ms: 0,
        };
        Ok((runtime, store))
    }

    /// Runs until the storage fails.
    pub(crate) async fn run(mut self) -> CommitError {
        let mut due = pin!(sleep_until(self.clock.instant(0)));
        // What the start has to say comes before any input.
        let mut turn = self.turn(None);
        loop {
            match turn {
                // Most turns leave it where it was.
                Ok(next) if next == due.deadline() => {}
                Ok(next) => due.as_mut().reset(next),
                Err(error) => return error,
            }
            let woken = tokio::select! {
                biased;
                () = due.as_mut() => Woken::Timeout,
                progress = self.committer.progress() => match progress {
                    Ok(progress) => Woken::Progress(progress),
                    Err(error) => return error,
                },
                input = self.inputs.next() => match input {
                    Some(input) => Woken::Input(input),
                    // Every client and peer is gone: so is the node, and with it this future.
                    None => future::pending().await,
                },
            };
            // Whatever is ready beside it goes first, so that its inputs are of the same turn: fewer messages, fewer syncs.
            yield_now().await;
            turn = self.turn(Some(woken));
            self.metrics.turns.inc();
        }
    }

    /// One turn; answers when the next one is due without any input.
    fn turn(&mut self, woken: Option<Woken>) -> Result<Instant, CommitError> {
        let core = Arc::clone(&self.core);
        // Poisoned by a panic of this loop alone, which then has ended.
        let mut core = core.write().unwrap_or_else(PoisonError::into_inner);
        match woken {
            Some(Woken::Timeout) => self.handle_timeout(&mut core),
            Some(Woken::Progress(progress)) => self.handle_progress(&mut core, progress),
            Some(Woken::Input(input)) => self.handle(&mut core, input),
            None => {}
        }
        // Whatever else has come in already, so that its effects go out together.
        while let Some(input) = self.inputs.next_in_turn() {
            self.handle(&mut core, input);
        }
        self.carry_out_effects(&mut core)?;
        Ok(self.timeout_due(&core))
    }

    /// When the core wants to be told the time; never more often than once a millisecond.
    fn timeout_due(&self, core: &Core) -> Instant {
        let due_ms = core.poll_timeout().max(self.timeout_handled_ms + 1);
        self.clock.instant(due_ms)
    }

    fn handle_timeout(&mut self, core: &mut Core) {
        let now = self.clock.now();
        self.timeout_handled_ms = now.monotonic_ms;
        core.handle_timeout(now);
    }

    fn handle_progress(&self, core: &mut Core, progress: Progress) {
        let now = self.clock.now();
        match progress {
            Progress::Committed(batch) => core.handle_persisted(now, batch),
            Progress::Space(enough) => {
                events::log_space(enough);
                core.handle_space(now, enough);
            }
        }
    }

    fn handle(&mut self, core: &mut Core, input: Input) {
        self.metrics.inputs.inc();
        let now = self.clock.now();
        match input {
            Input::Request { id, request, reply } => {
                self.waiting.insert(id, reply);
                core.handle_request(now, id, request);
            }
            Input::Cancel(id) => {
                if self.waiting.remove(&id).is_some() {
                    core.handle_cancel(id);
                }
            }
            Input::Message(envelope, _share) => core.handle_message(now, *envelope),
            Input::LinkDown(peer) => core.handle_link_down(now, peer),
            // An asker that has gone away does not matter.
            Input::Probe(Probe::Vitals(answer)) => {
                let _ = answer.send(Vitals { ready: core.is_ready(), stats: core.stats() });
            }
            Input::Probe(Probe::Leave(answer)) => {
                core.handle_leaving(now);
                let _ = answer.send(core.may_stop());
            }
        }
    }

    fn carry_out_effects(&mut self, core: &mut Core) -> Result<(), CommitError> {
        while let Some(effect) = core.poll_effect() {
            match effect {
                Effect::Send { to, envelope } => self.links.send(to, &envelope),
                Effect::Persist { batch, changes } => self.committer.submit(batch, changes)?,
                Effect::Reply { id, reply } => {
                    if let Some(client) = self.waiting.remove(&id) {
                        // A client that has gone away does not matter.
                        let _ = client.send(reply);
                    }
                }
                Effect::Event(event) => events::log(&event),
            }
        }
        Ok(())
    }
}
