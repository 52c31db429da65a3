//! What a node logs, kept line by line.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use tracing::Subscriber;

/// Older lines make room for newer ones.
const LINES_KEPT: usize = 2000;

/// The lines of one node, whichever of its lives they are from. A clone is the same log.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<VecDeque<(SystemTime, String)>>>);

impl Log {
    /// What a node's thread logs to.
    pub(super) fn subscriber(&self) -> impl Subscriber + Send + Sync + 'static {
        let log = self.clone();
        tracing_subscriber::fmt().with_env_filter("info").with_ansi(false).with_writer(move || log.clone()).finish()
    }

    /// The lines since then, oldest first.
    pub(super) fn since(&self, since: SystemTime) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(at, _)| *at >= since).map(|(_, line)| line.clone()).collect()
    }
}

/// Each call is one event, which is one line.
impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back((SystemTime::now(), line));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
