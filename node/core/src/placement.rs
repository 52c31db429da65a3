//! Where data should be: slots → shards → nodes. Totally ordered, so that concurrent ones merge by the higher winning.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Address, SLOTS, SlotId};

/// The name of a shard, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId(pub u32);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The order of placements: number, then proposer, then content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlacementId {
    /// 0 for a first placement nobody asked for (no `SHARD_COUNT`), 1 for one with `SHARD_COUNT`, then one more each time.
    pub number: u64,
    /// The proposer's address as a number; of a first placement its count of members, so that the fuller view wins.
    pub proposer: u128,
    /// Hash of the content.
    pub hash: u64,
}

/// The members of one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its name.
    pub id: ShardId,
    /// In numeric order.
    pub members: Vec<Address>,
}

/// A total assignment of slots to shards and of nodes to shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Placement {
    id: PlacementId,
    shards: Vec<Shard>,
    /// Shard of each slot, [`SLOTS`] of them.
    slots: Vec<ShardId>,
}

/// A placement as it arrives: from a peer, or from a disk.
#[derive(Deserialize)]
struct Unchecked {
    id: PlacementId,
    shards: Vec<Shard>,
    slots: Vec<ShardId>,
}

impl TryFrom<Unchecked> for Placement {
    type Error = &'static str;

    fn try_from(Unchecked { id, shards, slots }: Unchecked) -> Result<Self, Self::Error> {
        if !is_lawful(&shards, &slots) {
            return Err("not a placement: some slot has no shard, or some shard too few members");
        }
        Ok(Self { id, shards, slots })
    }
}

/// Invariant 8: every slot has a shard, and every shard two members at least, but for a cluster of one node.
fn is_lawful(shards: &[Shard], slots: &[ShardId]) -> bool {
    let nodes: usize = shards.iter().map(|shard| shard.members.len()).sum();
    shards.iter().all(|shard| shard.members.len() >= 2 || nodes == 1)
        && slots.len() == SLOTS
        && slots.iter().all(|slot| shards.iter().any(|shard| shard.id == *slot))
}

/// Why a placement cannot be changed as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacementError {
    /// A shard would be left with fewer than two live nodes.
    NotEnoughNodes,
    /// The node already is a member of the shard.
    AlreadyThere,
    /// There is no such shard.
    NoSuchShard,
}

impl Placement {
    /// The first placement: a pure function of the sorted view and the number of shards, so that nobody has to elect
    /// anybody. Members and slots are contiguous ranges whose sizes differ by at most one.
    ///
    /// Without a number it is one shard of all nodes, and any placement that somebody asked for stands above it.
    ///
    /// # Panics
    /// When `view` is empty.
    #[must_use]
    pub fn bootstrap(view: &[Address], shard_count: Option<u32>) -> Self {
        let mut nodes = view.to_vec();
        nodes.sort_unstable();
        nodes.dedup();
        assert!(!nodes.is_empty(), "a placement needs a node");
        let count = (shard_count.unwrap_or(1) as usize).clamp(1, (nodes.len() / 2).max(1));
        let shards = (0..count)
            .map(|index| Shard {
                id: shard_id(index),
                members: nodes[index * nodes.len() / count..(index + 1) * nodes.len() / count].to_vec(),
            })
            .collect();
        let slots = (0..SLOTS).map(|slot| shard_id(slot * count / SLOTS)).collect();
        Self::seal(u64::from(shard_count.is_some()), nodes.len() as u128, shards, slots)
    }

    /// The placement in which `address` is a member of `shard`, and of no other.
    ///
    /// # Errors
    /// [`PlacementError`], with `live` deciding who counts.
    pub fn with_member(
        &self,
        shard: ShardId,
        address: Address,
        live: &[Address],
        proposer: Address,
    ) -> Result<Self, PlacementError> {
        if !self.shards.iter().any(|other| other.id == shard) {
            return Err(PlacementError::NoSuchShard);
        }
        match self.shard_of(address) {
            Some(current) if current == shard => return Err(PlacementError::AlreadyThere),
            Some(current) => {
                let left = self.members(current).iter().filter(|node| **node != address && live.contains(node)).count();
                if left < 2 {
                    return Err(PlacementError::NotEnoughNodes);
                }
            }
            None => {}
        }
        let mut shards = self.shards.clone();
        for other in &mut shards {
            other.members.retain(|node| *node != address);
            if other.id == shard {
                other.members.push(address);
                other.members.sort_unstable();
            }
        }
        Ok(Self::seal(self.next_number(), address_rank(proposer), shards, self.slots.clone()))
    }

