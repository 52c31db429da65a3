//! The one loop that owns the core: everything that happens to the store happens in it, one input after the other.
//!
//! Inputs come in through bounded queues, several to a turn; effects go out at the end of each turn, in the core's order.
//! Nobody else calls the core, and nothing in the loop waits for anything but its next input.

mod clock;
mod committer;
mod events;
mod inputs;
mod store;

use std::{collections::HashMap, future};

use node_core::{Core, Effect, Reply, RequestId, Settings};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use self::{
    clock::Clock,
    committer::{Committer, Progress},
    inputs::{Input, Probe},
};
pub(crate) use self::{
    committer::{CommitError, Commitment, recover},
    inputs::{Inputs, PEER_INPUTS_MAX, inputs},
    store::{Store, Vitals},
};
use crate::{metrics::RuntimeMetrics, peer::Links, storage::Storage};

/// The loop's state.
pub(crate) struct Runtime {
    core: Core,
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

impl Runtime {
    /// Starts the core on what `storage` holds, with a bug where one is to be planted.
    ///
    /// # Errors
    /// When the committer's thread cannot be started.
    pub(crate) fn new(
        settings: Settings,
        (recovered, storage): (node_core::Recovered, Box<dyn Storage>),
        headroom_bytes: u64,
        inputs: Inputs,
        links: Links,
        metrics: RuntimeMetrics,
        #[cfg(feature = "planted")] bug: Option<node_core::Bug>,
    ) -> std::io::Result<Self> {
        let clock = Clock::start();
        let commitment = Commitment { durability: settings.durability, headroom_bytes };
        Ok(Self {
            #[cfg(not(feature = "planted"))]
            core: Core::new(settings, recovered, clock.now()),
            #[cfg(feature = "planted")]
            core: Core::with_bug(settings, recovered, clock.now(), bug),
            clock,
            inputs,
            links,
            committer: Committer::start(storage, commitment, metrics.clone())?,
            waiting: HashMap::new(),
            metrics,
            timeout_handled_ms: 0,
        })
    }

    /// Runs until the storage fails.
    pub(crate) async fn run(mut self) -> CommitError {
        loop {
            if let Err(error) = self.carry_out_effects() {
                return error;
            }
            let due = self.timeout_due();
            tokio::select! {
                biased;
                () = sleep_until(due) => self.handle_timeout(),
                progress = self.committer.progress() => match progress {
                    Ok(progress) => self.handle_progress(progress),
                    Err(error) => return error,
                },
                input = self.inputs.next() => match input {
                    Some(input) => self.handle(input),
                    // Every client and peer is gone: so is the node, and with it this future.
                    None => future::pending().await,
                },
            }
            self.handle_more();
            self.metrics.turns.inc();
        }
    }

    /// When the core wants to be told the time; never more often than once a millisecond.
    fn timeout_due(&self) -> Instant {
        let due_ms = self.core.poll_timeout().max(self.timeout_handled_ms + 1);
        self.clock.instant(due_ms)
    }

    fn handle_timeout(&mut self) {
        let now = self.clock.now();
        self.timeout_handled_ms = now.monotonic_ms;
        self.core.handle_timeout(now);
    }

    fn handle_progress(&mut self, progress: Progress) {
        let now = self.clock.now();
        match progress {
            Progress::Committed(batch) => self.core.handle_persisted(now, batch),
            Progress::Space(enough) => {
                events::log_space(enough);
                self.core.handle_space(now, enough);
            }
        }
    }

    /// Whatever else has come in already, so that its effects go out together.
    fn handle_more(&mut self) {
        while let Some(input) = self.inputs.next_in_turn() {
            self.handle(input);
        }
    }

    fn handle(&mut self, input: Input) {
        self.metrics.inputs.inc();
        let now = self.clock.now();
        match input {
            Input::Request { id, request, reply } => {
                self.waiting.insert(id, reply);
                self.core.handle_request(now, id, request);
            }
            Input::Cancel(id) => {
                if self.waiting.remove(&id).is_some() {
                    self.core.handle_cancel(id);
                }
            }
            Input::Message(envelope, _share) => self.core.handle_message(now, *envelope),
            Input::LinkDown(peer) => self.core.handle_link_down(now, peer),
            // An asker that has gone away does not matter.
            Input::Probe(Probe::Vitals(answer)) => {
                let _ = answer.send(Vitals { ready: self.core.is_ready(), stats: self.core.stats() });
            }
            Input::Probe(Probe::Leave(answer)) => {
                self.core.handle_leaving(now);
                let _ = answer.send(self.core.may_stop());
            }
        }
    }

    fn carry_out_effects(&mut self) -> Result<(), CommitError> {
        while let Some(effect) = self.core.poll_effect() {
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
