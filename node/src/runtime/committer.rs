//! Group commit: a thread that makes everything that waits durable with one sync, then says so.
//!
//! Nobody waits for more than the group that its batch is in: while one is synced, the next one gathers.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use node_core::{Change, Durability, Recovered};
use thiserror::Error;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    metrics::RuntimeMetrics,
    storage::{Storage, StorageError},
};

/// Changes in one group, about: more wait for the next one, so that a long queue is acknowledged piece by piece.
const GROUP_CHANGES_MAX: usize = 8_192;
/// With [`Durability::Interval`], what is written is synced at the latest after this time.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);
/// How often it is looked how much space is left.
const SPACE_INTERVAL: Duration = Duration::from_secs(1);

struct Batch {
    number: u64,
    changes: Vec<Change>,
}

/// What the committer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The batch of this number, and all before it, are as durable as asked for.
    Committed(u64),
    /// There is, or is no longer, enough free space for data.
    Space(bool),
}

/// Why the committer has ended. Final.
#[derive(Debug, Error)]
pub(crate) enum CommitError {
    /// A write or a sync has failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It was told to end.
    #[error("the committer has ended")]
    Ended,
}

/// How a committer works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commitment {
    /// When a batch counts as committed.
    pub(crate) durability: Durability,
    /// Below so many bytes of free space it says that there is not enough.
    pub(crate) headroom_bytes: u64,
}

/// The way to the committer's thread, which ends when this is dropped.
///
/// Neither queue has a bound of its own: the core stops taking data when too much is under way.
pub(super) struct Committer {
    batches: Sender<Batch>,
    progress: UnboundedReceiver<Result<Progress, StorageError>>,
}

/// Opens a storage and reads what it holds, off the async threads.
///
/// # Errors
/// What the storage says.
pub(crate) async fn recover<S: Storage>(
    open: impl FnOnce() -> Result<S, StorageError> + Send + 'static,
) -> Result<(Recovered, Box<dyn Storage>), StorageError> {
    let read = tokio::task::spawn_blocking(move || {
        let mut storage = open()?;
        let recovered = storage.recover()?;
        Ok((recovered, Box::new(storage) as Box<dyn Storage>))
    });
    match read.await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

impl Committer {
    pub(super) fn start(
        storage: Box<dyn Storage>,
        commitment: Commitment,
        metrics: RuntimeMetrics,
    ) -> std::io::Result<Self> {
        let (batches, waiting) = channel();
        let (report, progress) = unbounded_channel();
        let work = Work { storage, commitment, metrics, report, enough: true, looked: None, unsynced: None };
        thread::Builder::new().name("committer".to_owned()).spawn(move || work.run(&waiting))?;
        Ok(Self { batches, progress })
    }

    /// Queues a batch.
    ///
    /// # Errors
    /// When the thread has ended, which a failed sync makes it do.
    pub(super) fn submit(&self, number: u64, changes: Vec<Change>) -> Result<(), CommitError> {
        self.batches.send(Batch { number, changes }).map_err(|_| CommitError::Ended)
    }

    /// What happens next.
    ///
    /// # Errors
    /// When a write or a sync has failed.
    pub(super) async fn progress(&mut self) -> Result<Progress, CommitError> {
        match self.progress.recv().await {
            Some(progress) => Ok(progress?),
            None => Err(CommitError::Ended),
        }
    }
}

/// The thread's state.
struct Work {
    storage: Box<dyn Storage>,
    commitment: Commitment,
    metrics: RuntimeMetrics,
    report: UnboundedSender<Result<Progress, StorageError>>,
    /// Whether there was enough space at the last look.
    enough: bool,
    looked: Option<Instant>,
    /// Since when something is written and not synced.
    unsynced: Option<Instant>,
}

impl Work {
    fn run(mut self, waiting: &Receiver<Batch>) {
        loop {
            let failed = match waiting.recv_timeout(self.patience()) {
                Ok(first) => self.commit(first, waiting),
                Err(RecvTimeoutError::Timeout) => self.sync_if_due(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            .and_then(|()| self.look_at_space());
            if let Err(error) = failed {
                // Nobody is left to tell when the loop has ended.
                let _ = self.report.send(Err(error));
                return;
            }
        }
    }

    fn patience(&self) -> Duration {
        match self.unsynced {
            Some(since) => SYNC_INTERVAL.saturating_sub(since.elapsed()),
            None => SPACE_INTERVAL,
        }
    }

    fn commit(&mut self, first: Batch, waiting: &Receiver<Batch>) -> Result<(), StorageError> {
        let Batch { mut number, mut changes } = first;
        self.metrics.batches.inc();
        while changes.len() < GROUP_CHANGES_MAX
            && let Ok(next) = waiting.try_recv()
        {
            number = next.number;
            changes.extend(next.changes);
            self.metrics.batches.inc();
        }
        self.look_at_space()?;
        self.storage.write(&changes)?;
        self.unsynced.get_or_insert_with(Instant::now);
        match self.commitment.durability {
            Durability::Sync => self.sync()?,
            Durability::Interval => self.sync_if_due()?,
        }
        self.tell(Progress::Committed(number));
        Ok(())
    }

    fn sync_if_due(&mut self) -> Result<(), StorageError> {
        match self.unsynced {
            Some(since) if since.elapsed() >= SYNC_INTERVAL => self.sync(),
            _ => Ok(()),
        }
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        let begun = Instant::now();
        self.storage.sync()?;
        self.unsynced = None;
        self.metrics.syncs.inc();
        self.metrics.sync_seconds.inc_by(begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn look_at_space(&mut self) -> Result<(), StorageError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < SPACE_INTERVAL) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let enough = self.storage.free_bytes()? >= self.commitment.headroom_bytes;
        if enough != self.enough {
            self.enough = enough;
            self.tell(Progress::Space(enough));
        }
        Ok(())
    }

    fn tell(&self, progress: Progress) {
        // Fails only when the loop has ended.
        let _ = self.report.send(Ok(progress));
    }
}

#[cfg(test)]
mod tests;