    /// The placement with `count` shards of the live nodes: members and slots stay where possible, sizes differ by at most
    /// one, and only the surplus moves.
    ///
    /// # Errors
    /// [`PlacementError::NotEnoughNodes`] with fewer than two live nodes a shard.
    pub fn reshard(&self, count: u32, live: &[Address], proposer: Address) -> Result<Self, PlacementError> {
        let count = count as usize;
        let mut live = live.to_vec();
        live.sort_unstable();
        live.dedup();
        if count == 0 || live.len() / 2 < count || count > SLOTS {
            return Err(PlacementError::NotEnoughNodes);
        }
        let ids: Vec<ShardId> = (0..count).map(shard_id).collect();
        let nodes = spread(&ids, &live, |node| self.shard_of(*node));
        let all_slots: Vec<SlotId> = SlotId::all().collect();
        let slots_by_shard = spread(&ids, &all_slots, |slot| Some(self.shard(*slot)));
        let mut slots = vec![ShardId(0); SLOTS];
        for (id, owned) in ids.iter().zip(slots_by_shard) {
            for slot in owned {
                slots[slot.index()] = *id;
            }
        }
        let shards = ids.into_iter().zip(nodes).map(|(id, members)| Shard { id, members }).collect();
        Ok(Self::seal(self.next_number(), address_rank(proposer), shards, slots))
    }

    /// Its place in the order of placements.
    #[must_use]
    pub fn id(&self) -> PlacementId {
        self.id
    }

    /// The shards, ascending by id.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard of a slot.
    #[must_use]
    pub fn shard(&self, slot: SlotId) -> ShardId {
        self.slots[slot.index()]
    }

    /// The slots of a shard, ascending.
    pub fn slots(&self, shard: ShardId) -> impl Iterator<Item = SlotId> + '_ {
        SlotId::all().filter(move |slot| self.shard(*slot) == shard)
    }

    /// The members of a shard; empty when there is no such shard.
    #[must_use]
    pub fn members(&self, shard: ShardId) -> &[Address] {
        self.shards.iter().find(|other| other.id == shard).map_or(&[], |shard| &shard.members)
    }

    /// The nodes that own a slot.
    #[must_use]
    pub fn owners(&self, slot: SlotId) -> &[Address] {
        self.members(self.shard(slot))
    }

    /// The shard that a node is in.
    #[must_use]
    pub fn shard_of(&self, address: Address) -> Option<ShardId> {
        self.shards.iter().find(|shard| shard.members.contains(&address)).map(|shard| shard.id)
    }

    fn next_number(&self) -> u64 {
        self.id.number.max(1).saturating_add(1)
    }

    /// Computes the hash and asserts invariant 8.
    fn seal(number: u64, proposer: u128, shards: Vec<Shard>, slots: Vec<ShardId>) -> Self {
        assert!(is_lawful(&shards, &slots), "invariant 8: {shards:?}");
        let mut hasher = blake3::Hasher::new();
        for shard in &shards {
            hasher.update(&shard.id.0.to_be_bytes());
            for member in &shard.members {
                hasher.update(&address_rank(*member).to_be_bytes());
            }
        }
        for slot in &slots {
            hasher.update(&slot.0.to_be_bytes());
        }
        let mut hash = [0; 8];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self { id: PlacementId { number, proposer, hash: u64::from_be_bytes(hash) }, shards, slots }
    }
}

fn shard_id(index: usize) -> ShardId {
    ShardId(index as u32 + 1)
}

/// An address as a number, in the order of addresses: IPv4 below IPv6, then by ip, then by port.
fn address_rank(address: Address) -> u128 {
    let ip = match address.ip() {
        std::net::IpAddr::V4(ip) => u128::from(u32::from(ip)),
        std::net::IpAddr::V6(ip) => u128::from(ip).max(1 << 32),
    };
    (ip << 16) | u128::from(address.port())
}

/// Distributes `items` over `bins` with sizes that differ by at most one. An item stays in its `current` bin unless that one
/// is gone or over its size; the fullest bins get the larger sizes, so that the fewest items move.
fn spread<T: Copy + Ord>(bins: &[ShardId], items: &[T], current: impl Fn(&T) -> Option<ShardId>) -> Vec<Vec<T>> {
    let mut kept: Vec<Vec<T>> = vec![Vec::new(); bins.len()];
    let mut moving = Vec::new();
    for item in items {
        match current(item).and_then(|id| bins.iter().position(|bin| *bin == id)) {
            Some(bin) => kept[bin].push(*item),
            None => moving.push(*item),
        }
    }
    let mut by_fullness: Vec<usize> = (0..bins.len()).collect();
    by_fullness.sort_by_key(|bin| (std::cmp::Reverse(kept[*bin].len()), *bin));
    let mut sizes = vec![items.len() / bins.len(); bins.len()];
    for bin in by_fullness.into_iter().take(items.len() % bins.len()) {
        sizes[bin] += 1;
    }
    for (bin, size) in kept.iter_mut().zip(&sizes) {
        moving.extend(bin.drain((*size).min(bin.len())..));
    }
    moving.sort_unstable();
    let mut moving = moving.into_iter();
    for (bin, size) in kept.iter_mut().zip(&sizes) {
        bin.extend(moving.by_ref().take(size - bin.len()));
        bin.sort_unstable();
    }
    kept
}
