//! `logs`: the nodes' logs, merged by time; where there is no node any more, those that `down` has kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream, select_all};

use super::running::find_all;
use super::session::Session;
use crate::failure::Failure;
use crate::kept_logs::KeptLogs;
use crate::runtime::{LogLine, LogRequest};

/// What the person asked for.
pub(super) struct Wanted<'a> {
    pub(super) follow: bool,
    pub(super) since: Option<&'a str>,
    pub(super) tail: Option<u64>,
}

type Named = BoxStream<'static, (usize, String, Result<LogLine, Failure>)>;

pub(super) async fn run(session: &Session<'_>, names: &[String], wanted: Wanted<'_>) -> Result<(), Failure> {
    let since_unix = wanted.since.map(since).transpose()?;
    let request = LogRequest { follow: wanted.follow, since_unix, tail: wanted.tail };
    let clusters = find_all(session).await?;
    let kept = KeptLogs::of(&session.spec.name)?;
    if clusters.is_empty() && kept.has(names) {
        return of_removed(session, &kept, names, &request).await;
    }
    let exists = |name: &String| clusters.iter().any(|cluster| cluster.nodes.iter().any(|node| node.name == *name));
    if let Some(name) = names.iter().find(|name| !exists(name)) {
        return Err(session.not_running(name));
    }
    let mut streams: Vec<Named> = Vec::new();
    let mut width = 0;
    for cluster in &clusters {
        for node in cluster.nodes.iter().filter(|node| names.is_empty() || names.contains(&node.name)) {
            let index = streams.len();
            let name = node.name.clone();
            width = width.max(name.len());
            let lines = cluster.runtime.logs(&session.spec.name, node, &request).await?;
            streams.push(lines.map(move |line| (index, name.clone(), line)).boxed());
        }
    }
    if wanted.follow { follow(session, streams, width).await } else { merged(session, streams, width).await }
}

/// What `down` has kept of nodes that are no more.
async fn of_removed(
    session: &Session<'_>,
    kept: &KeptLogs,
    names: &[String],
    request: &LogRequest,
) -> Result<(), Failure> {
    let project = &session.spec.name;
    let at = kept.removed_at().map(|at| format!(" at {}", humantime::format_rfc3339_seconds(at))).unwrap_or_default();
    session
        .output
        .note(&format!("project {project} has no node; these are the last logs of its cluster that was removed{at}"));
    let mut nodes = kept.nodes();
    nodes.retain(|node| names.is_empty() || names.contains(node));
    let width = nodes.iter().map(String::len).max().unwrap_or_default();
    let mut streams: Vec<Named> = Vec::new();
    for (index, name) in nodes.into_iter().enumerate() {
        let lines = kept.read(&name, request)?.into_iter();
        streams.push(stream::iter(lines.map(move |line| (index, name.clone(), Ok(line)))).boxed());
    }
    merged(session, streams, width).await
}

/// As they come, until Ctrl-C or until all nodes have ended.
async fn follow(session: &Session<'_>, streams: Vec<Named>, width: usize) -> Result<(), Failure> {
    let mut lines = select_all(streams);
    loop {
        tokio::select! {
            line = lines.next() => match line {
                Some((index, name, line)) => session.output.log_line(index, &name, width, &line?),
                None => return Ok(()),
            },
            () = session.interrupt.asked() => return Err(Failure::Interrupted("the nodes run on".to_owned())),
        }
    }
}

/// All of them, in the order of their times; lines of one time in the order of their node.
async fn merged(session: &Session<'_>, streams: Vec<Named>, width: usize) -> Result<(), Failure> {
    let mut all = Vec::new();
    for mut stream in streams {
        while let Some((index, name, line)) = stream.next().await {
            all.push((index, name, line?));
        }
    }
    all.sort_by(|a, b| a.2.at.cmp(&b.2.at));
    for (index, name, line) in &all {
        session.output.log_line(*index, name, width, line);
    }
    Ok(())
}

/// `90s`, `5m`, or an RFC 3339 time; as seconds since 1970.
fn since(text: &str) -> Result<u64, Failure> {
    let at = match humantime::parse_duration(text) {
        Ok(ago) => SystemTime::now().checked_sub(ago),
        Err(_) => humantime::parse_rfc3339_weak(text).ok(),
    };
    let since_epoch: Option<Duration> = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since_epoch.map(|since| since.as_secs()).ok_or_else(|| {
        Failure::Usage(format!(
            "--since: `{text}` is neither a time span such as 90s or 5m nor a time such as 2026-01-31T12:00:00Z"
        ))
    })
}
