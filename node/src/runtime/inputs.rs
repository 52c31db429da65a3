//! The loop's queues: one for clients, one for peers, so that neither can keep the other out.

use std::sync::{Arc, RwLock};

use node_core::{Address, Core, Envelope, Reply, Request, RequestId};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::store::{Store, Vitals};
use crate::peer::PeerInput;

/// Requests of clients that wait for the loop; one more is refused.
const REQUESTS_MAX: usize = 4096;
/// Inputs of peers that wait for the loop; a link that has one more waits.
pub(crate) const PEER_INPUTS_MAX: usize = 4096;
/// Probes that wait for the loop.
const PROBES_MAX: usize = 64;
/// Inputs taken from each queue in one turn, at most.
const TURN_INPUTS_MAX: usize = 256;

/// One thing that happens to the store.
pub(super) enum Input {
    /// A client asks.
    Request { id: RequestId, request: Request, reply: oneshot::Sender<Reply> },
    /// A client has gone away.
    Cancel(RequestId),
    /// A peer says something; the permit is its share of what may wait.
    Message(Box<Envelope>, OwnedSemaphorePermit),
    /// A link has broken.
    LinkDown(Address),
    /// Somebody asks how the loop is.
    Probe(Probe),
}

impl From<PeerInput> for Input {
    fn from(input: PeerInput) -> Self {
        match input {
            PeerInput::Message(envelope, share) => Self::Message(envelope, share),
            PeerInput::LinkDown(peer) => Self::LinkDown(peer),
        }
    }
}

/// A question to the loop about itself.
pub(super) enum Probe {
    /// How it is.
    Vitals(oneshot::Sender<Vitals>),
    /// The node is about to stop: whether it may.
    Leave(oneshot::Sender<bool>),
}

/// A request on its way to the loop.
pub(super) struct Asked {
    pub(super) id: RequestId,
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Reply>,
}

impl From<Asked> for Input {
    fn from(Asked { id, request, reply }: Asked) -> Self {
        Self::Request { id, request, reply }
    }
}

/// The receiving ends.
pub(super) struct Inputs {
    requests: mpsc::Receiver<Asked>,
    peers: mpsc::Receiver<PeerInput>,
    probes: mpsc::Receiver<Probe>,
    /// Without a bound, since each follows a request that had room.
    cancels: mpsc::UnboundedReceiver<RequestId>,
    /// What may still be taken in this turn.
    quota: Quota,
}

struct Quota {
    requests: usize,
    peers: usize,
}

const FULL_QUOTA: Quota = Quota { requests: TURN_INPUTS_MAX, peers: TURN_INPUTS_MAX };

/// The queues to the loop of `core`, with their client end; `refused` counts what it has no room for.
pub(super) fn inputs(core: Arc<RwLock<Core>>, peers: mpsc::Receiver<PeerInput>, refused: Counter) -> (Store, Inputs) {
    let (ask, requests) = mpsc::channel(REQUESTS_MAX);
    let (cancel, cancels) = mpsc::unbounded_channel();
    let (probe, probes) = mpsc::channel(PROBES_MAX);
    let inputs = Inputs { requests, peers, probes, cancels, quota: FULL_QUOTA };
    (Store::new(core, ask, cancel, probe, refused), inputs)
}

impl Inputs {
    /// Waits for the first input of a turn; `None` when nobody is left to send one.
    pub(super) async fn next(&mut self) -> Option<Input> {
        self.quota = FULL_QUOTA;
        tokio::select! {
            Some(input) = self.peers.recv() => Some(input.into()),
            Some(asked) = self.requests.recv() => Some(asked.into()),
            Some(id) = self.cancels.recv() => Some(Input::Cancel(id)),
            Some(probe) = self.probes.recv() => Some(Input::Probe(probe)),
            else => None,
        }
    }

    /// A further input of the same turn, if one waits and the turn has room for it.
    pub(super) fn next_in_turn(&mut self) -> Option<Input> {
        if self.quota.peers > 0
            && let Ok(input) = self.peers.try_recv()
        {
            self.quota.peers -= 1;
            return Some(input.into());
        }
        if self.quota.requests > 0
            && let Ok(asked) = self.requests.try_recv()
        {
            self.quota.requests -= 1;
            return Some(asked.into());
        }
        // After the requests, so that none is cancelled before it is asked.
        if let Ok(id) = self.cancels.try_recv() {
            return Some(Input::Cancel(id));
        }
        self.probes.try_recv().ok().map(Input::Probe)
    }
}
