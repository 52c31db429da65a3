//! No disk at all: durable means held by this process.

use std::io;

use node_core::{Change, Recovered};

use super::Storage;

/// Keeps nothing of its own, since the core holds all data. A node that starts on it is new, as on an empty disk.
#[derive(Debug, Default)]
pub(crate) struct MemoryStorage;

impl Storage for MemoryStorage {
    fn recover(&mut self) -> io::Result<Recovered> {
        Ok(Recovered::empty(getrandom::u64().map_err(io::Error::other)?))
    }

    fn commit(&mut self, _changes: Vec<Change>) -> io::Result<()> {
        Ok(())
    }
}
