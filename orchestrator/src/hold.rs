//! The hold on a project: only one orchestrator of a user at a time changes its cluster.
//!
//! It is a lock on a file in the state folder, which the kernel releases when the holder ends, however it ends. The file
//! stays, and tells of its holder: of one that has it, or of one that was killed while it had it.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::state;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// While it lives, nobody else changes the project's cluster.
#[derive(Debug)]
pub(crate) struct Hold {
    file: File,
    holder: Holder,
    /// Who had it before, and did not live to release it.
    pub(crate) killed: Option<String>,
    /// The node that one had emptied for its removal, so that nothing is lost with what is left of it.
    pub(crate) emptied: Option<String>,
}

impl Hold {
    /// Takes the hold on a project; with `patience`, as soon as it is free, if that is soon enough.
    ///
    /// # Errors
    /// Somebody else has it, the state folder cannot be written, or the wait is interrupted.
    pub(crate) async fn take(
        project: &str,
        patience: Option<Duration>,
        output: &Output,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        // No folder: those are projects.
        let path = state::folder()?.join(format!(".{project}.hold"));
        Self::take_at(&path, project, patience, output, interrupt).await
    }

    async fn take_at(
        path: &Path,
        project: &str,
        patience: Option<Duration>,
        output: &Output,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let start = Instant::now();
        let mut is_told = false;
        loop {
            if let Some(hold) = Self::try_take(path).map_err(unusable(path))? {
                return Ok(hold);
            }
            let held = format!("project {project} is being changed by {}", words(Holder::read(path).as_ref()));
            let Some(patience) = patience else {
                return Err(Failure::Held(format!("{held}; wait for it, or use --wait")));
            };
            if start.elapsed() >= patience {
                return Err(Failure::NotReady(format!(
                    "{held}, still after {} s; --timeout waits longer",
                    patience.as_secs_f32()
                )));
            }
            if !is_told {
                output.note(&format!("{held}; waiting for it"));
                is_told = true;
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = interrupt.asked() => return Err(Failure::Interrupted("nothing was changed".to_owned())),
            }
        }
    }

    /// `None` while somebody else has it.
    fn try_take(path: &Path) -> std::io::Result<Option<Self>> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Whoever releases it leaves nothing.
        let left = if file.metadata()?.len() > 0 { Some(Holder::read(path)) } else { None };
        let killed = left.as_ref().map(|holder| words(holder.as_ref()));
        let emptied = left.flatten().and_then(|holder| holder.emptied);
        let mut hold = Self { file, holder: Holder::this(), killed, emptied };
        hold.write()?;
        Ok(Some(hold))
    }

    /// Whoever comes next knows that this node is emptied, also when this process does not live to remove it.
    ///
    /// # Errors
    /// The state folder cannot be written any more.
    pub(crate) fn note_emptied(&mut self, node: &str) -> Result<(), Failure> {
        self.holder.emptied = Some(node.to_owned());
        self.write().map_err(|error| Failure::Usage(format!("the state folder cannot be written: {error}")))
    }

    fn write(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(serde_json::to_string(&self.holder)?.as_bytes())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A child that is being started shares the file for a moment, so it must not only be closed. Both can be done
        // without: nobody has it when this process has ended.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| {
        Failure::Usage(format!(
            "{} cannot be written, by which only one orchestrator at a time changes a cluster: {error}; set XDG_STATE_HOME \
             to a folder that you may write",
            path.display()
        ))
    }
}

/// Who has a hold.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    command: String,
    /// RFC 3339.
    since: String,
    /// The node that has been emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    emptied: Option<String>,
}

/// Of one that has only just taken it, or just releases it, nothing is known.
fn words(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another orchestrator".to_owned(), Holder::to_string)
}

impl Holder {
    fn this() -> Self {
        // Under whatever name it was started, people know it by this one.
        let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        let command: Vec<String> = std::iter::once("orchestrator".to_owned()).chain(words).collect();
        let since = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self { pid: std::process::id(), command: command.join(" "), since, emptied: None }
    }

    /// As the file tells.
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.since.get(11..19).unwrap_or(&self.since);
        write!(f, "`{}` (process {}, since {time} UTC)", self.command, self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(path: &Path, patience: Option<Duration>) -> Result<Hold, Failure> {
        Hold::take_at(path, "kv", patience, &Output::silent(), &Interrupt::never()).await
    }

    #[tokio::test]
    async fn a_hold_is_had_once_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/.kv.hold");
        let hold = take(&path, None).await.expect("the first");
        let second = take(&path, None).await.expect_err("another");
        assert_eq!(second.exit_code(), 6);
        let who = format!("(process {}, since ", std::process::id());
        let (start, end) = ("project kv is being changed by `orchestrator", " UTC); wait for it, or use --wait");
        let message = second.to_string();
        assert!(message.starts_with(start) && message.contains(&who) && message.ends_with(end), "{message}");
        assert_eq!(take(&path, Some(PAUSE)).await.expect_err("too late").exit_code(), 7);
        assert_eq!(hold.killed, None);
        drop(hold);
        assert_eq!(take(&path, None).await.expect("the next").killed, None);
    }

    #[tokio::test]
    async fn whoever_was_killed_is_known_to_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".kv.hold");
        let left = r#"{"pid":7,"command":"orchestrator up","since":"2026-01-02T03:04:05Z"}"#;
        fs::write(&path, left).expect("a file");
        let mut hold = take(&path, None).await.expect("nobody has it");
        assert_eq!(hold.killed.as_deref(), Some("`orchestrator up` (process 7, since 03:04:05 UTC)"));
        assert_eq!(hold.emptied, None);
        assert_eq!(Holder::read(&path).map(|holder| holder.pid), Some(std::process::id()));
        hold.note_emptied("node1").expect("a file");
        let left = fs::read(&path).expect("a file");
        drop(hold);
        fs::write(&path, left).expect("a file");
        assert_eq!(take(&path, None).await.expect("nobody has it").emptied.as_deref(), Some("node1"));
        assert_eq!(take(&path, None).await.expect("nobody has it").emptied, None);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_told_with_the_way_out() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("a file");
        let failure = take(&folder.path().join("file/.kv.hold"), None).await.expect_err("no folder");
        assert!(failure.to_string().contains("set XDG_STATE_HOME"), "{failure}");
    }
}
