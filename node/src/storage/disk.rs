//! The storage on disk: fjall, a log-structured merge tree with a journal.
//!
//! The core holds all data in memory and the disk is only read at a start, so caches and buffers are small.

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use node_core::{Change, Record, Recovered, SlotId};
use serde::de::DeserializeOwned;
use tracing::{info, warn};

use super::{
    Storage, StorageError, codec,
    directory::Directory,
    journal::{Journals, Trailer},
    prepared::Prepared,
};

/// Blocks of tables kept in memory.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;
/// Writes collected in memory before they become a table.
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;
/// Full buffers and unmerged tables at which a commit waits; the engine itself waits for ever at 4 and at 30.
const FULL_MEMTABLES_MAX: usize = 3;
const UNMERGED_TABLES_MAX: usize = 18;
const ROOM_POLL: Duration = Duration::from_millis(5);
/// Threads that write tables and merge them.
const WORKERS: usize = 1;
/// What the engine adds to an item in its journal, about, and what it and the trailer add to a commit.
const ITEM_BYTES: usize = 21;
const COMMIT_BYTES: usize = 88;
const KEYSPACE: &str = "node";

/// What becomes of each key in a commit.
type Staged = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A data directory that is open.
pub(crate) struct DiskStorage {
    directory: Directory,
    database: Database,
    keyspace: Keyspace,
    prepared: Prepared,
    /// The number of the newest commit.
    commit: u64,
    /// The newest commit that is synced.
    synced: u64,
}

