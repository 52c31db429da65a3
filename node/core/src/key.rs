//! Keys, and the fixed hash that puts each into one of 256 slots.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Number of slots. Fixed for ever: tokens and files name slots.
pub const SLOTS: usize = 256;

/// The longest key, in Unicode scalar values (contract, "Key-value operations").
pub const KEY_LENGTH_MAX: usize = 50;

/// One of the 256 parts of the key space that move between shards as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlotId(pub u8);

impl SlotId {
    /// Every slot, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// The slot as an index into an array of [`SLOTS`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A key that the contract allows: 1 to 50 Unicode scalar values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct Key {
    text: Arc<str>,
    /// Hashed once: every step of a request asks for it.
    slot: SlotId,
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It has no characters.
    #[error("Key is empty")]
    Empty,
    /// It has more than 50 characters.
    #[error("Key is too long")]
    TooLong,
}

impl Key {
    /// Checks the length.
    ///
    /// # Errors
    /// [`KeyError`] when `text` has no, or more than 50, Unicode scalar values.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        Self::try_from(Arc::from(text))
    }

    pub(crate) fn check(text: &str) -> Result<(), KeyError> {
        match text.chars().take(KEY_LENGTH_MAX + 1).count() {
            0 => Err(KeyError::Empty),
            length if length > KEY_LENGTH_MAX => Err(KeyError::TooLong),
            _ => Ok(()),
        }
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The slot of this key: the first byte of its BLAKE3 hash, which spreads `key0` … `key599` evenly (FNV does not).
    #[must_use]
    pub fn slot(&self) -> SlotId {
        self.slot
    }
}

impl TryFrom<Arc<str>> for Key {
    type Error = KeyError;

    fn try_from(text: Arc<str>) -> Result<Self, KeyError> {
        Self::check(&text)?;
        let slot = SlotId(blake3::hash(text.as_bytes()).as_bytes()[0]);
        Ok(Self { text, slot })
    }
}

impl From<Key> for Arc<str> {
    fn from(key: Key) -> Self {
        key.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
