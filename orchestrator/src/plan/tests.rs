//! What is planned, without an engine.

use std::path::Path;

use super::{Desired, Operation, Plan, Removal, plan, plan_build, plan_removal, plan_subnet};
use crate::failure::Conflict;
use crate::launch::{Addressing, Launch};
use crate::observed::{
    NodeState, Observed, ObservedBarrier, ObservedImage, ObservedNetwork, ObservedNode, ObservedVolume, OtherContainer,
    TakenPort,
};
use crate::spec::{ClusterSpec, locate};

fn spec() -> ClusterSpec {
    locate(None, Path::new("/")).expect("built-in").spec
}

fn desired(spec: &ClusterSpec) -> Desired<'_> {
    let nodes = spec.nodes.iter().collect();
    Desired { spec, nodes, addressing: Addressing::Network, content: Some("hash"), recreate: false }
}

fn network(spec: &ClusterSpec) -> ObservedNetwork {
    ObservedNetwork {
        id: "0123456789abcdef".to_owned(),
        name: spec.network.name.clone(),
        subnets: vec![spec.network.subnet],
        project: Some(spec.name.clone()),
        members: Vec::new(),
    }
}

fn node(spec: &ClusterSpec, name: &str) -> ObservedNode {
    let wanted = spec.node(name).expect("in the file");
    ObservedNode {
        name: name.to_owned(),
        id: format!("id-{name}"),
        container: spec.container_name(name),
        state: NodeState::Running,
        image: "image1".to_owned(),
        config: Some(Launch::of(spec, wanted, Addressing::Network).config),
    }
}

fn volume(name: &str, project: Option<&str>, socket: Option<&str>) -> ObservedVolume {
    let socket = socket.map(|socket| socket.parse().expect("a socket"));
    ObservedVolume { name: name.to_owned(), project: project.map(str::to_owned), socket }
}

fn socket(spec: &ClusterSpec, name: &str) -> String {
    spec.container_socket(spec.node(name).expect("in the file")).to_string()
}

/// Everything as `up` leaves it.
fn complete(spec: &ClusterSpec) -> Observed {
    let names = spec.nodes.iter().map(|node| node.name.as_str());
    Observed {
        image: Some(ObservedImage { id: "image1".to_owned(), content: Some("hash".to_owned()), ours: true }),
        networks: vec![network(spec)],
        nodes: names.clone().map(|name| node(spec, name)).collect(),
        volumes: names.map(|name| volume(&format!("kv-{name}"), Some("kv"), Some(&socket(spec, name)))).collect(),
        ..Observed::default()
    }
}

/// One line per step: `create node1: the node is missing`.
fn lines(plan: &Plan) -> Vec<String> {
    let steps = plan.first.iter().chain(plan.nodes.values().flatten()).chain(&plan.last);
    steps.map(|step| format!("{}: {}", step.operation, step.cause)).collect()
}

fn planned(desired: &Desired<'_>, observed: &Observed) -> Vec<String> {
    lines(&plan(desired, observed).expect("no conflict"))
}

fn conflicts(desired: &Desired<'_>, observed: &Observed) -> Vec<Conflict> {
    plan(desired, observed).expect_err("a conflict")
}

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
    if let Some(config) = &mut observed.nodes[3].config {
        config.host_port = 9085;
        config.env.insert("A".to_owned(), "b".to_owned());
    }
    let recreated = |name: &str, cause: &str| {
        ["stop", "remove", "create", "start"].map(|verb| format!("{verb} {name}: {cause}")).to_vec()
    };
    let mut expected =
        vec!["start node1: the node is not running".to_owned(), "resume node2: the node is paused".to_owned()];
    expected.extend(recreated("node3", "the image differs"));
    expected.extend(recreated("node4", "host port 9085 → 8085, env differs"));
    assert_eq!(planned(&desired(&spec), &observed), expected);
}

