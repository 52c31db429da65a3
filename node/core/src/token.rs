//! The causal context that clients carry: opaque to them, checksummed, canonical.
//!
//! A token says, per slot, what its holder has observed. Nothing in it names a shard, a node set or a placement, so it
//! survives resharding, new members, failures and restarts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use litemap::LiteMap;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::{Dot, Frontier, Hlc, Origin, SlotId};

/// First byte of every encoded token.
const FORMAT: u8 = 1;
/// Flag bit: entries were dropped because every owner was known to cover them (rule 3).
const FLAG_PRUNED: u8 = 1;
/// Bytes of the keyed hash at the end.
const CHECKSUM_BYTES: usize = 6;
/// The longest encoded token that is accepted, in bytes: more than all slots can make of it after a dozen restarts of every node.
pub const TOKEN_LENGTH_MAX: usize = 256 * 1024;

/// The key under which tokens are checksummed: derived from the cluster secret where there is one, else public.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// Derives the key. With a secret the checksum authenticates the token; without, it only finds damage.
    #[must_use]
    pub fn new(secret: Option<&str>) -> Self {
        Self(blake3::derive_key("node-core 2026 causal token checksum", secret.unwrap_or_default().as_bytes()))
    }

    fn checksum(&self, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let hash = blake3::keyed_hash(&self.0, bytes);
        let mut checksum = [0; CHECKSUM_BYTES];
        checksum.copy_from_slice(&hash.as_bytes()[..CHECKSUM_BYTES]);
        checksum
    }
}

/// What its holder has observed: per slot a [`Frontier`], and the highest clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The highest clock among the observed writes.
    pub clock: Hlc,
    /// Whether entries were dropped that every owner covered at the time (rule 3).
    pub pruned: bool,
    #[serde(deserialize_with = "read_entries")]
    entries: LiteMap<SlotId, Frontier>,
}

/// Not as a map: its reader would take room for as many slots as a peer says that there are.
fn read_entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LiteMap<SlotId, Frontier>, D::Error> {
    let mut entries = Vec::<(SlotId, Frontier)>::deserialize(deserializer)?;
    entries.sort_by_key(|(slot, _)| *slot);
    Ok(entries.into_iter().collect())
}

/// Why a text is not a token of this cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// Over [`TOKEN_LENGTH_MAX`].
    #[error("longer than {TOKEN_LENGTH_MAX} bytes")]
    TooLong,
    /// Not base64url.
    #[error("not base64url text")]
    Alphabet,
    /// Made by a newer version of the store.
    #[error("of an unknown format {0}")]
    Format(u8),
    /// Cut short, altered, or made under another secret.
    #[error("damaged, or not from this cluster")]
    Checksum,
}

impl Token {
    /// What is required of `slot`; `None` when nothing is.
    #[must_use]
    pub fn slot(&self, slot: SlotId) -> Option<&Frontier> {
        self.entries.get(&slot)
    }

    /// The slots with requirements, ascending.
    pub fn slots(&self) -> impl Iterator<Item = (SlotId, &Frontier)> {
        self.entries.iter().map(|(slot, frontier)| (*slot, frontier))
    }

    /// How many bytes of memory it takes at most, but for a fixed part: arrays grow to twice what they hold, and to four places.
    pub(crate) fn memory_bytes(&self) -> usize {
        let places = |entries: usize| (2 * entries).max(4);
        let origins: usize = self.entries.values().map(|frontier| places(frontier.len())).sum();
        places(self.entries.len()) * size_of::<(SlotId, Frontier)>() + origins * size_of::<(Origin, u64)>()
    }

    /// Notes that the write named `dot` was observed.
    pub fn observe(&mut self, dot: Dot) {
        self.entries.entry(dot.slot).or_default().raise(dot.origin, dot.seq);
    }

    /// Joins what both have observed.
    pub fn merge(&mut self, other: &Self) {
        self.clock = self.clock.max(other.clock);
        self.pruned |= other.pruned;
        for (slot, frontier) in &other.entries {
            self.entries.entry(*slot).or_default().merge(frontier);
        }
    }

