//! What `up` does.

use super::*;

#[test]
fn from_nothing_everything_is_made() {
    let spec = spec();
    let mut desired = desired(&spec);
    desired.nodes.truncate(1);
    let expected = [
        "build the image: the image is missing",
        "create the network: the network is missing",
        "create volume kv-node1: the volume is missing",
        "create node1: the node is missing",
        "start node1: the node is missing",
    ];
    assert_eq!(planned(&desired, &Observed::default()), expected);
}

#[test]
fn what_is_complete_needs_nothing() {
    let spec = spec();
    assert!(plan(&desired(&spec), &complete(&spec)).expect("no conflict").is_empty());
}

#[test]
fn processes_need_no_network_and_no_container() {
    let spec = spec();
    let mut desired = Desired { addressing: Addressing::Loopback, ..desired(&spec) };
    desired.nodes.truncate(1);
    let observed = Observed { image: complete(&spec).image, ..Observed::default() };
    let expected = ["create volume kv-node1: the volume is missing", "start node1: the node is missing"];
    assert_eq!(planned(&desired, &observed), expected);
}

#[test]
fn only_what_differs_is_changed_and_the_cause_says_what() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.nodes[0].state = NodeState::Stopped;
    observed.nodes[1].state = NodeState::Paused;
    observed.nodes[2].image = "image0".to_owned();
    observed.nodes[3].host_port = Some(9085);
    let recreated = |name: &str, cause: &str| {
        ["stop", "remove", "create", "start"].map(|verb| format!("{verb} {name}: {cause}")).to_vec()
    };
    let mut expected =
        vec!["start node1: the node is not running".to_owned(), "resume node2: the node is paused".to_owned()];
    expected.extend(recreated("node3", "the image differs"));
    expected.extend(recreated("node4", "host port 9085 → 8085"));
    assert_eq!(planned(&desired(&spec), &observed), expected);
}

#[test]
fn another_secret_makes_all_nodes_anew_and_no_plan_tells_it() {
    let before = spec();
    let secret = |text: &str| {
        let file = format!("secret: {text}\n{}", include_str!("../../../../cluster.yaml"));
        ClusterSpec::parse(&file, "f", None).expect("valid")
    };
    let (one, other) = (secret("hush-one"), secret("hush-other"));
    let launch = Launch::of(&one, &one.nodes[6], Addressing::Network);
    let label = serde_json::to_string(&launch.config).expect("a label");
    assert!(!label.contains("hush"), "{label}");
    assert_eq!(launch.env["CLUSTER_SECRET"], "hush-one");
    for (was, wanted) in [(&before, &one), (&one, &other), (&one, &before)] {
        let steps = planned(&desired(wanted), &complete(was));
        assert_eq!(steps.len(), 4 * 7, "{steps:?}");
        assert!(steps.iter().all(|step| step.ends_with(": secret differs")), "{steps:?}");
        // One by one they would not know each other.
        assert!(plan(&desired(wanted), &complete(was)).expect("no conflict").rolling.is_empty());
    }
    assert!(plan(&desired(&one), &complete(&one)).expect("no conflict").is_empty());
}

#[test]
fn changed_sources_rebuild_the_image_and_make_the_nodes_anew() {
    let spec = spec();
    let mut desired = desired(&spec);
    desired.content = Some("other");
    desired.nodes.truncate(1);
    let mut expected = vec!["build the image: the sources changed".to_owned()];
    expected.extend(["stop", "remove", "create", "start"].map(|verb| format!("{verb} node1: the sources changed")));
    assert_eq!(planned(&desired, &complete(&spec)), expected);
}

#[test]
fn a_plain_docker_builds_image_is_built_again_with_our_label() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.image = Some(ObservedImage { content: None, ..image() });
    let plan = plan_build(&desired(&spec), &observed);
    assert_eq!(lines(&plan), ["build the image: the image was not built by this tool"]);
}

#[test]
fn a_changed_node_list_or_shard_count_recreates_nobody() {
    let old = spec();
    let mut new = spec();
    new.shards = Some(3);
    new.nodes.remove(0);
    let plan = plan(&desired(&new), &complete(&old)).expect("no conflict");
    assert!(plan.is_empty(), "{:?}", lines(&plan));
    assert_eq!(plan.notes, ["node1 is running but not in the file; `orchestrator remove node1` removes it"]);
}

#[test]
fn node_makes_a_node_anew_although_nothing_differs() {
    let spec = spec();
    let mut desired = Desired { recreate: true, ..desired(&spec) };
    desired.nodes.truncate(1);
    let expected = ["stop", "remove", "create", "start"].map(|verb| format!("{verb} node1: asked for"));
    assert_eq!(planned(&desired, &complete(&spec)), expected);
}

#[test]
fn nodes_that_serve_are_made_anew_one_after_the_other_and_the_others_at_once() {
    let spec = spec();
    let mut observed = complete(&spec);
    observed.image = observed.image.map(|image| ObservedImage { id: "image2".to_owned(), ..image });
    observed.nodes[0].state = NodeState::Stopped;
    let rolled = plan(&desired(&spec), &observed).expect("no conflict");
    let names = rolled.rolling.iter().map(|steps| steps[0].to_string());
    let expected = (2..=7).map(|number| format!("stop node{number}: the image differs"));
    assert_eq!(names.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(rolled.nodes.keys().collect::<Vec<_>>(), ["node1"]);
    // Nobody is served by the others of one that runs alone.
    observed.nodes[2..].iter_mut().for_each(|node| node.state = NodeState::Stopped);
    assert!(plan(&desired(&spec), &observed).expect("no conflict").rolling.is_empty());
}
