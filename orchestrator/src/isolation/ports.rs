//! The choice of host ports: a block of consecutive ones, so that a node that is there tells where all others belong.

use std::collections::{BTreeMap, BTreeSet};

use super::ring::Ring;
use crate::runtime::is_port_taken;

/// Below it people choose ports themselves.
const START: u16 = 20_000;
/// From here on kernels hand out ports: to connections, and in each container to Docker's resolver, so that a node that
/// listens there too may find its port taken.
pub(crate) const FIRST_EPHEMERAL_PORT: u16 = 32_768;
/// Ports after the nodes of the file, for those that `add` brings.
const SPARE: usize = 8;

static BLOCKS: Ring = Ring::new((FIRST_EPHEMERAL_PORT - START) as u32);

/// As many consecutive ports as there are nodes, on which nothing listens and which this process was not given before.
pub(super) fn free(nodes: usize) -> Option<Vec<u16>> {
    let size = u32::try_from(nodes + SPARE).ok()?;
    let mut blocks = BLOCKS.turn(size).filter_map(|start| Some(block(START + u16::try_from(start).ok()?, nodes)));
    blocks.find(|block| !block.iter().any(|port| is_port_taken(*port)))
}

fn block(first: u16, nodes: usize) -> Vec<u16> {
    (first..).take(nodes).collect()
}

/// The ports of all nodes `names` when some of them are there with the ports `held`: theirs, and for each other its place
/// in the block, or where another node has that, the next.
pub(super) fn beside(names: &[&str], held: &BTreeMap<&str, u16>) -> Option<Vec<u16>> {
    let first = names.iter().zip(0..).find_map(|(name, index)| Some(held.get(name)?.saturating_sub(index).max(1)))?;
    let mut taken: BTreeSet<u16> = held.values().copied().collect();
    let mut choose = |(name, index): (&&str, u16)| {
        let port = held
            .get(name)
            .copied()
            .or_else(|| (first.saturating_add(index)..=u16::MAX).find(|port| !taken.contains(port)))?;
        taken.insert(port);
        Some(port)
    };
    names.iter().zip(0..).map(&mut choose).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn beside_of(held: &[(&'static str, u16)]) -> Option<Vec<u16>> {
        beside(&NAMES, &held.iter().copied().collect())
    }

    #[test]
    fn from_nothing_no_block_is_known() {
        assert_eq!(beside_of(&[]), None);
        assert_eq!(beside_of(&[("added", 20_004)]), None);
    }

    #[test]
    fn a_node_that_is_there_keeps_its_port_and_tells_those_of_the_others() {
        assert_eq!(beside_of(&[("c", 20_002)]), Some(vec![20_000, 20_001, 20_002, 20_003]));
        assert_eq!(beside_of(&[("a", 8082), ("c", 9000)]), Some(vec![8082, 8083, 9000, 8085]));
    }

    #[test]
    fn a_place_that_another_node_has_goes_to_nobody_else() {
        assert_eq!(beside_of(&[("a", 20_000), ("added", 20_003)]), Some(vec![20_000, 20_001, 20_002, 20_004]));
        assert_eq!(beside_of(&[("a", u16::MAX)]), None);
    }

    #[test]
    fn free_ports_are_free_and_nobody_elses() {
        let (one, other) = (free(7).expect("ports"), free(7).expect("ports"));
        assert!(
            one.iter().all(|port| (START..FIRST_EPHEMERAL_PORT).contains(port) && !other.contains(port)),
            "{one:?} {other:?}"
        );
        let _all: Vec<TcpListener> =
            one.iter().map(|port| TcpListener::bind(("127.0.0.1", *port)).expect("a free port")).collect();
        assert_eq!(free(usize::from(FIRST_EPHEMERAL_PORT - START)), None);
    }
}
