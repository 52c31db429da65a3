//! What a node knows of the others, and what it holds. Every change is one step under the node's lock; no sockets here.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    holding::{Entry, Holding},
    version::Version,
};

/// A node that has not answered for so long is not in the view.
const GONE_AFTER: Duration = Duration::from_secs(2);

pub(crate) struct State {
    address: SocketAddr,
    /// When each node that was named and not deleted was last heard of.
    heard: BTreeMap<SocketAddr, Instant>,
    pub(crate) holding: Holding,
}

impl State {
    pub(crate) fn new(address: SocketAddr, view: &BTreeSet<SocketAddr>) -> Self {
        let heard = view.iter().map(|node| (*node, Instant::now())).collect();
        Self { address, heard, holding: Holding::default() }
    }

    /// Every node that may be up.
    pub(crate) fn known(&self) -> Vec<SocketAddr> {
        self.heard.keys().copied().collect()
    }

    /// Every node that is up.
    pub(crate) fn view(&self) -> Vec<SocketAddr> {
        let up = |(node, heard): &(&SocketAddr, &Instant)| **node == self.address || heard.elapsed() < GONE_AFTER;
        self.heard.iter().filter(up).map(|(node, _)| *node).collect()
    }

    pub(crate) fn add(&mut self, node: SocketAddr) {
        self.heard.insert(node, Instant::now());
    }

    pub(crate) fn delete(&mut self, node: SocketAddr) {
        self.heard.remove(&node);
    }

    /// A node has answered. One that was deleted stays out.
    pub(crate) fn hear(&mut self, node: SocketAddr) {
        self.heard.entry(node).and_modify(|heard| *heard = Instant::now());
    }

    /// The index of the shard that a key belongs to.
    pub(crate) fn shard_of_key(&self, key: &str) -> usize {
        shard_of_key(key, self.holding.shards.len())
    }

    /// The index of the shard of this node.
    pub(crate) fn shard(&self) -> Option<usize> {
        self.holding.shards.iter().position(|members| members.contains(&self.address))
    }

    /// The other nodes of a shard that are up.
    pub(crate) fn peers(&self, shard: Option<usize>) -> Vec<SocketAddr> {
        let Some(members) = shard.and_then(|shard| self.holding.shards.get(shard)) else {
            return Vec::new();
        };
        self.view().into_iter().filter(|node| *node != self.address && members.contains(node)).collect()
    }

    /// Whether everything of this node's shard that a token names is here.
    pub(crate) fn covers(&self, token: &Version) -> bool {
        let held = &self.holding.version;
        match token.placement.cmp(&held.placement) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                let members = self.shard().map(|shard| self.holding.shards[shard].iter());
                members.into_iter().flatten().all(|node| held.count(*node) >= token.count(*node))
            }
        }
    }

    /// Carries out a write of this node's own.
    pub(crate) fn write(&mut self, key: &str, value: Option<Value>, token: &Version) -> Entry {
        let mut version = token.merged(&self.holding.version);
        if let Some(present) = self.holding.entries.get(key) {
            version = version.merged(&present.version);
        }
        let count = self.holding.version.count(self.address) + 1;
        version.writes.insert(self.address, count);
        self.holding.version.writes.insert(self.address, count);
        let entry = Entry { version, value };
        self.holding.entries.insert(key.to_owned(), entry.clone());
        entry
    }

    /// Applies a write of another node of the shard.
    pub(crate) fn apply(&mut self, origin: SocketAddr, key: &str, entry: Entry) {
        let count = self.holding.version.writes.entry(origin).or_default();
        *count = entry.version.count(origin).max(*count);
        self.holding.keep(key, entry);
    }

    /// Takes over what `from` holds, and its placement when that is newer.
    ///
    /// # Errors
    /// Who must be asked instead: under that placement this node belongs to them, and `from` does not.
    pub(crate) fn take(&mut self, theirs: Holding, from: SocketAddr) -> Result<(), Vec<SocketAddr>> {
        if theirs.version.placement < self.holding.version.placement {
            return Ok(());
        }
        let members = theirs.shards.iter().find(|members| members.contains(&self.address)).cloned().unwrap_or_default();
        if !members.is_empty() && !members.contains(&from) {
            return Err(members);
        }
        if theirs.version.placement > self.holding.version.placement {
            self.holding = Holding::new(theirs.version.placement, theirs.shards);
        }
        if members.contains(&from) {
            self.holding.version = self.holding.version.merged(&theirs.version);
            for (key, entry) in theirs.entries {
                self.holding.keep(&key, entry);
            }
        }
        Ok(())
    }
}

/// The hash is the same in every node that is made from the same source.
pub(crate) fn shard_of_key(key: &str, shards: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (hasher.finish() % shards.max(1) as u64) as usize
}
