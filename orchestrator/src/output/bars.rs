//! Progress for a person: one line per node, and one for the cluster as a whole.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Event;

const TICK: Duration = Duration::from_millis(100);

/// The lines on the terminal.
pub(super) struct Bars {
    all: MultiProgress,
    lines: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), lines: Mutex::new(BTreeMap::new()) }
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<String, ProgressBar>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line of a node, or of the cluster (`""`, always on top), in the order of the names.
    fn line(&self, name: &str) -> ProgressBar {
        let mut lines = self.lines();
        if let Some(line) = lines.get(name) {
            return line.clone();
        }
        let position = lines.keys().filter(|other| other.as_str() < name).count();
        let line = self.all.insert(position, ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {prefix:.bold} {wide_msg}") {
            line.set_style(style);
        }
        line.set_prefix(if name.is_empty() { "cluster".to_owned() } else { name.to_owned() });
        line.enable_steady_tick(TICK);
        lines.insert(name.to_owned(), line.clone());
        line
    }

    pub(super) fn event(&self, event: &Event) {
        let line = self.line(event.node.as_deref().unwrap_or_default());
        let took = event.took.map(|took| format!(" ({} ms)", took.as_millis())).unwrap_or_default();
        line.set_message(format!("{}{took}", event.text));
        if event.name == "node.ready" || event.name == "node.removed" {
            line.finish();
        }
    }

    pub(super) fn progress(&self, text: &str) {
        self.line("").set_message(text.to_owned());
    }

    pub(super) fn waiting(&self, node: &str, text: &str) {
        self.line(node).set_message(text.to_owned());
    }

    /// A line that stays, above the bars.
    pub(super) fn above(&self, text: &str) {
        // A terminal that went away takes no words any more.
        let _ = self.all.println(text);
    }

    /// Leaves what is there and starts no new line in between.
    pub(super) fn finish(&self) {
        for line in self.lines().values() {
            line.abandon();
        }
    }
}
