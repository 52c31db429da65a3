use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use node_core::{Boot, Change, Durability, Recovered};

use super::{CommitError, Commitment, Committer, Progress};
use crate::{
    metrics::RuntimeMetrics,
    storage::{Storage, StorageError},
};

/// What a storage does, and is asked to do.
#[derive(Default)]
struct Script {
    free: AtomicU64,
    syncs_left: AtomicU64,
    syncs: AtomicU64,
    written: AtomicU64,
    unsynced: AtomicU64,
}

struct Scripted(Arc<Script>);

impl Storage for Scripted {
    fn recover(&mut self) -> Result<Recovered, StorageError> {
        Ok(Recovered::empty(1))
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), StorageError> {
        assert!(!changes.is_empty());
        self.0.written.fetch_add(changes.len() as u64, SeqCst);
        self.0.unsynced.fetch_add(1, SeqCst);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        let failed = || StorageError::Failed { path: "/data".into(), source: fjall::Error::Poisoned };
        self.0.syncs.fetch_add(1, SeqCst);
        self.0.syncs_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).map_err(|_| failed())?;
        self.0.unsynced.store(0, SeqCst);
        Ok(())
    }

    fn free_bytes(&self) -> Result<u64, StorageError> {
        Ok(self.0.free.load(SeqCst))
    }
}

fn committer(durability: Durability, syncs: u64, free: u64) -> (Committer, Arc<Script>) {
    let script = Arc::new(Script { free: free.into(), syncs_left: syncs.into(), ..Script::default() });
    let commitment = Commitment { durability, headroom_bytes: 100 };
    let storage = Box::new(Scripted(Arc::clone(&script)));
    (Committer::start(storage, commitment, RuntimeMetrics::default()).unwrap(), script)
}

fn change() -> Vec<Change> {
    vec![Change::Boot(Boot { epoch_limit: 1, incarnation: 1 })]
}

#[tokio::test]
async fn batches_complete_in_order_all_of_them_and_synced() {
    let (mut committer, script) = committer(Durability::Sync, u64::MAX, 1_000);
    for number in 1..=100 {
        committer.submit(number, change()).unwrap();
    }
    let mut last = 0;
    while last < 100 {
        let Progress::Committed(number) = committer.progress().await.unwrap() else { panic!("space is not short") };
        assert!(number > last);
        last = number;
    }
    assert_eq!(script.written.load(SeqCst), 100);
    assert_eq!(script.unsynced.load(SeqCst), 0);
}

#[tokio::test]
async fn a_failed_sync_is_final() {
    let (mut committer, script) = committer(Durability::Sync, 0, 1_000);
    committer.submit(1, change()).unwrap();
    let error = committer.progress().await.unwrap_err();
    assert_eq!(error.to_string(), "a write to /data has failed");
    assert!(matches!(committer.progress().await, Err(CommitError::Ended)));
    // The thread says that it has ended shortly before it has.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !matches!(committer.submit(2, change()), Err(CommitError::Ended)) {
        assert!(Instant::now() < deadline, "it takes batches after it has ended");
        tokio::task::yield_now().await;
    }
    assert_eq!(script.written.load(SeqCst), 1, "nothing is written after it");
}

#[tokio::test]
async fn with_an_interval_the_answer_comes_before_the_sync_and_the_sync_comes() {
    let (mut committer, script) = committer(Durability::Interval, u64::MAX, 1_000);
    committer.submit(1, change()).unwrap();
    assert_eq!(committer.progress().await.unwrap(), Progress::Committed(1));
    while script.syncs.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn short_space_is_told_before_anything_is_committed() {
    let (mut committer, script) = committer(Durability::Sync, u64::MAX, 99);
    committer.submit(1, change()).unwrap();
    assert_eq!(committer.progress().await.unwrap(), Progress::Space(false));
    assert_eq!(committer.progress().await.unwrap(), Progress::Committed(1));
    script.free.store(100, SeqCst);
    assert_eq!(committer.progress().await.unwrap(), Progress::Space(true));
}
