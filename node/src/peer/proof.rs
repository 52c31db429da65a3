//! How two nodes prove to each other that they know the same `CLUSTER_SECRET`, without saying it.
//!
//! The dialler's first request brings a nonce; the acceptor's answer brings another, and proves the acceptor. Only then the
//! dialler proves itself, in a second request on the same connection, which becomes the link. So the dialler shows nothing
//! to a stranger, the acceptor takes no frame from one, and either can be refused with a status, which a proof within the
//! frames could not be. What follows on the link is neither encrypted nor authenticated.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use blake3::Hash;

use super::handshake::{FORMAT, Hello, PROTOCOL};

/// The key of proofs, derived from `CLUSTER_SECRET` apart from that of the tokens.
#[derive(Clone)]
pub(super) struct ProofKey([u8; 32]);

/// Whose proof it is; without it one side's proof could be reflected as the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Dialler,
    Acceptor,
}

/// Everything that one handshake's proofs are about, so that they are worth nothing in any other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) dialler: Hello,
    pub(super) acceptor: Hello,
    /// 32 bytes, fresh from the dialler.
    pub(super) dialler_nonce: Hash,
    /// 32 bytes, fresh from the acceptor.
    pub(super) acceptor_nonce: Hash,
}

/// What one connection has been asked to prove: at most one exchange, and one answer to it.
#[derive(Clone, Default)]
pub(crate) struct Challenge(Arc<Mutex<Option<Exchange>>>);

impl ProofKey {
    pub(super) fn new(secret: &str) -> Self {
        Self(blake3::derive_key("node 2026 proof of a peer", secret.as_bytes()))
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey")
    }
}

/// 32 bytes that were never used before.
///
/// # Errors
/// When the system has no randomness to give.
pub(super) fn nonce() -> Result<Hash, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.into())
}

impl Exchange {
    /// The proof that `side` knows the secret. Comparing two takes the same time wherever they differ.
    pub(super) fn proof(&self, key: &ProofKey, side: Side) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&key.0);
        let side = match side {
            Side::Dialler => "dialler",
            Side::Acceptor => "acceptor",
        };
        let addresses = [self.dialler.address.to_string(), self.acceptor.address.to_string()];
        // Each with its length, so that no two exchanges are the same bytes.
        for text in [PROTOCOL, FORMAT, side, &addresses[0], &addresses[1]] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        for nonce in [self.dialler_nonce, self.acceptor_nonce] {
            hasher.update(nonce.as_bytes());
        }
        for run in [self.dialler.run, self.acceptor.run] {
            hasher.update(&run.to_le_bytes());
        }
        hasher.finalize()
    }
}

impl Challenge {
    pub(super) fn set(&self, exchange: Exchange) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
    }

    /// Whether `proof` is the answer of `dialler`; whatever it is, there is no second try.
    pub(super) fn is_met(&self, key: &ProofKey, dialler: Hello, proof: Hash) -> bool {
        let exchange = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        exchange.is_some_and(|exchange| exchange.dialler == dialler && exchange.proof(key, Side::Dialler) == proof)
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Exchange, Hello, ProofKey, Side, nonce};

    fn hello(port: u16, run: u64) -> Hello {
        Hello { address: ([10, 10, 0, 2], port).into(), run }
    }

    fn exchange() -> Exchange {
        Exchange {
            dialler: hello(1, 1),
            acceptor: hello(2, 2),
            dialler_nonce: [1; 32].into(),
            acceptor_nonce: [2; 32].into(),
        }
    }

    #[test]
    fn a_proof_is_of_one_key_side_and_exchange() {
        let key = ProofKey::new("secret");
        let proof = exchange().proof(&key, Side::Dialler);
        assert_eq!(proof, exchange().proof(&ProofKey::new("secret"), Side::Dialler));
        let others = [
            Exchange { dialler: hello(3, 1), ..exchange() },
            Exchange { dialler: hello(1, 3), ..exchange() },
            Exchange { acceptor: hello(3, 2), ..exchange() },
            Exchange { acceptor: hello(2, 3), ..exchange() },
            Exchange { dialler_nonce: [3; 32].into(), ..exchange() },
            Exchange { acceptor_nonce: [3; 32].into(), ..exchange() },
        ];
        for other in others {
            assert_ne!(proof, other.proof(&key, Side::Dialler), "{other:?}");
        }
        assert_ne!(proof, exchange().proof(&key, Side::Acceptor));
        assert_ne!(proof, exchange().proof(&ProofKey::new("Secret"), Side::Dialler));
    }

    #[test]
    fn a_challenge_is_met_once_and_by_its_dialler() {
        let key = ProofKey::new("secret");
        let proof = exchange().proof(&key, Side::Dialler);
        let challenge = Challenge::default();
        assert!(!challenge.is_met(&key, hello(1, 1), proof), "met before it was set");
        challenge.set(exchange());
        assert!(challenge.is_met(&key, hello(1, 1), proof));
        assert!(!challenge.is_met(&key, hello(1, 1), proof), "met twice");
        challenge.set(exchange());
        assert!(!challenge.is_met(&key, hello(1, 9), proof), "met by another run");
        challenge.set(exchange());
        assert!(!challenge.is_met(&key, hello(1, 1), exchange().proof(&key, Side::Acceptor)), "reflected");
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(nonce().unwrap(), nonce().unwrap());
    }
}
