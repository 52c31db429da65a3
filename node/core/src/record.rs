//! One stored version of one key.

use std::ops::Range;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected},
};

use crate::{Dot, Hlc, Key, Origin};

/// A write: a value or a tombstone, with everything that any replica needs to know of it. Immutable, and the same bytes on
/// every replica (invariant 1).
///
/// There are as many of them as keys, so that all texts are in one allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Decides between concurrent versions, with the origin for ties.
    pub hlc: Hlc,
    /// The name of the write.
    pub dot: Dot,
    /// Key, version and value, one after the other.
    texts: Box<[u8]>,
    /// Where the version begins.
    version_start: u32,
    /// Where the value begins.
    value_start: u32,
    is_tombstone: bool,
}

/// A record as it is stored and sent.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Record")]
struct Parts<'a> {
    key: &'a str,
    #[serde(serialize_with = "as_bytes")]
    value: Option<&'a [u8]>,
    hlc: Hlc,
    dot: Dot,
    version: &'a str,
}

/// As a slice is encoded, but in one piece.
fn as_bytes<S: Serializer>(value: &Option<&[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    struct Bytes<'a>(&'a [u8]);
    impl Serialize for Bytes<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }
    value.map(Bytes).serialize(serializer)
}

impl Record {
    /// A write of `value`, JSON text, or of a tombstone. `version` is the encoded token of its dependencies and itself: stored,
    /// never recomputed.
    ///
    /// # Panics
    /// When value and version have 4 GiB or more, of which no request has room for a hundredth.
    #[must_use]
    pub fn new(key: &Key, value: Option<&[u8]>, hlc: Hlc, dot: Dot, version: &str) -> Self {
        Self::pack(&Parts { key: key.as_str(), value, hlc, dot, version })
    }

    fn pack(parts: &Parts<'_>) -> Self {
        let offset = |bytes: usize| u32::try_from(bytes).expect("texts of less than 4 GiB");
        let Parts { key, value, hlc, dot, version } = *parts;
        let texts = [key.as_bytes(), version.as_bytes(), value.unwrap_or_default()].concat().into_boxed_slice();
        Self {
            hlc,
            dot,
            texts,
            version_start: offset(key.len()),
            value_start: offset(key.len() + version.len()),
            is_tombstone: value.is_none(),
        }
    }

    /// The key written.
    #[must_use]
    pub fn key(&self) -> &str {
        self.text(0..self.version_start as usize)
    }

    /// The key as bytes, which sort as the text does.
    pub(crate) fn key_bytes(&self) -> &[u8] {
        &self.texts[..self.version_start as usize]
    }

    /// The JSON text of the value; `None` is a tombstone.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        (!self.is_tombstone).then(|| &self.texts[self.value_start as usize..])
    }

    /// The encoded token of the write's dependencies and itself.
    #[must_use]
    pub fn version(&self) -> &str {
        self.text(self.version_start as usize..self.value_start as usize)
    }

    fn text(&self, range: Range<usize>) -> &str {
        // Made of text.
        str::from_utf8(&self.texts[range]).unwrap_or_default()
    }

    /// What last-writer-wins compares.
    #[must_use]
    pub fn rank(&self) -> (Hlc, Origin) {
        (self.hlc, self.dot.origin)
    }

    /// Whether this is a deletion.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.is_tombstone
    }

    /// Approximate bytes of this record in memory and on the wire.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        64 + self.texts.len()
    }

    /// Contribution to a slot's digest (invariant 5): a hash of key and dot.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let Dot { origin, seq, .. } = self.dot;
        // Hashed in one piece: an incremental hasher costs more than so few bytes.
        let named =
            [self.key_bytes(), &origin.uuid.to_be_bytes(), &origin.epoch.to_be_bytes(), &seq.to_be_bytes()].concat();
        let mut digest = [0; 8];
        digest.copy_from_slice(&blake3::hash(&named).as_bytes()[..8]);
        u64::from_be_bytes(digest)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, value, version) = (self.key(), self.value(), self.version());
        Parts { key, value, hlc: self.hlc, dot: self.dot, version }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(deserializer)?;
        match Key::check(parts.key) {
            Ok(()) => Ok(Self::pack(&parts)),
            Err(_) => Err(D::Error::invalid_value(Unexpected::Str(parts.key), &"a key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::{Dot, Hlc, Key, Origin, SlotId};

    /// Replicas of other builds compare it with theirs.
    #[test]
    fn the_digest_is_of_key_and_dot_for_the_shortest_key_and_the_longest() {
        for text in ["k".to_owned(), char::MAX.to_string().repeat(50)] {
            let origin = Origin { uuid: 0x0102_0304_0506_0708, epoch: 9 };
            let dot = Dot { slot: SlotId(1), origin, seq: 10 };
            let record = Record::new(&Key::new(&text).expect("a key"), Some(b"1"), Hlc(11), dot, "version");
            let named =
                [text.as_bytes(), &[1, 2, 3, 4, 5, 6, 7, 8], &[0, 0, 0, 9], &[0, 0, 0, 0, 0, 0, 0, 10]].concat();
            assert_eq!(record.digest().to_be_bytes(), blake3::hash(&named).as_bytes()[..8]);
        }
    }
}
