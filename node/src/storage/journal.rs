//! Tells a torn tail of a journal from damage, and keeps the journals safe while the engine recovers them.
//!
//! The engine cuts a journal off where it cannot read on, whatever comes behind. Every commit ends with a *trailer*: a magic
//! number, the number of the commit, that of the newest synced one before it, and a check, so that trailers can be found
//! without knowing the engine's format. What was not synced can be on the disk in part after a crash, and is cut off. A trailer
//! that knows of a synced commit which could not be read proves that something acknowledged is damaged. Only damage behind the newest
//! sync that a trailer knows of cannot be told from a torn tail: in the last commit, and with an interval between the syncs in those
//! of the last interval.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use super::{StorageError, directory};

const MAGIC: [u8; 16] = *b"\x9dcommit-of-node\xe7";
/// Magic number, number of the commit, number of the newest synced one, check.
const TRAILER_BYTES: usize = 40;
/// What the engine ends a commit with, behind the trailer: a tag, a checksum and a magic number of its own.
const END_BYTES: u64 = 1 + 8 + 4;
const CHUNK_BYTES: usize = 1 << 20;

/// The last item of every commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    /// Which commit this is.
    pub(super) number: u64,
    /// The newest commit that was synced when this one was begun.
    pub(super) synced: u64,
}

impl Trailer {
    pub(super) fn encode(self) -> [u8; TRAILER_BYTES] {
        let mut bytes = [0; TRAILER_BYTES];
        bytes[..16].copy_from_slice(&MAGIC);
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.synced.to_le_bytes());
        let check = blake3::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&check.as_bytes()[..8]);
        bytes
    }

    /// `None` for what [`encode`](Self::encode) did not make.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |range: Range<usize>| Some(u64::from_le_bytes(bytes.get(range)?.try_into().ok()?));
        let trailer = Self { number: number(16..24)?, synced: number(24..32)? };
        (bytes == trailer.encode()).then_some(trailer)
    }
}

/// One journal as it was before recovery.
#[derive(Debug)]
struct Journal {
    path: PathBuf,
    /// Bytes up to the last that is not zero: the engine allocates ahead.
    used: u64,
    /// The trailers from that of the newest synced commit on, and where each begins.
    trailers: Vec<(Trailer, u64)>,
}

impl Journal {
    /// Where it may have to be cut off, in the order in which that is to be tried: behind the last trailer, since a commit may
    /// follow whose own is lost; behind the one before it; behind that of the newest commit that is known to be synced. Where
    /// several commits are not known to be, the last takes more than it must, but is found without opening the engine for each.
    fn cuts(&self) -> Vec<u64> {
        let behind = |(_, offset): &(Trailer, u64)| offset + TRAILER_BYTES as u64 + END_BYTES;
        let last = self.trailers.last();
        let known =
            self.trailers.first().filter(|(first, _)| last.is_some_and(|(last, _)| first.number == last.synced));
        let newest = self.trailers.iter().rev().take(2).map(behind);
        // It may be in an older journal.
        let mut cuts: Vec<u64> = newest.chain([known.map_or(0, behind)]).collect();
        cuts.dedup();
        cuts
    }
}

/// The journals of a directory, as they were before recovery, with copies of them.
#[derive(Debug)]
pub(super) struct Journals {
    journals: Vec<Journal>,
    copies: PathBuf,
}

impl Journals {
    /// Looks at the journals in `engine`, and copies them to `copies`. Copies that are there are of a recovery that was
    /// interrupted: they take the place of what it left.
    ///
    /// # Errors
    /// [`StorageError::Unusable`].
    pub(super) fn keep(engine: &Path, copies: PathBuf) -> Result<Self, StorageError> {
        let mut kept = Self { journals: Vec::new(), copies };
        let unusable = |path: &Path, source| StorageError::Unusable { path: path.to_owned(), source };
        if kept.copies.is_dir() {
            kept.restore_into(engine)?;
        }
        let temporary = kept.copies.with_extension("new");
        directory::remove(&temporary)?;
        fs::create_dir(&temporary).map_err(|source| unusable(&temporary, source))?;
        for path in journals_in(engine).map_err(|source| unusable(engine, source))? {
            let copy = temporary.join(path.file_name().unwrap_or_default());
            let journal = examine(&path, &copy).map_err(|source| unusable(&path, source))?;
            kept.journals.push(journal);
        }
        File::open(&temporary)
            .and_then(|folder| folder.sync_all())
            .and_then(|()| fs::rename(&temporary, &kept.copies))
            .map_err(|source| unusable(&temporary, source))?;
        Ok(kept)
    }

    /// Where the newest journal may have to be cut off for the engine to read it, in the order in which that is to be tried.
    pub(super) fn cuts(&self) -> Vec<u64> {
        self.journals.last().map(Journal::cuts).unwrap_or_default()
    }

