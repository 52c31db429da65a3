//! A process's log file as lines. Times are those that the node writes itself.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::StreamExt;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc::{Sender, channel};

use super::super::{LogLine, LogRequest, LogStream};
use super::{failed, marker};
use crate::failure::Failure;
use crate::observed::ObservedNode;

const PAUSE: Duration = Duration::from_millis(100);

/// The file's lines; with `follow`, until the process ends.
pub(super) fn stream(path: PathBuf, request: LogRequest, node: &ObservedNode) -> Result<LogStream, Failure> {
    let pid = node.id.parse().unwrap_or_default();
    let (sender, receiver) = channel(64);
    tokio::spawn(async move {
        if let Err(error) = read(&path, &request, pid, &sender).await {
            let failure = failed(format!("cannot read {}", path.display()))(error);
            let _ = sender.send(Err(failure)).await;
        }
    });
    let lines = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|line| (line, receiver))
    });
    Ok(lines.boxed())
}

async fn read(
    path: &PathBuf,
    request: &LogRequest,
    pid: u32,
    sender: &Sender<Result<LogLine, Failure>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(File::open(path).await?);
    let mut last_at = String::new();
    let since = request.since_unix.map(|at| rfc3339(Duration::from_secs(at))).unwrap_or_default();
    let mut tail = VecDeque::new();
    // What is there already, of which only the tail may be wanted.
    while let Some(line) = next_line(&mut reader, &mut last_at).await? {
        if line.at >= since {
            tail.push_back(line);
        }
        if request.tail.is_some_and(|limit| tail.len() as u64 > limit) {
            tail.pop_front();
        }
    }
    for line in tail {
        if sender.send(Ok(line)).await.is_err() {
            return Ok(());
        }
    }
    if !request.follow {
        return Ok(());
    }
    loop {
        // Asked before the read, so that the last words of a process that ends are read.
        let alive = marker::is_alive(pid);
        while let Some(line) = next_line(&mut reader, &mut last_at).await? {
            if sender.send(Ok(line)).await.is_err() {
                return Ok(());
            }
        }
        if !alive || sender.is_closed() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A line without a time of its own belongs to the one before it.
async fn next_line(reader: &mut BufReader<File>, last_at: &mut String) -> std::io::Result<Option<LogLine>> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
    if let Some(at) = time_of(&text) {
        *last_at = at;
    }
    Ok(Some(LogLine { at: last_at.clone(), text }))
}

/// The first word, or the `timestamp` of a JSON line.
fn time_of(line: &str) -> Option<String> {
    let word = match line.split_once("\"timestamp\":\"") {
        Some((_, rest)) => rest.split('"').next()?,
        None => line.split_whitespace().next()?,
    };
    let time = humantime::parse_rfc3339(word).ok()?;
    Some(rfc3339(time.duration_since(UNIX_EPOCH).ok()?))
}

/// In one width, so that times sort as text.
fn rfc3339(since_epoch: Duration) -> String {
    humantime::format_rfc3339_nanos(UNIX_EPOCH + since_epoch).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_carry_their_own_times() {
        let expected = Some("2026-01-02T03:04:05.600000000Z".to_owned());
        assert_eq!(time_of("2026-01-02T03:04:05.6Z  INFO started"), expected);
        assert_eq!(time_of(r#"{"timestamp":"2026-01-02T03:04:05.600Z","level":"INFO"}"#), expected);
        assert_eq!(time_of("thread main panicked"), None);
    }
}
