//! A copy of the workspace's sources with at most one mutant in it. Only files whose content is another are written, so
//! that cargo compiles only what has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::mutant::{Mutant, workspace};

/// Where the copy is.
pub(crate) struct Sources(PathBuf);

impl Sources {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Makes it the workspace as it is now, broken as the mutant says. A file that is not in the workspace any more stays:
    /// nothing names it.
    pub(crate) fn write(&self, mutant: Option<&Mutant>) -> io::Result<()> {
        let origin = workspace();
        let tree = WalkBuilder::new(&origin)
            .hidden(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in tree {
            let entry = entry.map_err(io::Error::other)?;
            let Ok(path) = entry.path().strip_prefix(&origin) else { continue };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let mut content = fs::read(entry.path())?;
            if let Some(mutant) = mutant.filter(|mutant| Path::new(mutant.file) == path) {
                let text = String::from_utf8(content).map_err(io::Error::other)?;
                content = mutant.break_text(&text).map_err(io::Error::other)?.into_bytes();
            }
            replace(&self.0.join(path), &content)?;
        }
        Ok(())
    }
}

/// Writes the file unless that is what it has in it.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, content)
}
