//! Format 1 of what is stored: keys that sort by kind and slot, and values as postcard behind a format byte.
//!
//! | key | value |
//! |---|---|
//! | `u` | the uuid of the data directory |
//! | `b` | [`Boot`](node_core::Boot) |
//! | `p` | [`Placement`](node_core::Placement) |
//! | `m` | [`Members`](node_core::Members) |
//! | `c` | the [trailer](super::journal) of the newest commit |
//! | `s`, slot | [`SlotMeta`](node_core::SlotMeta) |
//! | `r`, slot, key | [`Record`] |

use node_core::{Record, SlotId};
use serde::{Serialize, de::DeserializeOwned};

/// The format that this version writes and reads.
pub(super) const FORMAT: u32 = 1;
/// First byte of every value.
const VALUE_FORMAT: u8 = 1;

/// Room that most values need not grow out of.
const VALUE_BYTES: usize = 256;

pub(super) const UUID: &[u8] = b"u";
pub(super) const BOOT: &[u8] = b"b";
pub(super) const PLACEMENT: &[u8] = b"p";
pub(super) const MEMBERS: &[u8] = b"m";
pub(super) const COMMIT: &[u8] = b"c";
pub(super) const SLOTS: &[u8] = b"s";

pub(super) fn slot(slot: SlotId) -> [u8; 2] {
    [b's', slot.0]
}

/// What the keys of all records of a slot begin with.
pub(super) fn records(slot: SlotId) -> [u8; 2] {
    [b'r', slot.0]
}

pub(super) fn record(record: &Record) -> Vec<u8> {
    [&records(record.dot.slot), record.key().as_bytes()].concat()
}

/// # Errors
/// For what postcard cannot encode, which is nothing that is stored.
pub(super) fn encode<T: Serialize>(value: &T) -> postcard::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(VALUE_BYTES);
    bytes.push(VALUE_FORMAT);
    postcard::to_extend(value, bytes)
}

/// `None` for what [`encode`] did not make.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (format, value) = bytes.split_first()?;
    (*format == VALUE_FORMAT).then(|| postcard::from_bytes(value).ok()).flatten()
}
