//! One stored version of one key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Dot, Hlc, Key, Origin};

/// A write: a value or a tombstone, with everything that any replica needs to know of it. Immutable, and the same bytes on
/// every replica (invariant 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The key written.
    pub key: Key,
    /// The JSON text of the value; `None` is a tombstone.
    pub value: Option<Arc<[u8]>>,
    /// Decides between concurrent versions, with the origin for ties.
    pub hlc: Hlc,
    /// The name of the write.
    pub dot: Dot,
    /// The encoded token of the write's dependencies and itself: stored, never recomputed.
    pub version: Arc<str>,
}

impl Record {
    /// What last-writer-wins compares.
    #[must_use]
    pub fn rank(&self) -> (Hlc, Origin) {
        (self.hlc, self.dot.origin)
    }

    /// Whether this is a deletion.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }

    /// Approximate bytes of this record in memory and on the wire.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        64 + self.key.as_str().len() + self.value.as_ref().map_or(0, |value| value.len()) + self.version.len()
    }

    /// Contribution to a slot's digest (invariant 5): a hash of key and dot.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.key.as_str().as_bytes());
        hasher.update(&self.dot.origin.uuid.to_be_bytes());
        hasher.update(&self.dot.origin.epoch.to_be_bytes());
        hasher.update(&self.dot.seq.to_be_bytes());
        let mut digest = [0; 8];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_be_bytes(digest)
    }
}
