//! What stands in the way of `up`, and with what it goes away.

use super::*;

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
fn a_route_of_the_host_into_a_subnet_that_is_to_be_made_is_in_the_way() {
    let spec = spec();
    let route = |subnet: &str| Route { subnet: subnet.parse().expect("a subnet"), interface: "tun0".to_owned() };
    let of = |routes: &[&str], networks: Vec<ObservedNetwork>| Observed {
        routes: routes.iter().map(|subnet| route(subnet)).collect(),
        networks,
        ..complete(&spec)
    };
    let expected = "subnet 10.10.0.0/16 is taken by this host's route to 10.10.5.0/24 by tun0; to free it: \
                    sudo ip route del 10.10.5.0/24 dev tun0 (or take another subnet with --subnet auto)";
    let found = conflicts(&desired(&spec), &of(&["172.17.0.0/16", "10.10.5.0/24", "10.0.0.0/8"], Vec::new()));
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    assert!(plan_subnet(&desired(&spec), &of(&["10.10.0.0/16"], Vec::new())).is_err());
    // The bridge of a network is told of as a network, and our own is in nobody's way, nor is what comes later.
    let foreign = ObservedNetwork { project: None, ..network(&spec) };
    assert_eq!(conflicts(&desired(&spec), &of(&["10.10.0.0/16"], vec![foreign])).len(), 1);
    assert!(plan(&desired(&spec), &of(&["10.10.0.0/16", "10.10.5.0/24"], vec![network(&spec)])).is_ok());
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
    let image = Some(ObservedImage { content: None, ours: false, ..image() });
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
