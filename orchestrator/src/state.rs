//! The user's state folder: what stays on this machine between two runs of the tool.
//!
//! Invariant: a folder in it is a project's, of nodes that are processes (`runtime::process`), unless its name begins with
//! a dot, as no project's does: those are the tool's own.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::failure::Failure;

/// `$XDG_STATE_HOME/orchestrator`.
///
/// # Errors
/// Nobody knows the user's home.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy()
        .map_err(|error| Failure::Engine(format!("there is no folder for what must be kept: {error}; set HOME")))?;
    // Where the platform has no state folder, its data folder.
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("orchestrator"))
}
