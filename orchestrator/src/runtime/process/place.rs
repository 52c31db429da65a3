//! Where a project's nodes keep their data and logs: `<state>/orchestrator/<project>/<node>/{data,log,address}`.
//!
//! Invariants: `data` and `address` (what the node's data knows it by) are there until the data is removed; `log` from
//! then on until the node is removed, as a container would be: with neither log nor process there is no node.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use super::failed;
use crate::failure::Failure;

pub(super) fn data_folder(project: &Path, node: &str) -> PathBuf {
    project.join(node).join("data")
}

pub(super) fn log_file(project: &Path, node: &str) -> PathBuf {
    project.join(node).join("log")
}

fn address_file(project: &Path, node: &str) -> PathBuf {
    project.join(node).join("address")
}

/// The address that a node had when its data was made.
pub(super) fn address(project: &Path, node: &str) -> Option<SocketAddrV4> {
    fs::read_to_string(address_file(project, node)).ok()?.trim().parse().ok()
}

/// Whether the node is there, running or not.
pub(super) fn is_made(project: &Path, node: &str) -> bool {
    log_file(project, node).exists()
}

pub(super) fn create_data(project: &Path, node: &str, socket: SocketAddrV4) -> Result<(), Failure> {
    let (folder, address) = (data_folder(project, node), address_file(project, node));
    fs::create_dir_all(&folder).map_err(failed(format!("cannot create {}", folder.display())))?;
    fs::write(&address, format!("{socket}\n")).map_err(failed(format!("cannot write {}", address.display())))?;
    open_log(project, node).map(drop)
}

/// The node's log, to add to it.
pub(super) fn open_log(project: &Path, node: &str) -> Result<File, Failure> {
    let log = log_file(project, node);
    let opened = OpenOptions::new().create(true).append(true).open(&log);
    opened.map_err(failed(format!("cannot open {}", log.display())))
}

/// The node without its data.
pub(super) fn remove_log(project: &Path, node: &str) -> Result<(), Failure> {
    let log = log_file(project, node);
    match fs::remove_file(&log) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(failed(format!("cannot remove {}", log.display()))(error))
        }
        _ => Ok(()),
    }
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

/// The nodes of a project that have data.
pub(super) fn nodes_with_data(project: &Path) -> Vec<String> {
    let mut nodes = folders(project);
    nodes.retain(|node| data_folder(project, node).is_dir());
    nodes
}

/// The names of the folders in a folder, sorted; none when it is not there. A dot begins the tool's own.
pub(super) fn folders(parent: &Path) -> Vec<String> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}
