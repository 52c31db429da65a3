//! What a replica has of a slot: for every origin, the length of the prefix of its writes.

use std::cmp::Ordering;

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::Origin;

/// A version vector of one slot. Partially ordered by [`covers`](Self::covers); [`merge`](Self::merge) is its least upper
/// bound, [`meet`](Self::meet) its greatest lower bound. An origin that is absent stands at 0, and none is stored at 0, so
/// equal vectors are equal values. Sorted in one allocation, since origins are few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Origin, u64)>")]
pub struct Frontier(LiteMap<Origin, u64>);

impl Frontier {
    /// Nothing at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many of `origin`'s writes are covered.
    #[must_use]
    pub fn get(&self, origin: Origin) -> u64 {
        self.0.get(&origin).copied().unwrap_or(0)
    }

    /// Raises `origin` to `seq`; never lowers it.
    pub fn raise(&mut self, origin: Origin, seq: u64) {
        match self.0.get_mut(&origin) {
            Some(old) => *old = seq.max(*old),
            None if seq > 0 => drop(self.0.insert(origin, seq)),
            None => {}
        }
    }

    /// Lowers every origin to what `keep` returns for it, 0 to drop it; says whether that lowered anything.
    pub(crate) fn lower(&mut self, mut keep: impl FnMut(Origin, u64) -> u64) -> bool {
        let mut lowered = false;
        for (origin, seq) in self.0.iter_mut() {
            let kept = keep(*origin, *seq).min(*seq);
            lowered |= kept < *seq;
            *seq = kept;
        }
        self.0.retain(|_, seq| *seq > 0);
        lowered
    }

    /// Whether everything in `other` is in `self`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|(origin, seq)| self.get(origin) >= seq)
    }

    /// Raises `self` to the least upper bound of both.
    pub fn merge(&mut self, other: &Self) {
        for (origin, seq) in other.iter() {
            self.raise(origin, seq);
        }
    }

    /// The greatest lower bound of both.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let mut meet = self.clone();
        meet.lower(|origin, _| other.get(origin));
        meet
    }

    /// Whether nothing is covered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of origins.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The origins and their prefix lengths, in order of origin.
    pub fn iter(&self) -> impl Iterator<Item = (Origin, u64)> + '_ {
        self.0.iter().map(|(origin, seq)| (*origin, *seq))
    }
}

impl FromIterator<(Origin, u64)> for Frontier {
    fn from_iter<I: IntoIterator<Item = (Origin, u64)>>(entries: I) -> Self {
        let mut frontier = Self::new();
        for (origin, seq) in entries {
            frontier.raise(origin, seq);
        }
        frontier
    }
}

/// What was read, in any order. Not as a map: its reader would take room for as many origins as a peer says that there are.
impl From<Vec<(Origin, u64)>> for Frontier {
    fn from(mut entries: Vec<(Origin, u64)>) -> Self {
        entries.sort_unstable();
        entries.into_iter().collect()
    }
}

impl PartialOrd for Frontier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.covers(other), other.covers(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Frontier;
    use crate::{Origin, Token};

    #[test]
    fn a_map_of_the_same_origins_has_the_same_bytes_and_order_and_zeros_do_not_matter() {
        let origin = |uuid| Origin { uuid, epoch: 7 };
        let map = BTreeMap::from([(origin(1), 300_u64), (origin(2), 5), (origin(u64::MAX), 1)]);
        let frontier: Frontier = map.clone().into_iter().collect();
        assert_eq!(postcard::to_stdvec(&frontier).unwrap(), postcard::to_stdvec(&map).unwrap());
        let backwards: Vec<(Origin, u64)> = map.into_iter().rev().chain([(origin(3), 0)]).collect();
        let read: Frontier = postcard::from_bytes(&postcard::to_stdvec(&backwards).unwrap()).unwrap();
        assert_eq!(read, frontier);
    }

    #[test]
    fn a_length_that_is_made_up_takes_no_memory() {
        let length = postcard::to_stdvec(&(1_u64 << 40)).unwrap();
        assert!(postcard::from_bytes::<Frontier>(&length).is_err());
        assert!(postcard::from_bytes::<Token>(&[&[0, 0], &*length].concat()).is_err());
    }
}
