//! The replica: one state machine for one node. (Being written; the public surface below is settled.)

use crate::{
    Address, Effect, Envelope, Now, Placement, Recovered, Request, RequestId, Settings, Stats,
};

/// One replica of the store.
///
/// # Driving it
/// Call a `handle_*` method for each input, then [`poll_effect`](Self::poll_effect) until it returns `None`, carrying out each
/// effect in order. Call [`handle_timeout`](Self::handle_timeout) no earlier than at [`poll_timeout`](Self::poll_timeout).
/// After an [`Effect::Persist`] call [`handle_persisted`](Self::handle_persisted) once its changes are durable; several
/// batches may be under way, and they complete in order. Messages may be lost at will, so a full queue drops them.
pub struct Core {}

impl Core {
    /// Starts a replica on what its storage holds.
    #[must_use]
    pub fn new(settings: Settings, recovered: Recovered, now: Now) -> Self {
        let _ = (settings, recovered, now);
        Self {}
    }

    /// A client asks. There will be exactly one [`Effect::Reply`] with this id, within 65 s.
    pub fn handle_request(&mut self, now: Now, id: RequestId, request: Request) {
        let _ = (now, id, request);
    }

    /// A client has gone away: its reply is not wanted any more.
    pub fn handle_cancel(&mut self, id: RequestId) {
        let _ = id;
    }

    /// A message has arrived.
    pub fn handle_message(&mut self, now: Now, envelope: Envelope) {
        let _ = (now, envelope);
    }

    /// The link to a peer has broken, or could not be made: a hint that shortens waiting, never needed.
    pub fn handle_link_down(&mut self, now: Now, peer: Address) {
        let _ = (now, peer);
    }

    /// The changes of this batch, and of all earlier ones, are durable.
    pub fn handle_persisted(&mut self, now: Now, batch: u64) {
        let _ = (now, batch);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        let _ = now;
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due, in milliseconds of the monotonic clock.
    #[must_use]
    pub fn poll_timeout(&self) -> u64 {
        0
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        None
    }

    /// Whether this node can do what it is there for: it knows a placement and serves every slot it owns.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        false
    }

    /// Numbers for metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// The placement in force here.
    #[must_use]
    pub fn placement(&self) -> &Placement {
        unreachable!("being written")
    }
}
