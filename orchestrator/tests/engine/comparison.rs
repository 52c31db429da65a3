//! A container is judged by what it is, and not by who made it or what its label says.

use crate::Scenario;
use crate::stage::{Node, Sources, Stage, docker};

pub(crate) const ALL: &[Scenario] = &[
    ("a_container_that_somebody_has_changed_is_told_and_mended", changed),
    ("a_container_of_another_version_of_the_tool_is_left_alone", other_version),
];

const OLDER: &str = r#"orchestrator.config={"socket":"10.9.9.9:1","host_port":1,"dialect":"2019","env":{"A":"b"}}"#;

fn stage() -> Stage {
    let stage = Stage::new("docker", Sources::Workspace, 2, 1);
    stage.run(&["up"]).exits(0);
    stage
}

fn inspect(stage: &Stage, number: usize, format: &str) -> String {
    docker(&["inspect", "--format", format, stage.name(number)])
}

fn id(stage: &Stage, number: usize) -> String {
    inspect(stage, number, "{{.Id}}")
}

/// Makes the node's container as it was, but for its label, and with `more`.
fn make_anew(stage: &Stage, number: usize, more: &[&str]) {
    let Node { name, address, port, .. } = &stage.nodes[number - 1];
    let env = inspect(stage, number, "{{range .Config.Env}}{{println .}}{{end}}");
    docker(&["rm", "--force", name]);
    let options = [
        format!("--name={name}"),
        format!("--network={}", stage.network()),
        format!("--ip={address}"),
        format!("--publish=127.0.0.1:{port}:8080"),
        format!("--volume={}-{name}:/data", stage.project),
        format!("--label=orchestrator.project={}", stage.project),
        format!("--label=orchestrator.node={name}"),
        "--memory=256m".to_owned(),
        "--pids-limit=256".to_owned(),
    ];
    let options = options.into_iter().chain(env.lines().map(|line| format!("--env={line}"))).collect::<Vec<_>>();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    docker(&[&["run", "--detach"], &options[..], more, &[&stage.image()]].concat());
}

fn changed() {
    let stage = stage();
    docker(&["update", "--memory=300m", stage.name(1)]);
    let config = inspect(&stage, 2, r#"--label=orchestrator.config={{index .Config.Labels "orchestrator.config"}}"#);
    make_anew(&stage, 2, &[&config, "--env=RUST_LOG=hush"]);
    let plan = stage
        .run(&["plan"])
        .exits(0)
        .answers(&format!("remove {}: memory limit 314572800 → 268435456\n", stage.name(1)))
        .answers(&format!("remove {}: env RUST_LOG differs\n", stage.name(2)));
    assert!(!plan.stdout.contains("hush") && !plan.stdout.contains(stage.name(3)), "{}", plan.stdout);
    let third = id(&stage, 3);
    stage.run(&["up"]).exits(0);
    assert_eq!(inspect(&stage, 1, "{{.HostConfig.Memory}}"), "268435456");
    assert!(!inspect(&stage, 2, "{{.Config.Env}}").contains("RUST_LOG"));
    assert_eq!(id(&stage, 3), third);
    stage.run(&["plan"]).exits(0).answers("up to date");
}

fn other_version() {
    let stage = stage();
    make_anew(&stage, 1, &[]);
    make_anew(&stage, 2, &["--label", OLDER]);
    let ids = || [1, 2, 3].map(|number| id(&stage, number));
    let before = ids();
    let up = stage.run(&["up"]).exits(0).answers("up to date");
    for number in 1..=3 {
        assert!(up.stdout.contains(&stage.url(number)), "{}", up.stdout);
    }
    stage.run(&["status"]).exits(0).answers("agrees (3)");
    docker(&["stop", stage.name(1)]);
    stage.run(&["up"]).exits(0);
    assert_eq!(ids(), before);
}
