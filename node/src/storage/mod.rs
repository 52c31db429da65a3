//! Where durable state is kept, behind a trait: the core says what changes, a storage makes it last.

mod memory;

use std::io;

use node_core::{Change, Recovered};

pub(crate) use self::memory::MemoryStorage;

/// A place for durable state. Used by one thread at a time.
pub(crate) trait Storage: Send + 'static {
    /// Reads what was committed before. Called once, first.
    ///
    /// # Errors
    /// What the system says; the node cannot start then.
    fn recover(&mut self) -> io::Result<Recovered>;

    /// Makes changes durable: all of them or none, in order, with one sync.
    ///
    /// # Errors
    /// What the system says. Final: what a failed sync has left behind is unknown, so nothing is committed after it.
    fn commit(&mut self, changes: Vec<Change>) -> io::Result<()>;
}
