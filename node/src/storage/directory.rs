//! A data directory before anything in it is read: its lock, its format, the space around it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::sys::statvfs::statvfs;

use super::{StorageError, codec::FORMAT};

/// How long a process that is just ending may keep the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(20);

/// A directory that this process has to itself until this is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Whether it was made now.
    pub(super) is_new: bool,
    _lock: File,
}

impl Directory {
    /// Makes the directory where there is none, takes its lock, and checks its format.
    ///
    /// # Errors
    /// [`StorageError::Unusable`], [`StorageError::InUse`], [`StorageError::Format`], [`StorageError::Damaged`].
    pub(super) fn open(path: &Path) -> Result<Self, StorageError> {
        let unusable = |source| StorageError::Unusable { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = lock(path)?;
        let mut directory = Self { path: path.to_owned(), is_new: false, _lock: lock };
        directory.check_format()?;
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the storage engine has its files.
    pub(super) fn engine(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Where journals are kept while they are being recovered.
    pub(super) fn safekeeping(&self) -> PathBuf {
        self.path.join("recovering")
    }

    fn check_format(&mut self) -> Result<(), StorageError> {
        let path = self.path.join("format");
        match fs::read_to_string(&path) {
            Ok(found) if found.trim() == FORMAT.to_string() => {
                if self.engine().is_dir() {
                    Ok(())
                } else {
                    Err(StorageError::Damaged { path: self.engine(), reason: "it is missing".to_owned() })
                }
            }
            Ok(found) => Err(StorageError::Format { path, found: found.trim().to_owned(), known: FORMAT }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The format is written last, so what has none was never used.
                self.is_new = true;
                remove(&self.engine())
            }
            Err(source) => Err(StorageError::Unusable { path, source }),
        }
    }

    /// Says in the directory which format it has, now that there is something in it.
    ///
    /// # Errors
    /// [`StorageError::Unusable`].
    pub(super) fn mark(&self) -> Result<(), StorageError> {
        let path = self.path.join("format");
        let temporary = self.path.join("format.new");
        let written = fs::write(&temporary, format!("{FORMAT}\n"))
            .and_then(|()| File::open(&temporary)?.sync_all())
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| File::open(&self.path)?.sync_all());
        written.map_err(|source| StorageError::Unusable { path, source })
    }

    /// Bytes that an unprivileged user can still write here.
    ///
    /// # Errors
    /// [`StorageError::Unusable`].
    pub(super) fn free_bytes(&self) -> Result<u64, StorageError> {
        let unusable =
            |error: nix::Error| StorageError::Unusable { path: self.path.clone(), source: io::Error::from(error) };
        let space = statvfs(&self.path).map_err(unusable)?;
        Ok(space.blocks_available().saturating_mul(space.fragment_size()))
    }
}

/// A process that was just killed may still be on its way out.
fn lock(path: &Path) -> Result<File, StorageError> {
    let file = path.join("lock");
    let unusable = |source| StorageError::Unusable { path: file.clone(), source };
    let lock = File::create(&file).map_err(unusable)?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => return Err(StorageError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
    }
}

/// Removes a directory that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StorageError::Unusable { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
