//! The deterministic core of the store: a replica as a state machine without IO.
//!
//! Time, messages, requests and the completion of syncs are inputs of [`Core`]; messages to send, changes to make durable
//! and replies to clients are its outputs. The same code runs in the service, on tokio and a disk, and in tests, under
//! virtual time on a network that loses, delays, doubles and cuts. Nothing in here reads a clock, a file or a random
//! number, nor depends on the order of a hash table: same inputs, same outputs, to the byte.

mod announcement;
mod clock;
mod effect;
mod frontier;
mod key;
mod membership;
mod message;
mod origin;
mod placement;
mod planted;
mod record;
mod replica;
mod request;
mod token;

pub use self::{
    announcement::{Announcement, Holding, SlotState},
    clock::{Hlc, Now},
    effect::{Boot, Change, Durability, Effect, Event, Recovered, Settings, SlotMeta, Stats},
    frontier::Frontier,
    key::{KEY_LENGTH_MAX, Key, KeyError, SLOTS, SlotId},
    membership::{Identity, Members, Membership, Removal},
    message::{Body, Envelope, Ping, PlacementChange, Refusal, SnapshotChunk},
    origin::{Dot, Origin},
    placement::{Placement, PlacementError, PlacementId, Shard, ShardId},
    record::Record,
    replica::Core,
    request::{Reply, Request, RequestId},
    token::{TOKEN_LENGTH_MAX, Token, TokenError, TokenKey},
};

#[cfg(feature = "planted")]
pub use self::planted::Bug;

/// Where a node listens for clients and peers, and its name among the members.
pub type Address = std::net::SocketAddr;
