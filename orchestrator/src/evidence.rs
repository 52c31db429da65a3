//! What a failure leaves in the current folder: what was run, what was asked and answered, what the nodes logged and were,
//! and what happened to them. A secret is in none of it. It is made before anything is removed.

mod attempt;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use conformance::{Entry, Event, Exchange, NodeLog, Traces};
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::output::Output;
use crate::runtime::{Events, LogLine, LogRequest, Look};
pub(crate) use attempt::Attempt;

/// In the current folder, one folder for each run.
pub(crate) const PARENT: &str = "evidence";
/// Of one node's log: what a node of many days has logged is no evidence of this one.
const LOG_LINES: u64 = 100_000;

/// All that is kept of each node's log.
pub(crate) fn whole_log() -> LogRequest {
    LogRequest { tail: Some(LOG_LINES), ..LogRequest::default() }
}

/// Where the evidence of this run goes. A run that fails at once again has another.
pub(crate) fn folder(run: &str) -> PathBuf {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string().replace(':', "-");
    Path::new(PARENT).join(format!("{now}-{run}"))
}

/// What a command that changes or asks a cluster leaves when it fails.
pub(crate) struct Evidence<'a> {
    pub(crate) command: &'static str,
    pub(crate) project: &'a str,
    pub(crate) runtime: &'static str,
    pub(crate) began: SystemTime,
    /// What was to be done, where there is a plan, and how far it got.
    pub(crate) plan: Option<String>,
    pub(crate) traces: Traces,
    pub(crate) transcript: Vec<Entry>,
    /// What else is worth knowing of the run.
    pub(crate) about: Value,
}

impl Evidence<'_> {
    /// Writes it down; the failure then names the folder in its last line.
    pub(crate) fn of(self, failure: Failure, output: &Output) -> Failure {
        let folder = folder(&format!("{}-{}", self.command, self.project));
        match self.write(&folder, &failure) {
            Ok(()) => failure.and_line(&format!("evidence: {}", folder.display())),
            Err(error) => {
                output.note(&format!("the evidence cannot be written: {error}"));
                failure
            }
        }
    }

    fn write(self, folder: &Path, failure: &Failure) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("failure.txt"), format!("{failure}\n"))?;
        if let Some(plan) = &self.plan {
            fs::write(folder.join("plan.txt"), plan)?;
        }
        write_traces(folder, &self.traces)?;
        write_transcript(folder, &self.transcript)?;
        let began = humantime::format_rfc3339_millis(self.began).to_string();
        write_run(folder, [json!({"project": self.project, "runtime": self.runtime, "began": began}), self.about])
    }
}

/// The command and this tool's version, and what these objects tell of the run besides.
pub(crate) fn write_run(folder: &Path, about: [Value; 2]) -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut run = json!({"command": arguments, "version": env!("CARGO_PKG_VERSION")});
    for about in about {
        if let (Value::Object(run), Value::Object(about)) = (&mut run, about) {
            run.extend(about);
        }
    }
    fs::write(folder.join("run.json"), format!("{run:#}\n"))
}

/// What the nodes logged, how they are, and what happened to them, where somebody tells.
pub(crate) fn write_traces(folder: &Path, traces: &Traces) -> io::Result<()> {
    for log in &traces.logs {
        let lines: Vec<String> = log.lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(folder.join(format!("{}.log", log.node)), lines.concat())?;
        if let Some(state) = &log.state {
            fs::write(folder.join(format!("{}.json", log.node)), format!("{state:#}\n"))?;
        }
    }
    if traces.events.is_empty() { Ok(()) } else { write_lines(&folder.join("events.jsonl"), &traces.events) }
}

/// What was asked and answered.
pub(crate) fn write_transcript(folder: &Path, entries: &[Entry]) -> io::Result<()> {
    let lines: Vec<Value> = entries.iter().map(Entry::to_json).collect();
    write_lines(&folder.join("transcript.jsonl"), &lines)
}

fn write_lines(file: &Path, objects: &[Value]) -> io::Result<()> {
    fs::write(file, objects.iter().map(|object| format!("{object}\n")).collect::<String>())
}

/// An exchange as a line of a transcript that begins with the run.
pub(crate) fn entry(at: Duration, exchange: Exchange) -> Entry {
    Entry { at, event: Event::Exchange(exchange) }
}

/// What there is to see of these nodes, and what happened to them until it was seen.
pub(crate) async fn traces(
    runtime: &dyn Look,
    project: &str,
    nodes: impl IntoIterator<Item = ObservedNode>,
    request: &LogRequest,
    events: Option<&Events>,
) -> Traces {
    let logs = join_all(nodes.into_iter().map(|node| log_of(runtime, project, node, request))).await;
    Traces { logs, events: events.map(Events::all).unwrap_or_default() }
}

/// A node's log, and how the node is.
async fn log_of(runtime: &dyn Look, project: &str, node: ObservedNode, request: &LogRequest) -> NodeLog {
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
