//! Links: one long-lived connection per pair of nodes, over which [`Envelope`]s travel, or are lost.
//!
//! Either side dials when it has something to say and no link. A link is an HTTP/1.1 upgrade on the node's own port to
//! length-delimited frames, each a postcard-encoded envelope; an empty frame only says that the sender lives. Nothing here
//! is reliable, nor needs to be: a full queue drops, a broken link drops, and the core heals. What is not this protocol
//! costs a closed connection, never more. Who may be a peer is decided by [`proof`]; without a secret whoever speaks the
//! protocol is believed. The network must be a trusted one either way: nothing on a link is encrypted.

mod accept;
mod dial;
mod handshake;
mod link;
mod neighbour;
mod outbox;
mod precedence;
mod proof;
mod stranger;

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use node_core::{Address, Envelope};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::{debug, warn};

pub(crate) use self::{accept::accept, handshake::PATH, proof::Challenge};
use self::{
    handshake::Hello,
    link::Stream,
    neighbour::{Accepted, Neighbour},
    outbox::Budget,
    precedence::Dialler,
    proof::ProofKey,
    stranger::Strangers,
};
use crate::{metrics::PeerMetrics, tasks::Tasks};

/// Frames over this are not sent, and end the link they arrive on.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Addresses that links are kept for; a stranger's claims are refused beyond it.
const NEIGHBOURS_MAX: usize = 256;
/// Connections that are links, or were until a moment ago.
const LINKS_MAX: usize = 2 * NEIGHBOURS_MAX;
/// Bytes of messages that have arrived and wait for the loop, over all links; a link that has more waits.
const ARRIVED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the links tell the runtime.
#[derive(Debug)]
pub(crate) enum PeerInput {
    /// A message has arrived from the node that it names as its sender.
    /// The permit is the message's share of [`ARRIVED_BYTES_MAX`].
    Message(Box<Envelope>, OwnedSemaphorePermit),
    /// The link to a node has broken, or could not be made.
    LinkDown(Address),
}

/// All links of one node.
#[derive(Clone)]
pub(crate) struct Links(Arc<Shared>);

struct Shared {
    /// This node, as it introduces itself.
    own: Hello,
    /// What a peer must know, if anything.
    key: Option<ProofKey>,
    strangers: Strangers,
    /// Where it listens, and dials from.
    bind_address: IpAddr,
    neighbours: Mutex<BTreeMap<Address, Arc<Neighbour>>>,
    /// Room for what waits to be sent, over all neighbours.
    outgoing: Budget,
    /// Room for links: [`LINKS_MAX`].
    places: Arc<Semaphore>,
    /// Room for what has arrived: [`ARRIVED_BYTES_MAX`].
    arrived: Arc<Semaphore>,
    inputs: mpsc::Sender<PeerInput>,
    metrics: PeerMetrics,
    tasks: Tasks,
}

impl Links {
    /// Links of the node at `address`, dialled from `bind_address`; `run` tells this start of it from others and must be
    /// random. With a secret there are links only to nodes that know it.
    pub(crate) fn new(
        address: Address,
        bind_address: IpAddr,
        run: u64,
        secret: Option<&str>,
        inputs: mpsc::Sender<PeerInput>,
        metrics: PeerMetrics,
        tasks: Tasks,
    ) -> Self {
        let own = Hello { address, run };
        Self(Arc::new(Shared {
            own,
            key: secret.map(ProofKey::new),
            strangers: Strangers::new(metrics.refused_strangers.clone()),
            bind_address,
            neighbours: Mutex::default(),
            outgoing: Budget::default(),
            places: Arc::new(Semaphore::new(LINKS_MAX)),
            arrived: Arc::new(Semaphore::new(ARRIVED_BYTES_MAX)),
            inputs,
            metrics,
            tasks,
        }))
    }

    /// Sends a message, or loses it.
    pub(crate) fn send(&self, to: Address, envelope: &Envelope) {
        // Without a neighbour there is no room for one more address, or this node sends to itself: it is lost.
        let Some(neighbour) = self.neighbour(to) else {
            return;
        };
        match postcard::to_stdvec(envelope) {
            Ok(frame) if frame.len() <= FRAME_BYTES_MAX => neighbour.push(frame.into()),
            Ok(frame) => {
                warn!(peer = %to, bytes = frame.len(), "a message over the frame limit was dropped");
                neighbour.metrics.dropped_frames.inc();
            }
            Err(error) => {
                warn!(peer = %to, %error, "a message could not be encoded");
                neighbour.metrics.dropped_frames.inc();
            }
        }
    }

    /// Whether a connection from `peer` would become its link. Keeps nothing of who only asks.
    fn would_accept(&self, peer: Hello) -> bool {
        let neighbours = self.0.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        match neighbours.get(&peer.address) {
            Some(neighbour) => neighbour.would_accept(Dialler::Peer, peer.run),
            None => self.has_room_for(&neighbours, peer.address),
        }
    }

    fn has_room_for(&self, neighbours: &BTreeMap<Address, Arc<Neighbour>>, address: Address) -> bool {
        address != self.0.own.address && neighbours.len() < NEIGHBOURS_MAX
    }

    /// Makes a connection the link to its peer, unless another takes precedence; says which.
    fn adopt(&self, stream: Stream, peer: Hello, dialler: Dialler) -> Accepted {
        let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
            return Accepted::No;
        };
        let Some(neighbour) = self.neighbour(peer.address) else {
            return Accepted::No;
        };
        let Some(term) = neighbour.begin(dialler, peer.run) else {
            return Accepted::No;
        };
        let links = self.clone();
        self.0.tasks.spawn(async move {
            neighbour.metrics.up.set(1);
            let end = link::serve(stream, &neighbour, &term, &links.0.inputs, &links.0.arrived).await;
            drop(place);
            debug!(peer = %peer.address, %end, "link closed");
            // A superseded link is no loss: another one is up.
            if neighbour.end(&term) {
                neighbour.metrics.up.set(0);
                links.report_down(peer.address).await;
            }
        });
        debug!(peer = %peer.address, ?dialler, "link open");
        Accepted::Yes
    }

    async fn report_down(&self, peer: Address) {
        // Fails only when the runtime has ended, and this task is about to.
        let _ = self.0.inputs.send(PeerInput::LinkDown(peer)).await;
    }

    /// The neighbour at `address`; a new one begins to dial when it is first sent to.
    fn neighbour(&self, address: Address) -> Option<Arc<Neighbour>> {
        let mut neighbours = self.0.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(neighbour) = neighbours.get(&address) {
            return Some(Arc::clone(neighbour));
        }
        if !self.has_room_for(&neighbours, address) {
            return None;
        }
        let metrics = self.0.metrics.of(address);
        let neighbour = Arc::new(Neighbour::new(self.0.own.address, address, self.0.outgoing.clone(), metrics));
        neighbours.insert(address, Arc::clone(&neighbour));
        let dialling = dial::whenever_wanted(self.clone(), Arc::clone(&neighbour));
        self.0.tasks.spawn(dialling);
        Some(neighbour)
    }

    /// Forgets a neighbour that nothing has been said to or heard from for a while; says whether it was so.
    fn forget_if_idle(&self, neighbour: &Neighbour) -> bool {
        let mut neighbours = self.0.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = neighbour.is_idle();
        if idle {
            neighbours.remove(&neighbour.address());
            self.0.metrics.forget(neighbour.address());
        }
        idle
    }
}