impl DiskStorage {
    /// Opens a data directory; makes it where there is none.
    ///
    /// # Errors
    /// [`StorageError`], and then nothing in it is changed.
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let directory = Directory::open(path)?;
        if directory.is_new { Self::create(directory) } else { Self::recover_from(directory) }
    }

    fn new(directory: Directory, database: Database, keyspace: Keyspace) -> Self {
        let prepared = Prepared::new(directory.engine());
        Self { directory, database, keyspace, prepared, commit: 0, synced: 0 }
    }

    fn create(directory: Directory) -> Result<Self, StorageError> {
        let (database, keyspace) = open_engine(&directory).map_err(|error| failed(&directory, error))?;
        let mut storage = Self::new(directory, database, keyspace);
        let uuid = getrandom::u64().map_err(|error| storage.unusable(std::io::Error::other(error)))?;
        let uuid = codec::encode(&uuid).map_err(|error| storage.unusable(std::io::Error::other(error)))?;
        storage.commit(Staged::from([(codec::UUID.to_vec(), Some(uuid))]))?;
        storage.sync()?;
        storage.directory.mark()?;
        info!(path = %storage.directory.path().display(), "data directory made");
        Ok(storage)
    }

    fn recover_from(directory: Directory) -> Result<Self, StorageError> {
        let engine = directory.engine();
        let journals = Journals::keep(&engine, directory.safekeeping())?;
        match Self::recover_engine(directory, &journals) {
            Ok(storage) => {
                journals.release()?;
                Ok(storage)
            }
            Err(error) => {
                journals.restore(&engine)?;
                Err(error)
            }
        }
    }

    /// Everything that the engine changes in the journals on the way is in `journals`.
    fn recover_engine(directory: Directory, journals: &Journals) -> Result<Self, StorageError> {
        let mut opened = open_engine_carefully(&directory);
        // What was not synced may be on the disk with its end and without a part before it.
        for offset in journals.cuts() {
            if !matches!(opened, Err(Trouble::Journal(_))) {
                break;
            }
            journals.cut(offset)?;
            opened = open_engine_carefully(&directory);
        }
        let (database, keyspace) = opened.map_err(|trouble| trouble.blame(&directory, journals))?;
        let mut storage = Self::new(directory, database, keyspace);
        let trailer = storage.keyspace.get(codec::COMMIT).map_err(|error| storage.unreadable(&error))?;
        let commit = trailer.and_then(|trailer| Trailer::decode(&trailer)).map(|trailer| trailer.number);
        // Before it is missed, since the journal that has lost it is known here.
        let cut = journals.check(commit.unwrap_or(0))?;
        storage.commit = commit.ok_or_else(|| storage.unreadable(&"it has no commit"))?;
        storage.synced = storage.commit;
        if let Some((path, bytes)) = cut {
            warn!(path = %path.display(), bytes, "what was not synced when the node ended is in part lost, and cut off");
        }
        Ok(storage)
    }

    fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StorageError> {
        let Some(bytes) = self.keyspace.get(key).map_err(|error| self.unreadable(&error))? else { return Ok(None) };
        let value = codec::decode(&bytes);
        value.map(Some).ok_or_else(|| self.unreadable(&format!("the value of {key:?} is none")))
    }

    /// Adds a change to what is to be committed: the last word on each key, `None` for one that goes.
    fn stage(&self, staged: &mut Staged, change: &Change) -> Result<(), StorageError> {
        let encoding = |error| self.unusable(std::io::Error::other(error));
        let (key, value) = match change {
            Change::Boot(boot) => (codec::BOOT.to_vec(), codec::encode(boot).map_err(encoding)?),
            Change::Placement(placement) => (codec::PLACEMENT.to_vec(), codec::encode(placement).map_err(encoding)?),
            Change::Members(members) => (codec::MEMBERS.to_vec(), codec::encode(members).map_err(encoding)?),
            Change::Slot(slot, meta) => (codec::slot(*slot).to_vec(), codec::encode(meta).map_err(encoding)?),
            Change::Record(record) => (codec::record(record), codec::encode(record).map_err(encoding)?),
            Change::RemoveRecord(record) => {
                staged.insert(codec::record(record), None);
                return Ok(());
            }
            Change::DropSlot(slot) => return self.stage_drop(staged, *slot),
        };
        staged.insert(key, Some(value));
        Ok(())
    }

    fn stage_drop(&self, staged: &mut Staged, slot: SlotId) -> Result<(), StorageError> {
        let prefix = codec::records(slot);
        for (_, value) in staged.range_mut(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(&prefix)) {
            *value = None;
        }
        for entry in self.keyspace.prefix(prefix) {
            let key = entry.key().map_err(|error| failed(&self.directory, error))?;
            staged.insert(key.to_vec(), None);
        }
        staged.insert(codec::slot(slot).to_vec(), None);
        Ok(())
    }

    /// Has a full buffer made into a table, and waits while too many are on the way.
    ///
    /// The engine would do both itself, in ways that can last for ever: it tells its thread of a full buffer at every commit, in
    /// a queue that this thread alone empties and waits for when it is full; and a commit waits for a thread that has failed.
    fn make_room(&self) -> Result<(), StorageError> {
        let is_behind = || {
            self.keyspace.sealed_memtable_count() >= FULL_MEMTABLES_MAX
                || self.keyspace.tree.l0_run_count() >= UNMERGED_TABLES_MAX
        };
        while is_behind() {
            // Fails when the engine's thread has.
            self.database.persist(PersistMode::Buffer).map_err(|error| failed(&self.directory, error))?;
            thread::sleep(ROOM_POLL);
        }
        if self.keyspace.tree.active_memtable().size() >= MEMTABLE_BYTES {
            self.keyspace.rotate_memtable().map_err(|error| failed(&self.directory, error))?;
        }
        Ok(())
    }

    /// Hands a commit to the system, ended by its trailer.
    fn commit(&mut self, staged: Staged) -> Result<(), StorageError> {
        self.make_room()?;
        let number = self.commit + 1;
        let item_bytes =
            |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| ITEM_BYTES + key.len() + value.as_ref().map_or(0, Vec::len);
        self.prepared.use_up(COMMIT_BYTES + staged.iter().map(item_bytes).sum::<usize>());
        let mut batch = self.database.batch().durability(Some(PersistMode::Buffer));
        for (key, value) in staged {
            match value {
                Some(value) => batch.insert(&self.keyspace, key, value),
                None => batch.remove(&self.keyspace, key),
            }
        }
        batch.insert(&self.keyspace, codec::COMMIT, Trailer { number, synced: self.synced }.encode());
        batch.commit().map_err(|error| failed(&self.directory, error))?;
        self.commit = number;
        Ok(())
    }

    fn unusable(&self, source: std::io::Error) -> StorageError {
        StorageError::Unusable { path: self.directory.path().to_owned(), source }
    }

    fn unreadable(&self, reason: &dyn std::fmt::Display) -> StorageError {
        StorageError::Damaged { path: self.directory.engine(), reason: reason.to_string() }
    }
}