#[test]
fn another_secret_makes_all_nodes_anew_and_no_plan_tells_it() {
    let before = spec();
    let secret = |text: &str| {
        let file = format!("secret: {text}\n{}", include_str!("../../../cluster.yaml"));
        ClusterSpec::parse(&file, "f", None).expect("valid")
    };
    let (one, other) = (secret("hush-one"), secret("hush-other"));
    let config = |spec: &ClusterSpec| serde_json::to_string(&node(spec, "node1").config).expect("a label");
    assert!(!config(&one).contains("hush"), "{}", config(&one));
    assert_eq!(Launch::of(&one, &one.nodes[6], Addressing::Network).env["CLUSTER_SECRET"], "hush-one");
    for (was, wanted) in [(&before, &one), (&one, &other), (&one, &before)] {
        let steps = planned(&desired(wanted), &complete(was));
        assert_eq!(steps.len(), 4 * 7, "{steps:?}");
        assert!(steps.iter().all(|step| step.ends_with(": secret differs")), "{steps:?}");
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
    observed.image = Some(ObservedImage { id: "image1".to_owned(), content: None, ours: true });
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
    assert_eq!(plan.notes, ["node1 is running but not in the file; `orchestrator down node1` removes it"]);
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
fn an_empty_network_of_ours_moves_and_one_in_use_is_a_conflict() {
    let spec = spec();
    let elsewhere = ObservedNetwork { subnets: vec!["10.20.0.0/16".parse().expect("a subnet")], ..network(&spec) };
    let mut observed = Observed { networks: vec![elsewhere], ..Observed::default() };
    let moved = lines(&plan_subnet(&desired(&spec), &observed).expect("no conflict"));
    assert_eq!(moved, ["remove network mynet: the subnet differs", "create the network: the subnet differs"]);
    observed.nodes = vec![node(&spec, "node1")];
    let conflicts = conflicts(&desired(&spec), &observed);
    assert_eq!(conflicts[0].free_with, "orchestrator down -p kv");
}

#[test]
fn a_foreign_network_in_the_way_is_named_with_the_command_that_removes_it() {
    let spec = spec();
    let foreign = ObservedNetwork { project: None, ..network(&spec) };
    let mut observed = Observed { networks: vec![foreign.clone()], ..Observed::default() };
    let expected = "subnet 10.10.0.0/16 is taken by network mynet (0123456789ab, 10.10.0.0/16); \
                    to free it: docker network rm 0123456789ab";
    assert_eq!(conflicts(&desired(&spec), &observed)[0].to_string(), expected);
    // A part of our subnet is in the way too, whatever its name, and its containers must go first.
    let part = ObservedNetwork {
        name: "web".to_owned(),
        subnets: vec!["10.10.5.0/24".parse().expect("a subnet")],
        members: vec![("nginx".to_owned(), None)],
        ..foreign.clone()
    };
    observed.networks = vec![part];
    assert_eq!(
        conflicts(&desired(&spec), &observed)[0].free_with,
        "docker rm -f nginx && docker network rm 0123456789ab"
    );
    // The same name elsewhere is ambiguous: Docker 20.10 would accept both.
    observed.networks = vec![ObservedNetwork { subnets: vec!["172.30.0.0/16".parse().expect("a subnet")], ..foreign }];
    assert_eq!(conflicts(&desired(&spec), &observed)[0].what, "network name mynet");
    // Elsewhere and of another name is nobody's business.
    observed.networks[0].name = "web".to_owned();
    assert!(plan(&desired(&spec), &observed).is_ok());
}

#[test]
fn foreign_containers_ports_addresses_and_volumes_are_conflicts() {
    let spec = spec();
    let other = |name: &str, project: Option<&str>| OtherContainer {
        id: "abcdefabcdefabcdef".to_owned(),
        name: name.to_owned(),
        project: project.map(str::to_owned),
        node: project.map(|_| name.to_owned()),
    };
    let mut network = network(&spec);
    network.members = vec![("intruder".to_owned(), Some("10.10.0.4".parse().expect("an address")))];
    let observed = Observed {
        networks: vec![network],
        others: vec![other("node1", None), other("node2", Some("kv2")), other("unrelated", None)],
        volumes: vec![volume("kv-node5", None, None), volume("kv-node7", Some("kv-b"), None)],
        ports: vec![TakenPort { port: 8087, owner: "process 7 (nginx)".to_owned(), free_with: "kill 7".to_owned() }],
        ..Observed::default()
    };
    let expected = [
        "container name node1 is taken by container abcdefabcdef, which is not ours; to free it: docker rm -f abcdefabcdef",
        "container name node2 is taken by container abcdefabcdef of project kv2; to free it: orchestrator down -p kv2 node2",
        "address 10.10.0.4 of node3 is taken by container intruder, which is not ours; \
         to free it: docker network disconnect -f 0123456789ab intruder",
        "volume name kv-node5 is taken by a volume that is not ours; to free it: docker volume rm kv-node5",
        "volume name kv-node7 is taken by a volume of project kv-b; to free it: docker volume rm kv-node7",
        "port 8087 of node6 on 127.0.0.1 is taken by process 7 (nginx); to free it: kill 7",
    ];
    let found: Vec<String> = conflicts(&desired(&spec), &observed).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
    // None of them matters to a node that is not asked for.
    let mut one = desired(&spec);
    one.nodes = vec![spec.node("node4").expect("in the file")];
    assert!(plan(&one, &observed).is_ok());
}

#[test]
fn data_of_another_address_is_a_conflict_with_the_way_out() {
    let spec = spec();
    let mut observed = complete(&spec);
    (observed.nodes, observed.networks) = (Vec::new(), Vec::new());
    assert!(plan(&desired(&spec), &observed).is_ok());
    observed.volumes[2].socket = Some("10.10.0.44:8080".parse().expect("a socket"));
    let found: Vec<String> = conflicts(&desired(&spec), &observed).iter().map(ToString::to_string).collect();
    let expected = "the volume of node3 at 10.10.0.4:8080 is taken by data of the node at 10.10.0.44:8080, which only a \
                    node with that address can go on with; to free it: orchestrator down -v -p kv node3";
    assert_eq!(found, [expected]);
    // The whole cluster has moved.
    let moved = spec.clone().moved_to("10.20.0.0/16".parse().expect("a subnet")).expect("it fits");
    let found = conflicts(&desired(&moved), &observed);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].what, "the volume of node1 and of 6 more at 10.20.0.2:8080");
    assert_eq!(found[0].free_with, "orchestrator down -v -p kv");
    // A process is known by its port.
    let loopback = Desired { addressing: Addressing::Loopback, ..desired(&spec) };
    let found = conflicts(&loopback, &observed);
    assert!(found[0].what.ends_with("at 127.0.0.1:8082"), "{found:?}");
    // Volumes of before there was data on them say nothing.
    observed.volumes.iter_mut().for_each(|volume| volume.socket = None);
    assert!(plan(&desired(&moved), &observed).is_ok());
}

