//! A container's log as lines with their times.

use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;

use super::super::{LogLine, LogRequest, LogStream};
use super::failed;
use crate::observed::ObservedNode;

/// The engine puts the time before every line.
pub(super) fn stream(client: bollard::Docker, node: &ObservedNode, request: &LogRequest) -> LogStream {
    let tail = request.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .follow(request.follow)
        .since(request.since_unix.and_then(|at| i32::try_from(at).ok()).unwrap_or_default())
        .tail(&tail)
        .build();
    let (name, id) = (node.name.clone(), node.id.clone());
    // The stream borrows its client, so a task of its own holds both.
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        let mut chunks = client.logs(&id, Some(options));
        while let Some(chunk) = chunks.next().await {
            let line = match chunk {
                Ok(chunk) => Ok(split(&chunk.to_string())),
                Err(error) => Err(failed(format!("cannot read the log of {name}"))(error)),
            };
            if sender.send(line).await.is_err() {
                return;
            }
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|line| (line, receiver)) })
        .boxed()
}

fn split(line: &str) -> LogLine {
    let line = line.trim_end_matches(['\n', '\r']);
    let (at, text) = line.split_once(' ').unwrap_or((line, ""));
    LogLine { at: at.to_owned(), text: text.to_owned() }
}
