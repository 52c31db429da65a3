//! Where a project's nodes keep their data and logs: `<state>/orchestrator/<project>/<node>/{data,log}`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::failed;
use crate::failure::Failure;

/// The folder of all projects: `$XDG_STATE_HOME/orchestrator`.
pub(super) fn state_folder() -> Result<PathBuf, Failure> {
    let base = etcetera::choose_base_strategy()
        .map_err(|error| Failure::Engine(format!("there is no folder for the nodes' data: {error}; set HOME")))?;
    // Where the platform has no state folder, its data folder.
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("orchestrator"))
}

pub(super) fn data_folder(project: &Path, node: &str) -> PathBuf {
    project.join(node).join("data")
}

pub(super) fn log_file(project: &Path, node: &str) -> PathBuf {
    project.join(node).join("log")
}

pub(super) fn create_data(project: &Path, node: &str) -> Result<(), Failure> {
    let folder = data_folder(project, node);
    fs::create_dir_all(&folder).map_err(failed(format!("cannot create {}", folder.display())))
}

/// The node's data and log; the project's folder too when it was the last.
pub(super) fn remove_data(project: &Path, node: &str) -> Result<(), Failure> {
    let folder = project.join(node);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(failed(format!("cannot remove {}", folder.display()))(error));
        }
        _ => {}
    }
    // Fails while another node has data, which is as it should be.
    let _ = fs::remove_dir(project);
    Ok(())
}

/// The nodes of a project that have a folder.
pub(super) fn nodes_with_data(project: &Path) -> Vec<String> {
    folders(project)
}

/// The names of the folders in a folder, sorted; none when it is not there.
pub(super) fn folders(parent: &Path) -> Vec<String> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
