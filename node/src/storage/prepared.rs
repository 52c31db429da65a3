//! Room in the journal that the file system has given already.
//!
//! The engine makes its journal as one long hole, and a sync of what falls into a hole waits for the file system's own journal
//! too: it must remember the new blocks. Zeros written ahead spare that, a third of the sync's time. The file reads the same.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
};

use nix::unistd::{Whence, lseek};

use super::journal::journals_in;

/// Zeros written at a time: a sync that takes them along is not much longer than others.
pub(super) const STEP_BYTES: usize = 512 * 1024;

/// Writes zeros into the newest journal ahead of the engine, which must not write meanwhile.
#[derive(Debug)]
pub(super) struct Prepared {
    engine: PathBuf,
    /// Bytes that can be written before more zeros are due.
    left: usize,
}

impl Prepared {
    pub(super) fn new(engine: PathBuf) -> Self {
        Self { engine, left: 0 }
    }

    /// Takes note that a commit of so many bytes is next. Without room for it everything works, so no failure is told.
    pub(super) fn use_up(&mut self, bytes: usize) {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => {
                // Tried once a step, also where there is nothing to prepare.
                self.left = STEP_BYTES.saturating_sub(bytes);
                let _ = self.prepare();
            }
        }
    }

    /// Fills the start of the first hole. A journal of an earlier start has none: the engine appends to it.
    fn prepare(&self) -> io::Result<()> {
        let Some(path) = journals_in(&self.engine)?.pop() else { return Ok(()) };
        let journal = OpenOptions::new().read(true).write(true).open(path)?;
        let hole = first_hole(&journal)?;
        let room = journal.metadata()?.len().saturating_sub(hole);
        let mut zeros = vec![0; STEP_BYTES.min(usize::try_from(room).unwrap_or(STEP_BYTES))];
        // There are file systems that have called fresh data a hole.
        journal.read_exact_at(&mut zeros, hole)?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(io::Error::other("the hole is none"));
        }
        journal.write_all_at(&zeros, hole)
    }
}

/// Where the first hole begins: at the end, where there is none or the file system knows of none.
pub(super) fn first_hole(file: &File) -> io::Result<u64> {
    let hole = lseek(file, 0, Whence::SeekHole).map_err(io::Error::from)?;
    u64::try_from(hole).map_err(io::Error::other)
}
