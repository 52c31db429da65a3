//! Stopping without being missed: the others are told first, and nobody is left waiting for an answer.

use super::{Core, gossip::Audience};
use crate::{Now, Reply, Request};

impl Core {
    /// This node is about to stop: the others are told to pass no more writes on to it, as if it had no room. It goes on with all
    /// that it is asked.
    pub fn handle_leaving(&mut self, now: Now) {
        self.turn(now);
        if self.leaving.is_none() {
            self.say_leaving();
        }
    }

    /// Whether nobody's write waits for this node any more: none is under way here, and everyone in reach knows that it leaves, and
    /// has all of its answers. Whoever has passed a read on asks another.
    #[must_use]
    pub fn may_stop(&self) -> bool {
        let now_ms = self.now.monotonic_ms;
        let told = |number| self.peers.values().all(|peer| peer.confirmed >= number || !peer.is_reachable(now_ms));
        let writes = |request: &Request| matches!(request, Request::Put { .. } | Request::Delete { .. });
        self.leaving.is_some_and(told)
            && !self.pending.values().any(|pending| writes(&pending.request))
            && self.parked.len() == 0
    }

    /// Another node has been answered. While this one leaves, that must have arrived too: it has when the next announcement is
    /// confirmed, since a link keeps the order.
    pub(super) fn note_answered(&mut self, reply: &Reply) {
        if self.leaving.is_some() && matches!(reply, Reply::Written { .. }) {
            self.say_leaving();
        }
    }

    fn say_leaving(&mut self) {
        self.announcement += 1;
        self.news = Audience::Everyone;
        self.leaving = Some(self.announcement);
    }
}