#[test]
fn somebody_elses_image_gets_no_volume_and_meets_none() {
    let spec = spec();
    let mut desired = Desired { content: None, ..desired(&spec) };
    desired.nodes.truncate(1);
    let image = Some(ObservedImage { id: "image1".to_owned(), content: None, ours: false });
    let volumes = vec![volume("kv-node1", None, None)];
    let observed = Observed { image, volumes, networks: vec![network(&spec)], ..Observed::default() };
    assert_eq!(planned(&desired, &observed), ["create node1: the node is missing", "start node1: the node is missing"]);
}

#[test]
fn an_isolated_cluster_meets_only_containers_of_its_own_names() {
    let spec = spec().isolated_as("mine");
    let other =
        |name: &str| OtherContainer { id: "abcdef".to_owned(), name: name.to_owned(), project: None, node: None };
    let mut observed = Observed { others: vec![other("node1")], ..complete(&spec) };
    // Our own containers on our network are no strangers there, whatever their names.
    let members = spec.nodes.iter().map(|node| (spec.container_name(&node.name), Some(node.address)));
    observed.networks[0].members = members.collect();
    observed.volumes.iter_mut().for_each(|volume| volume.name = volume.name.replacen("kv", "mine", 1));
    observed.volumes.iter_mut().for_each(|volume| volume.project = Some("mine".to_owned()));
    assert!(plan(&desired(&spec), &observed).expect("no conflict").is_empty());
    assert!(plan_removal(&Removal { project: "mine", ..removal(&[]) }, &observed).is_ok());
    observed.others.push(other("mine-node2"));
    assert_eq!(conflicts(&desired(&spec), &observed)[0].what, "container name mine-node2");
}

fn removal(nodes: &[String]) -> Removal<'_> {
    Removal { project: "kv", nodes, cause: "asked for", ..Removal::default() }
}

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
    assert!(matches!(plan.last[..], [super::Step { operation: Operation::RemoveImage { .. }, .. }]));
    observed.image = Some(ObservedImage { id: "image1".to_owned(), content: None, ours: false });
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
