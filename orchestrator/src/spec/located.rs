//! Which cluster file is meant: the named one, the nearest one upward, or the built-in one.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{ClusterSpec, SpecError};

/// The committed file of this project, so that the tool works in an empty folder.
pub(super) const BUILT_IN: &str = include_str!("../../../cluster.yaml");
const DEFAULT_NAME: &str = "cluster.yaml";

/// A cluster and where it was read from.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) spec: ClusterSpec,
    /// The file's name as a person would type it, or `built-in cluster.yaml`.
    pub(crate) origin: String,
    /// The file's folder; that where the search began for the built-in one.
    pub(crate) folder: PathBuf,
}

/// Reads `file`, or else `cluster.yaml` in `start` or the nearest folder above, or else the built-in one.
///
/// # Errors
/// The file cannot be read, or is wrong.
pub(crate) fn locate(file: Option<&Path>, start: &Path) -> Result<Located, SpecError> {
    let found = match file {
        Some(file) => Some(start.join(file)),
        None => start.ancestors().map(|folder| folder.join(DEFAULT_NAME)).find(|path| path.is_file()),
    };
    let Some(path) = found else {
        let origin = format!("built-in {DEFAULT_NAME}");
        return Ok(Located { spec: ClusterSpec::parse(BUILT_IN, &origin, None)?, origin, folder: start.to_owned() });
    };
    let origin = file.map_or_else(|| shown(&path, start), |file| file.display().to_string());
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&origin, &error))?;
    let folder = path.parent().unwrap_or(start).to_owned();
    Ok(Located { spec: ClusterSpec::parse(&text, &origin, Some(&folder))?, origin, folder })
}

fn unreadable(origin: &str, error: &std::io::Error) -> SpecError {
    let message = match error.kind() {
        ErrorKind::NotFound => {
            "no such file; without -f the nearest cluster.yaml upward is taken, else the built-in one".to_owned()
        }
        ErrorKind::InvalidData => "is not text (UTF-8)".to_owned(),
        ErrorKind::IsADirectory => format!("is a folder; did you mean {origin}/{DEFAULT_NAME}?"),
        _ => format!("cannot be read: {error}"),
    };
    SpecError::unreadable(origin, message)
}

/// The path relative to the current folder where that is shorter.
fn shown(path: &Path, start: &Path) -> String {
    path.strip_prefix(start).map_or_else(|_| PathBuf::from(path), Path::to_path_buf).display().to_string()
}
