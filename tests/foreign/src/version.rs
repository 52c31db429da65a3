//! The version of a write, which is also the token of a client that has seen it: how many writes of each node it may
//! depend on, under which placement.
//!
//! Invariant: whoever has adopted a placement holds all that was acknowledged under earlier ones, so only the counts of
//! the newest placement are kept.

use std::{cmp::Ordering, collections::BTreeMap, fmt, net::SocketAddr, str::FromStr};

/// Its text is `<placement>@<node>=<writes>,<node>=<writes>…`, in numeric order of address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) placement: u64,
    pub(crate) writes: BTreeMap<SocketAddr, u64>,
}

impl Version {
    pub(crate) fn count(&self, node: SocketAddr) -> u64 {
        self.writes.get(&node).copied().unwrap_or(0)
    }

    pub(crate) fn merged(&self, other: &Self) -> Self {
        match self.placement.cmp(&other.placement) {
            Ordering::Less => other.clone(),
            Ordering::Greater => self.clone(),
            Ordering::Equal => {
                let mut merged = self.clone();
                for (node, count) in &other.writes {
                    let known = merged.writes.entry(*node).or_default();
                    *known = (*known).max(*count);
                }
                merged
            }
        }
    }

    /// A total order in which a write is above all that it depends on: of two values of a key the greater one stays.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        let rank = |version: &Self| {
            let writes: u128 = version.writes.values().map(|count| u128::from(*count)).sum();
            (version.placement, writes, version.to_string())
        };
        rank(self) > rank(other)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writes: Vec<_> = self.writes.iter().map(|(node, count)| format!("{node}={count}")).collect();
        write!(f, "{}@{}", self.placement, writes.join(","))
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (placement, writes) = text.split_once('@').ok_or(())?;
        let count = |text: &str| {
            let (node, count) = text.split_once('=')?;
            Some((node.parse().ok()?, count.parse().ok()?))
        };
        let writes = writes.split_terminator(',').map(count).collect::<Option<_>>().ok_or(())?;
        Ok(Self { placement: placement.parse().map_err(|_| ())?, writes })
    }
}
