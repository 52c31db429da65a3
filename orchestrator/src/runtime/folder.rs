//! What a folder of this machine offers, without touching it.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use crate::observed::Folder;

/// Looks at the folder, or where it is not there yet at the nearest one above it, in which it would be made.
pub(super) fn look(path: &Path) -> Folder {
    let there = path.ancestors().find(|folder| folder.exists());
    let flags = AccessFlags::W_OK | AccessFlags::X_OK;
    Folder {
        path: path.to_owned(),
        free_bytes: there.and_then(free_bytes),
        is_writable: there.is_some_and(|folder| folder.is_dir() && access(folder, flags).is_ok()),
    }
}

/// What is left for somebody who is not the superuser.
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    (disk.blocks_available() as u64).checked_mul(disk.fragment_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_that_in_which_it_would_be_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let seen = look(&folder.path().join("not/there"));
        assert!(seen.is_writable && seen.free_bytes.is_some(), "{seen:?}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        assert!(!look(&file.join("below")).is_writable);
    }
}
