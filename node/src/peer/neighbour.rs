//! One other node: what waits for it, and which connection is its link now.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use node_core::Address;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    outbox::{Budget, Outbox},
    precedence::{Claim, Dialler},
};
use crate::metrics::LinkMetrics;

/// Whether a connection has become the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    Yes,
    No,
}

/// The time during which one connection is the link.
pub(super) struct Term {
    /// Tells it from the terms before and after.
    number: u64,
    /// Cancelled when another connection takes over.
    pub(super) superseded: CancellationToken,
}

/// The other end of a link, linked or not.
pub(super) struct Neighbour {
    own: Address,
    address: Address,
    pub(super) outbox: Outbox,
    /// Wakes the link's writer: a frame waits.
    pub(super) filled: Notify,
    /// Wakes the dialler: a frame waits, or the link is gone.
    wanted: Notify,
    link: Mutex<LinkState>,
    pub(super) metrics: LinkMetrics,
}

#[derive(Default)]
struct LinkState {
    /// Terms begun so far.
    terms: u64,
    current: Option<(Claim, u64, CancellationToken)>,
}

impl Neighbour {
    pub(super) fn new(own: Address, address: Address, outgoing: Budget, metrics: LinkMetrics) -> Self {
        Self {
            own,
            address,
            outbox: Outbox::new(outgoing),
            filled: Notify::new(),
            wanted: Notify::new(),
            link: Mutex::default(),
            metrics,
        }
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }

    /// Queues a frame, or loses it.
    pub(super) fn push(&self, frame: Bytes) {
        if self.outbox.push(frame) {
            self.filled.notify_one();
            self.wanted.notify_one();
        } else {
            self.metrics.dropped_frames.inc();
        }
    }

    /// Loses everything that waits: it would be stale by the time that the neighbour can be reached.
    pub(super) fn lose_queued(&self) {
        while self.outbox.pop().is_some() {
            self.metrics.dropped_frames.inc();
        }
    }

    /// Completes when something waits and there is no link.
    pub(super) async fn dialling_wanted(&self) {
        while self.outbox.is_empty() || self.is_linked() {
            self.wanted.notified().await;
        }
    }

    pub(super) fn is_linked(&self) -> bool {
        self.state().current.is_some()
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.is_linked() && self.outbox.is_empty()
    }

    /// Whether a connection with this claim would become the link now.
    pub(super) fn would_accept(&self, dialler: Dialler, run: u64) -> bool {
        self.takes(&self.state(), Claim { dialler, run })
    }

    /// Makes a connection the link, unless the present one takes precedence.
    pub(super) fn begin(&self, dialler: Dialler, run: u64) -> Option<Term> {
        let claim = Claim { dialler, run };
        let mut state = self.state();
        if !self.takes(&state, claim) {
            return None;
        }
        state.terms += 1;
        let term = Term { number: state.terms, superseded: CancellationToken::new() };
        let next = (claim, term.number, term.superseded.clone());
        if let Some((_, _, superseded)) = state.current.replace(next) {
            superseded.cancel();
        }
        Some(term)
    }

    /// The connection has ended; says whether it was the link until now.
    pub(super) fn end(&self, term: &Term) -> bool {
        let mut state = self.state();
        let was_link = state.current.as_ref().is_some_and(|(_, number, _)| *number == term.number);
        if was_link {
            state.current = None;
            self.wanted.notify_one();
        }
        was_link
    }

    fn takes(&self, state: &LinkState, claim: Claim) -> bool {
        state.current.as_ref().is_none_or(|(current, _, _)| claim.replaces(*current, self.own, self.address))
    }

    fn state(&self) -> MutexGuard<'_, LinkState> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
