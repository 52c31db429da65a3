//! The choice of a subnet: of the private ranges, the one that is seldom used first.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::ring::Ring;
use crate::spec::{ClusterSpec, overlap};

/// Private addresses, and how far they are handed out.
struct Pool {
    start: Ipv4Addr,
    ring: Ring,
}

static POOLS: [Pool; 2] = pools();

/// 10.0.0.0/8, then 172.16.0.0/12.
const fn pools() -> [Pool; 2] {
    [
        Pool { start: Ipv4Addr::new(10, 0, 0, 0), ring: Ring::new(1 << 24) },
        Pool { start: Ipv4Addr::new(172, 16, 0, 0), ring: Ring::new(1 << 20) },
    ]
}

/// In a smaller subnet `add` would soon find no address.
const SMALLEST: u8 = 24;

/// A subnet with this prefix that overlaps none of `taken`, and that this process was not given before.
pub(super) fn free(length: u8, taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    free_in(&POOLS, length, taken)
}

fn free_in(pools: &[Pool], length: u8, taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    let size = 1_u32.checked_shl(32 - u32::from(length))?;
    let subnets = pools.iter().flat_map(|pool| {
        let addresses = pool.ring.turn(size).map(|start| Ipv4Addr::from(u32::from(pool.start) + start));
        addresses.filter_map(|address| Ipv4Net::new(address, length).ok())
    });
    first_free(subnets, taken)
}

fn first_free(mut subnets: impl Iterator<Item = Ipv4Net>, taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    subnets.find(|subnet| !taken.iter().any(|other| overlap(subnet, other)))
}

/// The prefix of the smallest subnet in which every node keeps its distance from the start.
pub(super) fn least(spec: &ClusterSpec) -> u8 {
    let own = spec.network.subnet.prefix_len();
    let fits = |length: &u8| {
        let subnet = Ipv4Net::new(spec.network.subnet.network(), *length);
        subnet.is_ok_and(|subnet| spec.clone().moved_to(subnet).is_ok())
    };
    (own..=SMALLEST).rev().find(fits).unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::locate;

    fn subnets(text: &str) -> Vec<Ipv4Net> {
        text.split(' ').map(|word| word.parse().expect(word)).collect()
    }

    #[test]
    fn what_overlaps_anything_is_passed_over() {
        let candidates = subnets("10.1.0.0/16 10.2.0.0/16 10.3.0.0/16 10.4.0.0/16");
        let choice = |taken: &str| first_free(candidates.iter().copied(), &subnets(taken)).map(|s| s.to_string());
        assert_eq!(choice("172.17.0.0/16").as_deref(), Some("10.1.0.0/16"));
        // A part of one is in its way, and so is what contains it.
        assert_eq!(choice("10.1.7.0/24 10.2.0.0/15").as_deref(), Some("10.4.0.0/16"));
        assert_eq!(choice("10.0.0.0/8"), None);
    }

    #[test]
    fn the_second_range_is_for_when_the_first_is_taken() {
        let free = |length, taken: &str| free_in(&pools(), length, &subnets(taken));
        assert!(subnets("10.0.0.0/8")[0].contains(&free(24, "192.168.0.0/16").expect("one")));
        assert!(subnets("172.16.0.0/12")[0].contains(&free(24, "10.0.0.0/8").expect("one")));
        assert_eq!(free(24, "0.0.0.0/0"), None);
        assert_eq!(free(7, "192.168.0.0/16"), None);
        assert_eq!(free(0, "192.168.0.0/16"), None);
    }

    #[test]
    fn nobody_is_given_what_another_has() {
        let mut given = Vec::new();
        for length in [24, 16, 28, 24, 20, 16, 24] {
            let subnet = free(length, &[]).expect("one");
            assert!(!given.iter().any(|other| overlap(&subnet, other)), "{subnet} of {given:?}");
            given.push(subnet);
        }
    }

    #[test]
    fn the_least_subnet_still_has_a_place_for_every_node() {
        let mut spec = locate(None, std::path::Path::new("/")).expect("built-in").spec;
        assert_eq!(least(&spec), 24);
        spec.nodes[6].address = Ipv4Addr::new(10, 10, 3, 8);
        assert_eq!(least(&spec), 21);
        let small = locate(None, std::path::Path::new("/")).expect("built-in").spec;
        assert_eq!(least(&small.moved_to(subnets("10.77.3.0/27")[0]).expect("fits")), 27);
    }
}
