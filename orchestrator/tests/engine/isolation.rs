//! Many clusters beside each other on one engine.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::Scenario;
use crate::stage::{Sources, Stage, docker, fetch, put, run, status_of, urls};

pub(crate) const ALL: &[Scenario] = &[
    ("isolated_clusters_of_one_file_do_not_touch_each_other", side_by_side),
    ("isolated_clusters_that_start_at_once_find_a_place_each", at_once),
    ("a_free_subnet_is_found_beside_a_foreign_network", free_subnet),
    ("a_wiped_node_is_made_as_it_was_whatever_the_file_says", wiped),
];

/// It needs the machine alone: what is tested there has deadlines.
pub(crate) const CROWDED: &[Scenario] = &[("five_isolated_clusters_at_once_pass_their_tests_and_leave_nothing", five)];

fn stage() -> Stage {
    Stage::new("docker", Sources::Workspace, 2, 1)
}

/// Ids and names of the project's containers.
fn containers(project: &str) -> String {
    let label = format!("label=orchestrator.project={project}");
    docker(&["ps", "--no-trunc", "--filter", &label, "--format", "{{.ID}} {{.Names}}"])
}

fn side_by_side() {
    let mut stage = stage();
    let projects = ["a", "b"].map(|suffix| stage.beside(suffix));
    let command = |project: &str, command: &[&str]| {
        stage.run(&[&["--isolate", "-p", project, "--output", "json"], command].concat()).exits(0)
    };
    let [first, second] = projects.each_ref().map(|project| urls(&command(project, &["up"])));
    let [before, beside] = projects.each_ref().map(|project| containers(project));
    assert_eq!(before.lines().count(), 3);
    assert!(before.contains(&format!(" {}-{}", projects[0], stage.name(1))), "{before}");
    for (url, value) in [(&first[0], "first"), (&second[0], "second")] {
        put(url, "k", value);
    }

    let again = command(&projects[0], &["up"]).answers("\"changed\":false");
    assert_eq!(urls(&again), first);
    assert_eq!(projects.each_ref().map(|project| containers(project)), [before, beside.clone()]);
    // What is added finds its place too.
    command(&projects[0], &["add", stage.name(3)]).answers(&first[2]);
    command(&projects[0], &["add", &format!("{}-node4", stage.project)]).answers("\"changed\":true");
    command(&projects[0], &["status"]).answers(&first[0]);

    let own_subnet = || {
        let format = "{{(index .IPAM.Config 0).Subnet}}";
        docker(&["network", "inspect", "--format", format, &format!("{}-net", projects[0])])
    };
    let place = own_subnet();
    let down = |words: &[&str]| stage.run(&[&["--isolate", "-p", &projects[0], "down"], words].concat()).exits(0);
    let kept = format!("data kept: 4 volumes; remove with: orchestrator down -v -p {}\n", projects[0]);
    down(&[]).answers(&format!("removed 4 nodes, 1 network\n{kept}"));
    assert_eq!(status_of(&first[0]), None);
    // Its data brings it back to its place, where alone it can go on.
    command(&projects[0], &["up"]);
    assert_eq!(own_subnet(), place);
    down(&["-v"]).answers("removed 3 nodes, 1 network, 4 volumes\n");
    assert_eq!(containers(&projects[1]), beside);
    let (_, body) = fetch(&format!("{}/key-value-store/k", second[1])).expect("an answer");
    assert!(body.contains("\"value\":\"second\""), "{body}");
}

fn at_once() {
    let mut stage = stage();
    let projects = ["a", "b", "c"].map(|suffix| stage.beside(suffix));
    let up = |project: &String| {
        let mut command = stage.command(&["--isolate", "-p", project, "up"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a start")
    };
    let runs = projects.each_ref().map(up);
    for run in runs {
        let done = run.wait_with_output().expect("an end");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    for project in &projects {
        stage.run(&["--isolate", "-p", project, "status"]).exits(0).answers("agrees (3)");
    }
}

/// As the class's: six members in two shards, and a node without one.
fn five() {
    let mut stage = Stage::new("docker", Sources::Workspace, 6, 2);
    let projects = ["a", "b", "c", "d", "e"].map(|suffix| stage.beside(suffix));
    let stage = &stage;
    std::thread::scope(|scope| {
        for project in &projects {
            scope.spawn(move || {
                let command = |words: &[&str]| stage.run(&[&["--isolate", "-p", project], words].concat()).exits(0);
                command(&["up"]).answers("http://127.0.0.1:");
                command(&["test", "--attach", "--suite", "assignment4"]).answers(" 0 failed");
                command(&["down", "-v"]).answers("removed 7 nodes, 1 network, 7 volumes");
            });
        }
    });
    assert_eq!(projects.map(|project| containers(&project)), [""; 5]);
}

fn free_subnet() {
    let mut stage = stage();
    let name = format!("{}-mynet", stage.project);
    let subnet = stage.subnet.clone();
    stage.docker(&["network", "create", "--subnet", &subnet, &name], &["network", "rm", &name]);
    stage.run(&["up"]).exits(6).complains(&format!("subnet {subnet} is taken by network {name}"));
    stage.run(&["--subnet", "auto", "up"]).exits(0).answers(&stage.url(1));
    stage.run(&["--subnet", "auto", "up"]).exits(0).answers("up to date");
    let new = format!("{}-node4", stage.project);
    stage.run(&["--subnet", "auto", "add", &new]).exits(0).answers("shard 1");
    stage.run(&["--subnet", "auto", "status"]).exits(0).answers("agrees (4)");
    // Elsewhere, and as large as the file says.
    let own = docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", &stage.network()]);
    assert!(own != subnet && own.ends_with("/24"), "{own}");
    stage.run(&["--subnet", "auto", "down", "-v"]).exits(0).answers("removed 4 nodes, 1 network, 4 volumes");
    assert_eq!(run(std::process::Command::new("docker").args(["network", "inspect", &name])).code, 0);
}

/// The file has another subnet, other names, and by now another image.
fn wiped() {
    let mut stage = stage();
    let project = stage.beside("w");
    stage.run(&["--isolate", "-p", &project, "up"]).exits(0);
    let container = format!("{project}-{}", stage.name(1));
    let made = || {
        let format = "{{.Name}} {{.Image}} {{.Config.Image}} {{range .Config.Env}}{{println .}}{{end}}";
        let text = docker(&["inspect", "--format", format, &container]);
        text.lines().map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let before = made();
    stage.write("cluster.yaml", &stage.file(1).replace(&stage.image(), "nobodys-image"));
    let command = |words: &[&str]| stage.run(&[&["-p", &project], words].concat());
    command(&["fault", "wipe", stage.name(1)]).exits(0);
    assert_eq!(made(), before);
    command(&["fault", "heal"]).exits(0);
}
