//! What a failure leaves in the current folder: what was run, and what the nodes logged and were. A secret is in none of
//! it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use conformance::NodeLog;
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::plan::{Operation, Plan, Step};
use crate::runtime::{LogLine, LogRequest, Runtime, Site};

/// In the current folder, one folder for each run.
pub(crate) const PARENT: &str = "evidence";
/// Of one node's log: what a node of many days has logged is no evidence of this one.
const LOG_LINES: u64 = 100_000;

/// Where the evidence of this run goes. A run that fails at once again has another.
pub(crate) fn folder(run: &str) -> PathBuf {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string().replace(':', "-");
    Path::new(PARENT).join(format!("{now}-{run}"))
}

/// The command and this tool's version, and what else is worth knowing of the run.
pub(crate) fn write_run(folder: &Path, about: Value) -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut run = json!({"command": arguments, "version": env!("CARGO_PKG_VERSION")});
    if let (Value::Object(run), Value::Object(about)) = (&mut run, about) {
        run.extend(about);
    }
    fs::write(folder.join("run.json"), format!("{run:#}\n"))
}

/// What the nodes logged, and how they are.
pub(crate) fn write_logs(folder: &Path, logs: &[NodeLog]) -> io::Result<()> {
    for log in logs {
        let lines: Vec<String> = log.lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(folder.join(format!("{}.log", log.node)), lines.concat())?;
        if let Some(state) = &log.state {
            fs::write(folder.join(format!("{}.json", log.node)), format!("{state:#}\n"))?;
        }
    }
    Ok(())
}

/// A node's log, and how the node is.
pub(crate) async fn log_of(runtime: &dyn Runtime, project: &str, node: ObservedNode, request: &LogRequest) -> NodeLog {
    let lines = match runtime.logs(project, &node, request).await {
        Ok(lines) => lines.filter_map(async |line| line.ok().map(|line| with_time(&line))),
        Err(failure) => {
            let lines = vec![format!("the log cannot be read: {failure}")];
            return NodeLog { node: node.name, lines, end: None, state: None };
        }
    };
    NodeLog {
        lines: lines.collect().await,
        end: runtime.last_words(&node).await,
        state: runtime.inspect(&node).await,
        node: node.name,
    }
}

/// Nobody knows when a process wrote what carries no time.
fn with_time(line: &LogLine) -> String {
    if line.at.is_empty() { line.text.clone() } else { format!("{} {}", line.at, line.text) }
}

/// Writes down how an attempt to bring nodes up failed, while everything is still there; the failure then names the
/// folder in its last line. What is no fault of the nodes or the engine leaves nothing.
pub(crate) async fn of_attempt(
    runtime: &dyn Runtime,
    site: &Site<'_>,
    plan: &Plan,
    done: &[Operation],
    failure: Failure,
) -> Failure {
    if !matches!(failure, Failure::Unhealthy(_) | Failure::NotReady(_) | Failure::Engine(_)) {
        return failure;
    }
    let folder = folder(&format!("up-{}", site.spec.name));
    let logs = logs(runtime, site).await;
    match write_attempt(&folder, site, runtime.name(), &logs, &steps(plan, done), &failure) {
        Ok(()) => failure.and_line(&format!("evidence: {}", folder.display())),
        Err(error) => {
            site.output.note(&format!("the evidence cannot be written: {error}"));
            failure
        }
    }
}

/// Those of all nodes of the project; none when the engine does not answer any more.
async fn logs(runtime: &dyn Runtime, site: &Site<'_>) -> Vec<NodeLog> {
    let Ok(observed) = runtime.observe(site).await else { return Vec::new() };
    let ended = observed.ended.iter().map(|name| ObservedNode::gone(name));
    let request = LogRequest { tail: Some(LOG_LINES), ..LogRequest::default() };
    let nodes = observed.nodes.into_iter().chain(ended);
    join_all(nodes.map(|node| log_of(runtime, &site.spec.name, node, &request))).await
}

fn write_attempt(
    folder: &Path,
    site: &Site<'_>,
    runtime: &str,
    logs: &[NodeLog],
    steps: &str,
    failure: &Failure,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("failure.txt"), format!("{failure}\n"))?;
    fs::write(folder.join("plan.txt"), steps)?;
    write_logs(folder, logs)?;
    write_run(folder, json!({"project": site.spec.name, "runtime": runtime}))
}

/// A line for each operation, with its cause.
fn steps(plan: &Plan, done: &[Operation]) -> String {
    let line = |step: &Step| {
        let word = if done.contains(&step.operation) { "done" } else { "not done" };
        format!("{word:8}  {}, because {}\n", step.operation, step.cause)
    };
    let lines: String = plan.steps().map(line).collect();
    if lines.is_empty() { "nothing to do\n".to_owned() } else { lines }
}