impl Storage for DiskStorage {
    fn recover(&mut self) -> Result<Recovered, StorageError> {
        let uuid = self.get(codec::UUID)?.ok_or_else(|| self.unreadable(&"it has no uuid"))?;
        let mut slots = BTreeMap::new();
        for entry in self.keyspace.prefix(codec::SLOTS) {
            let (key, value) = entry.into_inner().map_err(|error| self.unreadable(&error))?;
            let slot = SlotId(key.get(1).copied().unwrap_or_default());
            let meta = codec::decode(&value).ok_or_else(|| self.unreadable(&format!("{slot:?} has no meta data")))?;
            slots.insert(slot, (meta, Vec::new()));
        }
        for (slot, (_, records)) in &mut slots {
            for entry in self.keyspace.prefix(codec::records(*slot)) {
                let (key, value) = entry.into_inner().map_err(|error| self.unreadable(&error))?;
                let record: Option<Arc<Record>> = codec::decode(&value);
                records.push(record.ok_or_else(|| self.unreadable(&format!("the value of {key:?} is no record")))?);
            }
        }
        Ok(Recovered {
            uuid,
            boot: self.get(codec::BOOT)?,
            placement: self.get(codec::PLACEMENT)?,
            members: self.get(codec::MEMBERS)?,
            slots: slots.into_iter().map(|(slot, (meta, records))| (slot, meta, records)).collect(),
        })
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), StorageError> {
        let mut staged = Staged::new();
        for change in changes {
            self.stage(&mut staged, change)?;
        }
        self.commit(staged)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.database.persist(PersistMode::SyncData).map_err(|error| failed(&self.directory, error))?;
        self.synced = self.commit;
        Ok(())
    }

    fn free_bytes(&self) -> Result<u64, StorageError> {
        self.directory.free_bytes()
    }
}

fn open_engine(directory: &Directory) -> fjall::Result<(Database, Keyspace)> {
    let database = Database::builder(directory.engine()).cache_size(CACHE_BYTES).worker_threads(WORKERS).open()?;
    let keyspace = database.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?;
    Ok((database, keyspace))
}

fn failed(directory: &Directory, source: fjall::Error) -> StorageError {
    StorageError::Failed { path: directory.path().to_owned(), source }
}

/// Why the engine does not open.
enum Trouble {
    InUse,
    /// A journal makes no sense.
    Journal(String),
    Other(String),
}

impl Trouble {
    fn blame(self, directory: &Directory, journals: &Journals) -> StorageError {
        match self {
            Self::InUse => StorageError::InUse { path: directory.path().to_owned() },
            Self::Journal(reason) => {
                let path = journals.suspect().map_or_else(|| directory.engine(), Path::to_owned);
                StorageError::Damaged { path, reason }
            }
            Self::Other(reason) => StorageError::Damaged { path: directory.engine(), reason },
        }
    }
}

/// As [`open_engine`]. The engine panics at some kinds of damage in a journal.
fn open_engine_carefully(directory: &Directory) -> Result<(Database, Keyspace), Trouble> {
    match panic::catch_unwind(AssertUnwindSafe(|| open_engine(directory))) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(fjall::Error::Locked)) => Err(Trouble::InUse),
        Ok(Err(error @ fjall::Error::JournalRecovery(_))) => Err(Trouble::Journal(error.to_string())),
        Ok(Err(error)) => Err(Trouble::Other(error.to_string())),
        Err(_) => Err(Trouble::Journal("its entries contradict each other".to_owned())),
    }
}

#[cfg(test)]
mod tests;
