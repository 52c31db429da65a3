//! `prune`: everything that this tool left behind, in any project or with `-p` in that one and its test clusters, and
//! images that it built and nobody needs any more. Never another's things.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use serde_json::json;

use super::aftermath;
use super::down::removed;
use super::session::Session;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::kept_logs::KeptLogs;
use crate::output::counted;
use crate::plan::{Operation, Plan, Removal, plan_removal};
use crate::runtime::{Runtime, Site, all_runtimes};
use crate::spec::ClusterSpec;
use crate::testbed::TEST_INFIX;

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    let runtimes = all_runtimes(session.global.runtime).await?;
    let is_wanted = |project: &String| session.global.project.as_ref().is_none_or(|only| is_of(only, project));
    let (mut work, mut holds) = (Vec::new(), BTreeMap::new());
    for runtime in &runtimes {
        let mut projects = runtime.projects().await?;
        projects.retain(is_wanted);
        // Nobody holds the cluster of a test: of one that was killed the engine may still be at what it was asked for.
        let tests = projects.iter().filter(|project| project.contains(TEST_INFIX));
        try_join_all(tests.map(|project| aftermath::wait(session, project))).await?;
        for project in projects {
            // What is asked about is what is removed then.
            if !holds.contains_key(&project) {
                holds.insert(project.clone(), session.hold(&project).await?);
            }
            work.push(left_behind(session, &**runtime, &project).await?);
        }
    }
    work.retain(|(_, _, plan)| !plan.is_empty());
    if !work.is_empty() {
        confirm(session, &work)?;
    }
    for (runtime, spec, plan) in &work {
        let site = Site { spec, artifact: None, output: session.output };
        Executor::new(*runtime, &site, &session.interrupt).apply(plan).await?;
    }
    let mut images = 0;
    for runtime in &runtimes {
        images += runtime.prune_images(session.global.project.as_deref()).await?;
    }
    let mut logs = KeptLogs::projects()?;
    logs.retain(is_wanted);
    for project in &logs {
        KeptLogs::of(project)?.clear()?;
    }
    let operations: Vec<&Operation> = work.iter().flat_map(|(_, _, plan)| plan.operations()).collect();
    let others = [
        (images, counted(images, "unused image")),
        (logs.len(), format!("the logs of {}", counted(logs.len(), "cluster"))),
    ];
    let others: Vec<String> = others.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    let others = others.join(", ");
    let text = match operations.is_empty() {
        _ if others.is_empty() => removed(&operations),
        true => format!("removed {others}"),
        false => format!("{}, {others}", removed(&operations)),
    };
    let list: Vec<String> = operations.iter().map(ToString::to_string).collect();
    session.output.result(&text, json!({"event": "prune", "removed": list, "images": images, "logs": logs}));
    Ok(())
}

/// The project itself, and the clusters on which it was tested.
fn is_of(wanted: &str, project: &str) -> bool {
    project.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(TEST_INFIX))
}

async fn left_behind<'r>(
    session: &Session<'_>,
    runtime: &'r dyn Runtime,
    project: &str,
) -> Result<(&'r dyn Runtime, ClusterSpec, Plan), Failure> {
    let mut spec = session.spec.clone();
    project.clone_into(&mut spec.name);
    let observed = runtime.observe(&Site { spec: &spec, artifact: None, output: session.output }).await?;
    let removal = Removal { project, volumes: true, logs: true, force: true, cause: "pruned", ..Removal::default() };
    let plan = plan_removal(&removal, &observed).map_err(Failure::Conflict)?;
    Ok((runtime, spec, plan))
}

fn confirm(session: &Session<'_>, work: &[(&dyn Runtime, ClusterSpec, Plan)]) -> Result<(), Failure> {
    if session.global.yes {
        return Ok(());
    }
    let lines: Vec<String> = work
        .iter()
        .map(|(runtime, spec, plan)| {
            let nodes: Vec<&str> = plan.nodes.keys().map(String::as_str).collect();
            let others: Vec<String> = plan.last.iter().map(|step| step.operation.to_string()).collect();
            let parts: Vec<String> =
                [nodes.join(" "), others.join(", ")].into_iter().filter(|p| !p.is_empty()).collect();
            format!("project {} ({}): {}", spec.name, runtime.name(), parts.join("; "))
        })
        .collect();
    let is_volume = |operation: &&Operation| matches!(operation, Operation::RemoveVolume { .. });
    let volumes = work.iter().flat_map(|(_, _, plan)| plan.operations()).filter(is_volume).count();
    let with_data = match volumes {
        0 => String::new(),
        count => format!(", {} with data among it", counted(count, "volume")),
    };
    match session.output.ask(&format!("{}\nremove all of this{with_data}?", lines.join("\n"))) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::Usage("nothing was removed".to_owned())),
        None => {
            let listing = lines.join("\n");
            Err(Failure::Usage(format!(
                "nobody can be asked whether to remove all of this{with_data}; --yes removes it:\n{listing}"
            )))
        }
    }
}
