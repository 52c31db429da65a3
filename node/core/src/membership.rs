//! The nodes that are known: who was added or removed by request, and who is behind each address now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Address;

/// Who answers at an address: a data directory and one start of it. Ordered, newer above older (rule 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// Grows with every start at the address: the wall clock's milliseconds, or more where the address has had more.
    pub incarnation: u64,
    /// The data directory's uuid, the same as in its [`Origin`](crate::Origin)s.
    pub uuid: u64,
    /// The first epoch of this start: earlier ones are over.
    pub epoch: u32,
}

/// What requests have said of one address; the entry with the higher version wins, and a removal wins a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Membership {
    /// Raised by every request that changes the entry.
    pub version: u64,
    /// Set when it was removed by request. The failure detector never sets this.
    pub removed: Option<Removal>,
}

/// Whom a removal met, so that a later start at the same address can take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Removal {
    /// Who was behind the address, if the removing node had heard of it.
    pub identity: Option<Identity>,
    /// The removing node's wall clock, in milliseconds since 1970: decides where there is no identity.
    pub wall_ms: u64,
}

/// All nodes ever known, by address. Joins by entry: add/remove-wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members(BTreeMap<Address, Membership>);

impl Members {
    /// The members of a first start.
    #[must_use]
    pub fn bootstrap(view: impl IntoIterator<Item = Address>) -> Self {
        let entry = Membership { version: 0, removed: None };
        Self(view.into_iter().map(|address| (address, entry)).collect())
    }

    /// Whether `address` is known and not removed.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        self.0.get(&address).is_some_and(|entry| entry.removed.is_none())
    }

    /// The entry of `address`, removed or not.
    #[must_use]
    pub fn get(&self, address: Address) -> Option<&Membership> {
        self.0.get(&address)
    }

    /// The members that are not removed, in numeric order of address.
    pub fn iter(&self) -> impl Iterator<Item = Address> + '_ {
        self.0.iter().filter(|(_, entry)| entry.removed.is_none()).map(|(address, _)| *address)
    }

    /// Everything known, the removed too.
    pub fn entries(&self) -> impl Iterator<Item = (Address, Membership)> + '_ {
        self.0.iter().map(|(address, entry)| (*address, *entry))
    }

    /// Records a request to add.
    pub fn add(&mut self, address: Address) {
        let version = self.0.get(&address).map_or(0, |entry| entry.version.saturating_add(1));
        self.0.insert(address, Membership { version, removed: None });
    }

    /// Records a request to remove the node.
    pub fn remove(&mut self, address: Address, removal: Removal) {
        let version = self.0.get(&address).map_or(0, |entry| entry.version).saturating_add(1);
        self.0.insert(address, Membership { version, removed: Some(removal) });
    }

    /// Joins what another node knows; says whether anything changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (address, theirs) in &other.0 {
            let newer = self.0.get(address).is_none_or(|ours| theirs > ours);
            if newer {
                self.0.insert(*address, *theirs);
                changed = true;
            }
        }
        changed
    }

    /// A hash of these members and of who answers at the addresses: who has the same knows the same.
    pub(crate) fn hash(&self, identities: &BTreeMap<Address, Identity>) -> u64 {
        let mut hasher = blake3::Hasher::new();
        for (address, Membership { version, removed }) in &self.0 {
            hasher.update(format!("{address} {version} ").as_bytes());
            if let Some(Removal { identity, wall_ms }) = removed {
                hasher.update(format!("removed {wall_ms} ").as_bytes());
                identity.iter().for_each(|identity| identity.hash_into(&mut hasher));
            }
        }
        for (address, identity) in identities {
            hasher.update(format!("{address} ").as_bytes());
            identity.hash_into(&mut hasher);
        }
        let mut hash = [0; 8];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_be_bytes(hash)
    }
}

impl Identity {
    fn hash_into(&self, hasher: &mut blake3::Hasher) {
        let Self { incarnation, uuid, epoch } = self;
        hasher.update(format!("{incarnation} {uuid} {epoch} ").as_bytes());
    }
}
