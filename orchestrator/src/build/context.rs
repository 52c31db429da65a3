//! The build context as a tar in memory: the same paths that `docker build .` sends, and nothing else.
//!
//! Invariant: the same inputs give the same bytes, so that their hash says whether anything changed.

use std::io;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::failure::Failure;

/// The folder that becomes `/data`; its content (a file that keeps it in git) is not needed.
const DATA: &str = "orchestrator/image/data";

/// Packs the Dockerfile of `folder` and the node, compiled for `triple`.
pub(super) fn pack(folder: &Path, triple: &str, node: &[u8]) -> Result<Vec<u8>, Failure> {
    let path = folder.join("Dockerfile");
    let dockerfile = std::fs::read(&path).map_err(|error| {
        Failure::Image(format!(
            "cannot read {}: {error}; image.build must name the clone of this project",
            path.display()
        ))
    })?;
    archive(&dockerfile, triple, node).map_err(|error| Failure::Image(format!("cannot pack the context: {error}")))
}

/// Packs the barrier with the Dockerfile that it has in here only.
pub(super) fn pack_barrier(dockerfile: &str, barrier: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut tar = Builder::new(Vec::with_capacity(barrier.len() + (64 << 10)));
    append(&mut tar, "Dockerfile", EntryType::Regular, 0o644, dockerfile.as_bytes())
        .and_then(|()| append(&mut tar, "partition", EntryType::Regular, 0o755, barrier))
        .and_then(|()| tar.into_inner())
        .map_err(|error| Failure::Image(format!("cannot pack the context: {error}")))
}

fn archive(dockerfile: &[u8], triple: &str, node: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::with_capacity(node.len() + (64 << 10)));
    append(&mut tar, "Dockerfile", EntryType::Regular, 0o644, dockerfile)?;
    append(&mut tar, DATA, EntryType::Directory, 0o755, &[])?;
    append(&mut tar, &format!("target/{triple}/release/node"), EntryType::Regular, 0o755, node)?;
    tar.into_inner()
}

fn append(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, data: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_size(data.len() as u64);
    tar.append_data(&mut header, path, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_inputs_give_the_same_bytes() {
        let pack = |node: &[u8]| archive(b"FROM scratch", "x86_64-unknown-linux-musl", node).expect("in memory");
        assert_eq!(pack(b"node"), pack(b"node"));
        assert_ne!(pack(b"node"), pack(b"edon"));
    }

    #[test]
    fn the_dockerfile_copies_exactly_what_is_packed() {
        let dockerfile = include_str!("../../../Dockerfile");
        assert!(dockerfile.contains(&format!("{DATA} /data")));
        assert!(dockerfile.contains("target/${TARGET}/release/node /node"));
    }
}
