//! Which of two connections between the same two nodes is kept: a pure decision that both sides make alike.

use node_core::Address;

/// Who dialled a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialler {
    /// This node.
    Own,
    /// The node at the other end.
    Peer,
}

/// A connection, as far as precedence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// Who dialled it.
    pub(super) dialler: Dialler,
    /// Which start of the peer it leads to.
    pub(super) run: u64,
}

impl Claim {
    /// Whether this newer connection replaces `current`.
    ///
    /// The same side dials again only when it has lost the old one. Another start of the peer cannot be behind the old one.
    /// Otherwise both have dialled at once, and both keep what the numerically lower address dialled.
    pub(super) fn replaces(self, current: Self, own: Address, peer: Address) -> bool {
        let lower = if own < peer { Dialler::Own } else { Dialler::Peer };
        self.dialler == current.dialler || self.run != current.run || self.dialler == lower
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Dialler};

    const DIALLERS: [Dialler; 2] = [Dialler::Own, Dialler::Peer];

    fn claim(dialler: Dialler, run: u64) -> Claim {
        Claim { dialler, run }
    }

    fn flip(dialler: Dialler) -> Dialler {
        match dialler {
            Dialler::Own => Dialler::Peer,
            Dialler::Peer => Dialler::Own,
        }
    }

    #[test]
    fn the_same_side_dialling_again_replaces() {
        let (low, high) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:1".parse().unwrap());
        for dialler in DIALLERS {
            assert!(claim(dialler, 7).replaces(claim(dialler, 7), low, high));
            assert!(claim(dialler, 7).replaces(claim(dialler, 7), high, low));
        }
    }

    #[test]
    fn both_sides_keep_what_the_lower_address_dialled() {
        let (low, high) = ("10.0.0.9:80".parse().unwrap(), "10.0.0.10:80".parse().unwrap());
        for new in DIALLERS {
            let at_low = claim(new, 7).replaces(claim(flip(new), 7), low, high);
            let at_high = claim(flip(new), 7).replaces(claim(new, 7), high, low);
            assert_eq!(at_low, at_high);
            assert_eq!(at_low, new == Dialler::Own);
        }
    }

    #[test]
    fn a_peer_that_has_started_again_replaces_its_old_connection() {
        let (low, high) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:1".parse().unwrap());
        assert!(claim(Dialler::Peer, 8).replaces(claim(Dialler::Own, 7), low, high));
    }
}
