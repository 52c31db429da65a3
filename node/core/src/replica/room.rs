//! What this node has room for. At a cap clients get 503, and records of other nodes are not taken: they are pulled later.

use super::{
    Core,
    gossip::Audience,
    limits::{MEMBERS_MAX, REQUEST_BYTES_MAX, REQUESTS_MAX, UNDURABLE_BYTES_MAX},
};
use crate::{Now, Request, planted::Bug};

impl Core {
    /// The storage has, or has not, enough free space to take data. It has until this says otherwise.
    ///
    /// Without it the node takes no writes, neither of clients nor of other nodes; it goes on with reads, and with what it must
    /// remember of members and placements, for which some space must be left.
    pub fn handle_space(&mut self, now: Now, enough: bool) {
        self.turn(now);
        self.enough_space = enough;
        self.news = Audience::Everyone;
    }

    /// Whether records are taken.
    pub(super) fn has_room(&self) -> bool {
        self.no_room().is_none()
    }

    /// Why no records are taken.
    pub(super) fn no_room(&self) -> Option<String> {
        if self.planted.is(Bug::IgnoreFullDisk) {
            None
        } else if !self.enough_space {
            Some("the disk of this node is nearly full: free some space, or ask another node".to_owned())
        } else if self.batches.bytes() >= UNDURABLE_BYTES_MAX {
            Some("the disk of this node does not keep up with the writes".to_owned())
        } else {
            None
        }
    }

    /// Whether one more request can be in flight.
    pub(super) fn has_room_for(&self, request: &Request) -> bool {
        self.pending.len() + self.parked.len() < REQUESTS_MAX
            && self.request_bytes + request.memory_bytes() <= REQUEST_BYTES_MAX
    }

    /// Invariant 12, as far as it can be seen without counting.
    pub(super) fn assert_caps(&self) {
        assert!(self.pending.len() + self.parked.len() <= REQUESTS_MAX, "invariant 12: requests in flight");
        assert!(self.tickets.len() <= self.pending.len(), "invariant 12: askers without a request");
        assert!(self.request_bytes <= REQUEST_BYTES_MAX, "invariant 12: bytes of requests in flight");
        assert!(self.identities.len() <= MEMBERS_MAX, "invariant 12: identities");
        assert!(self.batches.bytes() == 0 || !self.batches.is_idle(), "invariant 12: bytes of no batch");
    }
}
