//! Bytes altered on their way: of messages between nodes, and of the tokens that clients bring. What still has the shape of a
//! message or a token is delivered, so that cores meet what no core would have sent.

use std::sync::atomic::{AtomicU64, Ordering};

use node_core::{Envelope, Request};
use serde::{Serialize, de::DeserializeOwned};

use crate::{random::Random, run::run_tampered, sweep::on_all_threads};

/// Of 1,000 messages and tokens, how many are altered.
const ALTERED_PERMILLE: u64 = 30;
/// How many bytes of one are altered, at most.
const BYTES_MAX: u64 = 4;
/// The largest numbers of 8, 32 and 64 bits, as they are encoded.
const LARGEST: [&[u8]; 3] =
    [&[0xff], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]];

/// What clusters went through whose messages and tokens were altered.
#[derive(Clone, Debug, Default)]
pub struct Tampered {
    /// Seeds run.
    pub seeds: u64,
    /// Messages that arrived.
    pub messages: u64,
    /// Messages and tokens that were altered and still had their shape.
    pub altered: u64,
    /// The seeds with which a core panicked, and its words.
    pub panics: Vec<(u64, String)>,
}

impl Tampered {
    fn and(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.messages += other.messages;
        self.altered += other.altered;
        self.panics.extend(other.panics);
        self
    }
}

/// Alters what passes by.
pub(crate) struct Tamper {
    random: Random,
    /// How much was altered so far.
    pub(crate) altered: u64,
}

impl Tamper {
    pub(crate) fn new(random: Random) -> Self {
        Self { random, altered: 0 }
    }

    /// A message as it arrives. Its sender stays, which the link vouches for.
    pub(crate) fn message(&mut self, envelope: &Envelope) -> Envelope {
        let altered = self.alter(envelope).filter(|altered| altered.from == envelope.from);
        altered.unwrap_or_else(|| envelope.clone())
    }

    /// A request as a client without scruples would make it.
    pub(crate) fn request(&mut self, mut request: Request) -> Request {
        if let Request::Get { token, .. } | Request::Put { token, .. } | Request::Delete { token, .. } = &mut request
            && let Some(altered) = self.alter(token)
        {
            *token = altered;
        }
        request
    }

    /// Another value of the same shape; mostly none.
    fn alter<T: Serialize + DeserializeOwned + PartialEq>(&mut self, value: &T) -> Option<T> {
        if !self.random.chance(ALTERED_PERMILLE) {
            return None;
        }
        let mut bytes = postcard::to_stdvec(value).ok()?;
        for _ in 0..self.random.between(1, BYTES_MAX) {
            let at = self.random.index(bytes.len());
            match self.random.below(4) {
                0 => bytes[at] = self.random.next() as u8,
                1 => bytes[at] ^= 1 << self.random.below(8),
                2 => bytes[at] = bytes[self.random.index(bytes.len())],
                _ => {
                    bytes.splice(at..=at, self.random.pick(&LARGEST).iter().copied());
                }
            }
        }
        let altered = postcard::from_bytes(&bytes).ok().filter(|altered| altered != value)?;
        self.altered += 1;
        Some(altered)
    }
}

/// Runs the faults of one seed after the other, each with messages and tokens altered, while one `is_wanted`. What such a
/// cluster promises is not asked: only that no core panics.
pub fn tamper(first: u64, is_wanted: impl Fn(u64) -> bool + Sync) -> Tampered {
    let next = AtomicU64::new(first);
    let worker = || {
        let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        seeds.take_while(|seed| is_wanted(*seed)).map(run_tampered).fold(Tampered::default(), Tampered::and)
    };
    let mut total = on_all_threads(worker).into_iter().fold(Tampered::default(), Tampered::and);
    total.panics.sort();
    total
}
