//! The environment of the contract, and the one variable that chooses a flaw.

use std::{collections::BTreeSet, env, net::SocketAddr};

/// What an image of this server does wrong, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Listens late, and answers every client late.
    Slow,
    /// Runs and talks, and never listens.
    NeverReady,
    /// Goes on when it is asked to end.
    IgnoresSigterm,
    /// 200 for a new key and for a missing one.
    WrongStatus,
    /// Acknowledges one write in ten without storing it.
    Forgets,
    /// Acknowledges before it replicates, and reads without regard to the token.
    Stale,
    /// Panics when it is asked to reshard.
    CrashesOnReshard,
    /// Answers bytes that are no HTTP.
    Garbage,
    /// Accepts connections and never answers.
    Hangs,
}

impl Flaw {
    fn from_name(name: &str) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "" => return Ok(None),
            "slow" => Self::Slow,
            "never-ready" => Self::NeverReady,
            "ignores-sigterm" => Self::IgnoresSigterm,
            "wrong-status" => Self::WrongStatus,
            "forgets" => Self::Forgets,
            "stale" => Self::Stale,
            "crashes-on-reshard" => Self::CrashesOnReshard,
            "garbage" => Self::Garbage,
            "hangs" => Self::Hangs,
            _ => return Err(format!("FLAW={name} is not known")),
        }))
    }
}

/// What a node is told at its start.
pub(crate) struct Setup {
    pub(crate) address: SocketAddr,
    pub(crate) view: BTreeSet<SocketAddr>,
    pub(crate) shard_count: Option<usize>,
    pub(crate) flaw: Option<Flaw>,
}

impl Setup {
    pub(crate) fn from_environment() -> Result<Self, String> {
        let variable = |name| env::var(name).unwrap_or_default();
        let address = variable("SOCKET_ADDRESS").parse().map_err(|_| "SOCKET_ADDRESS is no ip:port")?;
        let view = variable("VIEW");
        let view = view.split(',').map(|text| text.trim().parse());
        let mut view: BTreeSet<_> = view.collect::<Result<_, _>>().map_err(|_| "VIEW is no list of ip:port")?;
        view.insert(address);
        let shard_count = match variable("SHARD_COUNT").as_str() {
            "" => None,
            text => match text.parse() {
                Ok(count) if count > 0 => Some(count),
                _ => return Err("SHARD_COUNT is no positive number".to_owned()),
            },
        };
        Ok(Self { address, view, shard_count, flaw: Flaw::from_name(&variable("FLAW"))? })
    }
}
