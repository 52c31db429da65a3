//! Which ways between nodes are cut by which fault. Pure.

use super::kind::Kind;

/// From whom, to whom.
type Way = (usize, usize);

/// The ways that this fault cuts among `count` nodes; `nodes` are those of the plan.
pub(super) fn ways(kind: Kind, nodes: &[usize], count: usize) -> Vec<Way> {
    let (first, heard) = match (kind, nodes) {
        (Kind::Bridge, [bridge, first @ ..]) => (first, Some(*bridge)),
        _ => (nodes, None),
    };
    let second = (0..count).filter(|node| !first.contains(node) && heard != Some(*node));
    let forth = second.flat_map(|other| first.iter().map(move |node| (*node, other)));
    match kind {
        Kind::OneWay => forth.collect(),
        _ => forth.flat_map(|(one, other)| [(one, other), (other, one)]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_do_not_hear_each_other() {
        assert_eq!(ways(Kind::Partition, &[0, 2], 3), [(0, 1), (1, 0), (2, 1), (1, 2)]);
        assert_eq!(ways(Kind::Isolate, &[1], 3), [(1, 0), (0, 1), (1, 2), (2, 1)]);
    }

    #[test]
    fn one_way_is_cut_in_one_direction() {
        assert_eq!(ways(Kind::OneWay, &[0, 2], 3), [(0, 1), (2, 1)]);
    }

    #[test]
    fn a_bridge_is_cut_off_from_nobody() {
        assert_eq!(ways(Kind::Bridge, &[2, 0], 4), [(0, 1), (1, 0), (0, 3), (3, 0)]);
    }
}
