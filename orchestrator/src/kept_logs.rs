//! The last logs of nodes that are no more: `<state>/orchestrator/.logs/<project>/<node>`, a line each with its time before
//! it.
//!
//! They are for people only: what cannot be kept is told, and keeps nobody from removing a node.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::runtime::{LogLine, LogRequest, Runtime, Site};
use crate::state;

/// Of each node.
const LINES: u64 = 10_000;
/// A node's removal waits no longer for its log.
const PATIENCE: Duration = Duration::from_secs(5);

/// Those of one project.
pub(crate) struct KeptLogs {
    folder: PathBuf,
}

impl KeptLogs {
    /// # Errors
    /// There is no state folder.
    pub(crate) fn of(project: &str) -> Result<Self, Failure> {
        Ok(Self { folder: all()?.join(project) })
    }

    /// The projects that have some.
    pub(crate) fn projects() -> Result<Vec<String>, Failure> {
        Ok(names(&all()?))
    }

    /// Keeps the last lines of a node that is about to be removed.
    pub(crate) async fn keep(&self, runtime: &dyn Runtime, site: &Site<'_>, node: &ObservedNode) {
        let fetched = timeout(PATIENCE, fetch(runtime, site, node)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(Failure::Engine(format!("it does not come within {PATIENCE:?}"))));
        let kept = fetched.map_err(|failure| failure.to_string()).and_then(|text| {
            let written = fs::create_dir_all(&self.folder).and_then(|()| fs::write(self.folder.join(&node.name), text));
            written.map_err(|error| error.to_string())
        });
        if let Err(reason) = kept {
            site.output.note(&format!("the log of {} is not kept: {reason}", node.name));
        }
    }

    /// The nodes, by name.
    pub(crate) fn nodes(&self) -> Vec<String> {
        names(&self.folder)
    }

    /// Whether all of these nodes are among them; of none, whether any is.
    pub(crate) fn has(&self, names: &[String]) -> bool {
        let nodes = self.nodes();
        !nodes.is_empty() && names.iter().all(|name| nodes.contains(name))
    }

    /// When the last of the nodes was removed.
    pub(crate) fn removed_at(&self) -> Option<SystemTime> {
        let changed = |name: String| fs::metadata(self.folder.join(name)).ok()?.modified().ok();
        self.nodes().into_iter().filter_map(changed).max()
    }

    /// What is wanted of the log of a node.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn read(&self, node: &str, request: &LogRequest) -> Result<Vec<LogLine>, Failure> {
        let path = self.folder.join(node);
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::Usage(format!("{} cannot be read: {error}; `orchestrator clean` removes it", path.display()))
        })?;
        let since = request.since_unix.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
        // In one width, so that times sort as text.
        let since = since.map(|at| humantime::format_rfc3339_nanos(at).to_string()).unwrap_or_default();
        let line = |line: &str| {
            let (at, text) = line.split_once(' ').unwrap_or((line, ""));
            LogLine { at: at.to_owned(), text: text.to_owned() }
        };
        let lines: Vec<LogLine> = text.lines().map(line).filter(|line| line.at >= since).collect();
        let tail = request.tail.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
        let first = lines.len().saturating_sub(tail);
        Ok(lines.into_iter().skip(first).collect())
    }

    /// # Errors
    /// The folder cannot be removed.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Failure::Usage(format!("{} cannot be removed: {error}; remove it by hand", self.folder.display())))
            }
            _ => {
                // Fails while another project has some, which is as it should be.
                let _ = self.folder.parent().map(fs::remove_dir);
                Ok(())
            }
        }
    }
}

/// The folder of all projects: no project itself, as its name says.
fn all() -> Result<PathBuf, Failure> {
    Ok(state::folder()?.join(".logs"))
}

/// What is in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(io::Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

async fn fetch(runtime: &dyn Runtime, site: &Site<'_>, node: &ObservedNode) -> Result<String, Failure> {
    let request = LogRequest { tail: Some(LINES), ..LogRequest::default() };
    let lines = runtime.logs(&site.spec.name, node, &request).await?;
    lines.map_ok(|line| format!("{} {}\n", line.at, line.text)).try_collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = KeptLogs { folder: folder.path().join("kv") };
        assert!(!logs.has(&[]));
        fs::create_dir(&logs.folder).expect("a folder");
        let text = " before any time\n1970-01-01T00:00:01.000000000Z one\n1970-01-01T00:00:02.500000000Z two  words\n";
        fs::write(logs.folder.join("node1"), text).expect("a file");
        let read = |since_unix: Option<u64>, tail: Option<u64>| {
            let request = LogRequest { follow: false, since_unix, tail };
            let lines = logs.read("node1", &request).expect("the log");
            lines.into_iter().map(|line| line.text).collect::<Vec<_>>()
        };
        assert_eq!(read(None, None), ["before any time", "one", "two  words"]);
        assert_eq!(read(Some(2), None), ["two  words"]);
        assert_eq!(read(Some(1), Some(1)), ["two  words"]);
        assert!(logs.has(&[]) && logs.has(&["node1".to_owned()]) && !logs.has(&["node2".to_owned()]));
        logs.clear().expect("it goes");
        logs.clear().expect("it is gone");
        assert_eq!(logs.nodes(), [""; 0]);
    }
}