    /// Cuts the newest journal off.
    ///
    /// # Errors
    /// [`StorageError::Unusable`].
    pub(super) fn cut(&self, offset: u64) -> Result<(), StorageError> {
        let Some(journal) = self.journals.last() else { return Ok(()) };
        let cut = OpenOptions::new().write(true).open(&journal.path).and_then(|file| {
            file.set_len(file.metadata()?.len().min(offset))?;
            file.sync_all()
        });
        cut.map_err(|source| StorageError::Unusable { path: journal.path.clone(), source })
    }

    /// After recovery up to the commit `recovered`: what was cut off, for the log, where that could be.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] when something acknowledged is gone.
    pub(super) fn check(&self, recovered: u64) -> Result<Option<(PathBuf, u64)>, StorageError> {
        let mut cut = None;
        for (index, journal) in self.journals.iter().enumerate() {
            let left = match fs::metadata(&journal.path) {
                Ok(metadata) => metadata.len(),
                // All of it is in tables.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(StorageError::Unusable { path: journal.path.clone(), source }),
            };
            let lost = journal.used.saturating_sub(left);
            let is_active = index + 1 == self.journals.len();
            let proof = journal.trailers.last().is_some_and(|(last, _)| last.synced > recovered);
            if proof || lost > 0 && !is_active {
                let reason = format!("it cannot be read beyond byte {left} of {}", journal.used);
                return Err(StorageError::Damaged { path: journal.path.clone(), reason });
            }
            if lost > 0 {
                cut = Some((journal.path.clone(), lost));
            }
        }
        Ok(cut)
    }

    /// The journal that is at fault when the engine cannot read one, as far as can be told.
    pub(super) fn suspect(&self) -> Option<&Path> {
        self.journals.last().map(|journal| &*journal.path)
    }

    /// Puts the journals back as they were.
    ///
    /// # Errors
    /// [`StorageError::Unusable`].
    pub(super) fn restore(self, engine: &Path) -> Result<(), StorageError> {
        self.restore_into(engine)
    }

    /// Forgets the copies.
    ///
    /// # Errors
    /// [`StorageError::Unusable`].
    pub(super) fn release(self) -> Result<(), StorageError> {
        directory::remove(&self.copies)
    }

    fn restore_into(&self, engine: &Path) -> Result<(), StorageError> {
        let restored = journals_in(&self.copies).and_then(|copies| {
            for copy in copies {
                let place = engine.join(copy.file_name().unwrap_or_default());
                fs::copy(&copy, &place)?;
                File::open(&place)?.sync_all()?;
            }
            File::open(engine)?.sync_all()
        });
        restored.map_err(|source| StorageError::Unusable { path: self.copies.clone(), source })?;
        directory::remove(&self.copies)
    }
}

/// The journals of a folder, oldest first.
pub(super) fn journals_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|extension| extension == "jnl")) {
            journals.push((number, path));
        }
    }
    journals.sort();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

/// Reads a journal from start to end, and copies what is used of it.
fn examine(path: &Path, copy: &Path) -> io::Result<Journal> {
    let mut journal = Journal { path: path.to_owned(), used: 0, trailers: Vec::new() };
    let mut from = File::open(path)?;
    let mut to = File::create(copy)?;
    // The window begins with the end of the one before, where a trailer may have begun.
    let mut window = Vec::new();
    let mut offset = 0;
    let mut zeros = 0;
    let zero = vec![0; CHUNK_BYTES];
    loop {
        let kept = window.len();
        let read = Read::by_ref(&mut from).take(CHUNK_BYTES as u64).read_to_end(&mut window)?;
        if read == 0 {
            break;
        }
        let fresh = &window[kept..];
        // Mostly allocated ahead.
        if fresh == &zero[..read] && kept == 0 {
            zeros += read as u64;
            offset += read as u64;
            window.clear();
            continue;
        }
        if let Some(last) = fresh.iter().rposition(|byte| *byte != 0) {
            io::copy(&mut io::repeat(0).take(zeros), &mut to)?;
            to.write_all(&fresh[..=last])?;
            journal.used = offset + (kept + last) as u64 + 1;
            zeros = (read - last - 1) as u64;
        } else {
            zeros += read as u64;
        }
        for start in starts(&window) {
            if let Some(trailer) = window.get(start..start + TRAILER_BYTES).and_then(Trailer::decode) {
                journal.trailers.push((trailer, offset + start as u64));
                journal.trailers.retain(|(earlier, _)| earlier.number >= trailer.synced);
            }
        }
        // What ends with zeros ends with no part of a trailer: the magic number has none.
        let ends_with_zeros = window.ends_with(&zero[..TRAILER_BYTES]);
        let rest = if ends_with_zeros { window.len() } else { window.len().saturating_sub(TRAILER_BYTES - 1) };
        offset += rest as u64;
        window.drain(..rest);
    }
    to.sync_all()?;
    Ok(journal)
}

/// Where the magic number is.
fn starts(window: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let first = |(at, byte): (usize, &u8)| (*byte == MAGIC[0]).then_some(at);
    window.iter().enumerate().filter_map(first).filter(|at| window[*at..].starts_with(&MAGIC))
}
