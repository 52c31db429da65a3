//! Who takes part in a change of cuts, and what each barrier is told.

use super::*;

fn node(number: u8) -> ObservedNode {
    let address = Some(Ipv4Addr::new(10, 0, 0, number));
    ObservedNode { state: NodeState::Running, address, ..ObservedNode::gone(&format!("node{number}")) }
}

fn barrier(number: u8, cuts: &[u8], peers: &[u8]) -> Barrier {
    let map = |numbers: &[u8]| numbers.iter().map(|n| (format!("node{n}"), Ipv4Addr::new(10, 0, 0, *n))).collect();
    let config = BarrierConfig { cuts: map(cuts), peers: map(peers) };
    Barrier { node: format!("node{number}"), id: String::new(), is_running: true, config }
}

fn cut(from: u8, to: u8) -> Cut {
    Cut::new(&format!("node{from}"), &format!("node{to}"))
}

#[test]
fn both_ends_of_a_cut_take_part_and_nobody_else() {
    let nodes = [node(1), node(2), node(3)];
    let sides = sides(&nodes, &[], &BTreeSet::from([cut(1, 2)])).expect("all are there");
    assert_eq!(sides.iter().map(|side| side.node.name.as_str()).collect::<Vec<_>>(), ["node1", "node2"]);
    assert_eq!(sides[0].config, barrier(1, &[2], &[2]).config);
    assert_eq!(sides[1].config, barrier(2, &[], &[1]).config);
    assert!(sides.iter().all(|side| !side.leaves));
}

#[test]
fn who_was_cut_before_takes_part_once_more() {
    let nodes = [node(1), node(2), node(3)];
    let old = [barrier(1, &[2], &[2]), barrier(2, &[], &[1])];
    let sides = sides(&nodes, &old, &BTreeSet::from([cut(1, 3)])).expect("all are there");
    assert_eq!(sides.iter().map(|side| side.leaves).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(sides[0].config, barrier(1, &[3], &[2, 3]).config);
    // node3 would not be heard by node2's old barrier.
    assert!(!sides[1].is_opened_by_asking(&old[1]));
}

#[test]
fn whoever_leaves_a_partition_is_opened_by_asking() {
    let (nodes, old) = ([node(1), node(2)], [barrier(1, &[2], &[2]), barrier(2, &[1], &[1])]);
    let sides = sides(&nodes, &old, &BTreeSet::new()).expect("all are there");
    assert!(sides.iter().zip(&old).all(|(side, barrier)| side.leaves && side.is_opened_by_asking(barrier)));
}

#[test]
fn a_barrier_whose_node_is_gone_does_not_stand_in_the_way() {
    let old = [barrier(1, &[2], &[2]), barrier(2, &[1], &[1])];
    let nodes = [node(1)];
    let sides = sides(&nodes, &old, &BTreeSet::new()).expect("nothing is wanted");
    assert_eq!(sides.len(), 1);
    assert!(super::sides(&nodes, &old, &BTreeSet::from([cut(1, 2)])).is_err());
}
