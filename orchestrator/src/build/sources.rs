//! Whether the node can be compiled, found out without compiling anything.

use std::path::{Path, PathBuf};

/// What there is to compile the node from and with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) folder: PathBuf,
    pub(crate) has_manifest: bool,
    pub(crate) has_dockerfile: bool,
    pub(crate) has_cargo: bool,
}

impl Sources {
    /// Looks into `folder`, and for cargo where the shell would.
    pub(crate) fn look(folder: &Path) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self {
            // Without the `.` that the file says.
            folder: folder.components().collect(),
            has_manifest: folder.join("Cargo.toml").is_file(),
            has_dockerfile: folder.join("Dockerfile").is_file(),
            has_cargo: std::env::split_paths(&path).any(|folder| folder.join("cargo").is_file()),
        }
    }
}
