//! Where durable state is kept, behind a trait: the core says what changes, a storage makes it last.

mod codec;
mod directory;
mod disk;
mod journal;
mod prepared;

use std::{io, path::PathBuf};

use node_core::{Change, Recovered};
use thiserror::Error;

pub(crate) use self::disk::DiskStorage;

/// A place for durable state. Used by one thread at a time.
pub(crate) trait Storage: Send + 'static {
    /// Reads what was committed before. Called once, first.
    ///
    /// # Errors
    /// [`StorageError`]; the node cannot start then.
    fn recover(&mut self) -> Result<Recovered, StorageError>;

    /// Hands changes to the system, all of them or none, in order. They outlive this process, not the machine.
    ///
    /// # Errors
    /// [`StorageError`]. Final: what a failed write has left behind is unknown, so nothing is written after it.
    fn write(&mut self, changes: &[Change]) -> Result<(), StorageError>;

    /// Makes everything that was written durable, with one sync.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn sync(&mut self) -> Result<(), StorageError>;

    /// Bytes that are still free.
    ///
    /// # Errors
    /// What the system says.
    fn free_bytes(&self) -> Result<u64, StorageError>;
}

/// What is wrong with a data directory.
#[derive(Debug, Error)]
pub enum StorageError {
    /// It cannot be made, read or written.
    #[error("cannot use {path}: DATA_DIR must name a directory that this user may write to")]
    Unusable {
        /// What cannot be used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{path} is in use by another node: give each a DATA_DIR of its own")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Written by another version.
    #[error(
        "{path} says format {found}, and this node reads format {known}: start the version that wrote it, or move the \
         directory away and start empty"
    )]
    Format {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What is known.
        known: u32,
    },
    /// What was acknowledged cannot be read.
    #[error(
        "{path} is damaged: {reason}. Nothing was changed. Restore it, or move the data directory away and start empty, \
         so that the node copies from the others"
    )]
    Damaged {
        /// The file, or the directory where it is not known which.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A write or a sync has failed.
    #[error("a write to {path} has failed")]
    Failed {
        /// The directory.
        path: PathBuf,
        /// What the storage engine said.
        source: fjall::Error,
    },
}
