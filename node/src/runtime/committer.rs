//! Group commit: a thread that makes everything that waits durable with one sync, then says so.

use std::{
    io,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use node_core::{Change, Recovered};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{metrics::RuntimeMetrics, storage::Storage};

struct Batch {
    number: u64,
    changes: Vec<Change>,
}

/// The way to the committer's thread, which ends when this is dropped.
///
/// Neither queue has a bound of its own: the core has only so many clients and peers to write for.
pub(super) struct Committer {
    batches: Sender<Batch>,
    completed: UnboundedReceiver<io::Result<u64>>,
}

/// Reads what `storage` holds, off the async threads.
///
/// # Errors
/// What the storage says.
pub(crate) async fn recover(mut storage: Box<dyn Storage>) -> io::Result<(Recovered, Box<dyn Storage>)> {
    let read = tokio::task::spawn_blocking(move || {
        let recovered = storage.recover()?;
        Ok((recovered, storage))
    });
    read.await.map_err(io::Error::other)?
}

impl Committer {
    pub(super) fn start(storage: Box<dyn Storage>, metrics: RuntimeMetrics) -> io::Result<Self> {
        let (batches, waiting) = channel();
        let (report, completed) = unbounded_channel();
        thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || commit(storage, &waiting, &report, &metrics))?;
        Ok(Self { batches, completed })
    }

    /// Queues a batch.
    ///
    /// # Errors
    /// When the thread has ended, which a failed sync makes it do.
    pub(super) fn submit(&self, number: u64, changes: Vec<Change>) -> io::Result<()> {
        self.batches.send(Batch { number, changes }).map_err(|_| ended())
    }

    /// The number of a batch that is durable, as all before it are.
    ///
    /// # Errors
    /// When a sync has failed.
    pub(super) async fn completed(&mut self) -> io::Result<u64> {
        self.completed.recv().await.unwrap_or_else(|| Err(ended()))
    }
}

fn ended() -> io::Error {
    io::Error::other("the committer has ended")
}

fn commit(
    mut storage: Box<dyn Storage>,
    waiting: &Receiver<Batch>,
    report: &UnboundedSender<io::Result<u64>>,
    metrics: &RuntimeMetrics,
) {
    while let Ok(Batch { mut number, mut changes }) = waiting.recv() {
        metrics.batches.inc();
        for next in waiting.try_iter() {
            number = next.number;
            changes.extend(next.changes);
            metrics.batches.inc();
        }
        let result = storage.commit(changes).map(|()| number);
        metrics.syncs.inc();
        let failed = result.is_err();
        if report.send(result).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use node_core::{Boot, Change, Recovered};

    use super::Committer;
    use crate::{metrics::RuntimeMetrics, storage::Storage};

    /// Takes `left` commits, then fails.
    struct Failing {
        left: u32,
    }

    impl Storage for Failing {
        fn recover(&mut self) -> io::Result<Recovered> {
            Ok(Recovered::empty(1))
        }

        fn commit(&mut self, changes: Vec<Change>) -> io::Result<()> {
            assert!(!changes.is_empty());
            self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("disk on fire"))?;
            Ok(())
        }
    }

    fn change() -> Vec<Change> {
        vec![Change::Boot(Boot { epoch_limit: 1, incarnation: 1 })]
    }

    #[tokio::test]
    async fn batches_complete_in_order_and_all_of_them() {
        let storage = Box::new(Failing { left: u32::MAX });
        let mut committer = Committer::start(storage, RuntimeMetrics::default()).unwrap();
        for number in 1..=100 {
            committer.submit(number, change()).unwrap();
        }
        let mut last = 0;
        while last < 100 {
            let number = committer.completed().await.unwrap();
            assert!(number > last);
            last = number;
        }
    }

    #[tokio::test]
    async fn a_failed_sync_is_final() {
        let storage = Box::new(Failing { left: 0 });
        let mut committer = Committer::start(storage, RuntimeMetrics::default()).unwrap();
        committer.submit(1, change()).unwrap();
        let error = committer.completed().await.unwrap_err();
        assert_eq!(error.to_string(), "disk on fire");
        assert!(committer.completed().await.is_err());
    }
}
