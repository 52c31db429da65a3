//! What `down` removes.

use super::*;

#[test]
fn down_removes_the_nodes_then_the_network_and_keeps_the_data() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.nodes.truncate(2);
    observed.nodes[1].state = NodeState::Stopped;
    let down = removal(&[]);
    let plan = plan_removal(&down, &observed).expect("no conflict");
    assert_eq!(down.kept(&observed).len(), 7);
    let expected =
        ["stop node1", "remove node1", "remove node2", "remove network mynet"].map(|step| format!("{step}: asked for"));
    assert_eq!(lines(&plan), expected);
}

#[test]
fn by_force_nobody_is_stopped_first() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.nodes.truncate(2);
    let plan = plan_removal(&Removal { force: true, ..removal(&[]) }, &observed).expect("no conflict");
    assert_eq!(
        lines(&plan),
        ["remove node1", "remove node2", "remove network mynet"].map(|s| format!("{s}: asked for"))
    );
}

#[test]
fn a_node_that_has_ended_is_removed_too() {
    let observed = Observed { ended: vec!["node1".to_owned(), "node2".to_owned()], ..Observed::default() };
    let one = ["node2".to_owned()];
    let lines = |names| lines(&plan_removal(&removal(names), &observed).expect("no conflict"));
    assert_eq!(lines(&one), ["remove node2: asked for"]);
    assert_eq!(lines(&[]), ["remove node1: asked for", "remove node2: asked for"]);
}

#[test]
fn down_of_one_node_keeps_the_network() {
    let spec = spec();
    let names = ["node3".to_owned()];
    let observed = complete(&spec);
    let kept = removal(&names).kept(&observed).into_iter().map(|volume| volume.name.as_str()).collect::<Vec<_>>();
    assert_eq!(kept, ["kv-node3"]);
    let plan = plan_removal(&Removal { volumes: true, ..removal(&names) }, &complete(&spec)).expect("no conflict");
    let expected = ["stop node3", "remove node3", "remove volume kv-node3"].map(|step| format!("{step}: asked for"));
    assert_eq!(lines(&plan), expected);
}

#[test]
fn down_removes_the_barriers_before_their_nodes_and_those_that_have_none() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.nodes.truncate(1);
    let barrier = |node: &str| ObservedBarrier { node: node.to_owned(), id: format!("barrier-{node}") };
    observed.barriers = vec![barrier("node1"), barrier("node9")];
    let plan = plan_removal(&removal(&[]), &observed).expect("no conflict");
    let expected = [
        "remove the barrier of node1: asked for",
        "stop node1: asked for",
        "remove node1: asked for",
        "remove the barrier of node9: asked for",
    ];
    assert_eq!(lines(&plan)[..4], expected);
    // Of the others, node1 stays cut when it comes back.
    let one = ["node1".to_owned()];
    let plan = plan_removal(&removal(&one), &observed).expect("no conflict");
    assert_eq!(lines(&plan), ["stop node1: asked for", "remove node1: asked for"]);
}

#[test]
fn only_objects_of_the_project_are_removed() {
    let spec = spec();
    let mut observed = Observed { image: complete(&spec).image, ..Observed::default() };
    observed.networks = vec![
        ObservedNetwork { project: None, ..network(&spec) },
        ObservedNetwork { project: Some("kv2".to_owned()), ..network(&spec) },
    ];
    observed.others = vec![OtherContainer { id: "x".to_owned(), name: "node1".to_owned(), project: None, node: None }];
    observed.volumes = vec![volume("kv-node1", None, None)];
    let all = Removal { volumes: true, ..removal(&[]) };
    assert!(plan_removal(&all, &observed).expect("no conflict").is_empty());
    // The image goes only when it was made from our Dockerfile.
    let with_image = Removal { image: Some("assignment4-img"), ..all };
    let plan = plan_removal(&with_image, &observed).expect("no conflict");
    assert!(matches!(plan.last[..], [Step { operation: Operation::RemoveImage { .. }, .. }]));
    observed.image = Some(ObservedImage { content: None, ours: false, ..image() });
    assert!(plan_removal(&with_image, &observed).expect("no conflict").is_empty());
}

#[test]
fn a_strangers_container_on_our_network_is_a_conflict_before_anything_is_removed() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.networks[0].members = vec![("node1".to_owned(), None), ("stranger".to_owned(), None)];
    let conflicts = plan_removal(&removal(&[]), &observed).expect_err("a conflict");
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].free_with, "docker network disconnect -f 0123456789ab stranger");
}