    /// Lowers every entry to what `keep` returns for it, 0 to drop it; says so in [`pruned`](Self::pruned) where anything
    /// was lowered.
    pub fn prune(&mut self, mut keep: impl FnMut(SlotId, Origin, u64) -> u64) {
        for (slot, frontier) in self.entries.iter_mut() {
            self.pruned |= frontier.lower(|origin, seq| keep(*slot, origin, seq));
        }
        self.entries.retain(|_, frontier| !frontier.is_empty());
    }

    /// The canonical text: equal tokens give equal bytes. Printable ASCII, never empty.
    #[must_use]
    pub fn encode(&self, key: &TokenKey) -> String {
        let mut origins: Vec<Origin> = self.entries.values().flat_map(|f| f.iter().map(|(origin, _)| origin)).collect();
        let entries = origins.len();
        origins.sort_unstable();
        origins.dedup();
        // Enough where numbers are small.
        let mut bytes = Vec::with_capacity(24 + 10 * origins.len() + 2 * self.entries.len() + 4 * entries);
        bytes.extend_from_slice(&[FORMAT, if self.pruned { FLAG_PRUNED } else { 0 }]);
        bytes.extend_from_slice(&self.clock.0.to_be_bytes());
        put_varint(&mut bytes, origins.len() as u64);
        for origin in &origins {
            bytes.extend_from_slice(&origin.uuid.to_be_bytes());
            put_varint(&mut bytes, u64::from(origin.epoch));
        }
        for (slot, frontier) in &self.entries {
            bytes.push(slot.0);
            put_varint(&mut bytes, frontier.len() as u64);
            for (origin, seq) in frontier.iter() {
                let index = origins.partition_point(|other| *other < origin);
                put_varint(&mut bytes, index as u64);
                put_varint(&mut bytes, seq);
            }
        }
        let checksum = key.checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text that [`encode`](Self::encode) made under the same key. The empty text is the empty token.
    ///
    /// # Errors
    /// [`TokenError`] for anything else.
    pub fn decode(text: &str, key: &TokenKey) -> Result<Self, TokenError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > TOKEN_LENGTH_MAX {
            return Err(TokenError::TooLong);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Alphabet)?;
        let payload_length = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(TokenError::Checksum)?;
        let (payload, checksum) = bytes.split_at(payload_length);
        match payload.first() {
            Some(&FORMAT) => {}
            Some(&format) => return Err(TokenError::Format(format)),
            None => return Err(TokenError::Checksum),
        }
        if key.checksum(payload) != checksum {
            return Err(TokenError::Checksum);
        }
        Self::parse(&payload[1..]).ok_or(TokenError::Checksum)
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let mut input = payload;
        let flags = take::<1>(&mut input)?[0];
        let clock = Hlc(u64::from_be_bytes(take(&mut input)?));
        let mut origins = Vec::new();
        for _ in 0..take_varint(&mut input)? {
            let uuid = u64::from_be_bytes(take(&mut input)?);
            origins.push(Origin { uuid, epoch: u32::try_from(take_varint(&mut input)?).ok()? });
        }
        // As encoded. Who may send any order could make each entry move all others.
        origins.is_sorted_by(|one, next| one < next).then_some(())?;
        let mut entries: LiteMap<SlotId, Frontier> = LiteMap::new();
        while !input.is_empty() {
            let frontier = entries.entry(SlotId(take::<1>(&mut input)?[0])).or_default();
            let mut least = 0;
            for _ in 0..take_varint(&mut input)? {
                let index = usize::try_from(take_varint(&mut input)?).ok().filter(|index| *index >= least)?;
                let origin = *origins.get(index)?;
                least = index + 1;
                frontier.raise(origin, take_varint(&mut input)?);
            }
        }
        Some(Self { clock, pruned: flags & FLAG_PRUNED != 0, entries })
    }
}

/// LEB128.
fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_varint(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take(input)?;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_at_checked(N)?;
    *input = rest;
    head.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{Token, TokenKey};

    proptest! {
        /// Whoever knows the key can put anything behind a right checksum.
        #[test]
        fn no_payload_must_make_parsing_panic(payload in vec(prop_oneof![0u8..4, any::<u8>()], 0..120)) {
            if let Some(token) = Token::parse(&payload) {
                let key = TokenKey::new(None);
                prop_assert_eq!(Token::decode(&token.encode(&key), &key), Ok(token));
            }
        }
    }
}
