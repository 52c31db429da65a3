use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use node_core::{
    Boot, Change, Dot, Frontier, Hlc, Holding, Key, Members, Origin, Placement, Record, Recovered, SlotId, SlotMeta,
};
use tempfile::TempDir;

use super::{
    super::prepared::{STEP_BYTES, first_hole},
    AbstractTree, DiskStorage, FULL_MEMTABLES_MAX, MEMTABLE_BYTES, Staged, Storage, StorageError,
};

mod damage;

const ORIGIN: Origin = Origin { uuid: 7, epoch: 3 };

fn record(number: u64) -> Arc<Record> {
    let key = Key::new(&format!("key{}", number % 20)).unwrap();
    let dot = Dot { slot: key.slot(), origin: ORIGIN, seq: number };
    let value = (!number.is_multiple_of(5)).then(|| format!("\"value {number} {}\"", "x".repeat(200)).into_bytes());
    Arc::new(Record::new(&key, value.as_deref(), Hlc(number), dot, &format!("version{number}")))
}

/// What the core would write for one record.
fn changes(number: u64) -> Vec<Change> {
    let record = record(number);
    let slot = record.dot.slot;
    let meta = SlotMeta {
        holding: Holding::Complete,
        frontier: Frontier::from_iter([(ORIGIN, number)]),
        stable: Frontier::new(),
        clock: record.hlc,
    };
    vec![Change::Record(record), Change::Slot(slot, meta)]
}

fn write(storage: &mut DiskStorage, changes: &[Change]) {
    storage.write(changes).unwrap();
    storage.sync().unwrap();
}

/// A directory with this many commits, one record each.
fn filled(commits: u64) -> TempDir {
    let data = TempDir::new().unwrap();
    let mut storage = DiskStorage::open(data.path()).unwrap();
    storage.recover().unwrap();
    for number in 1..=commits {
        write(&mut storage, &changes(number));
    }
    drop(storage);
    // Without what is allocated ahead, copies are quick.
    let (path, bytes) = journal(data.path());
    fs::write(path, bytes).unwrap();
    data
}

fn recover(path: &Path) -> Result<Recovered, StorageError> {
    DiskStorage::open(path)?.recover()
}

fn records(recovered: &Recovered) -> Vec<Arc<Record>> {
    let mut records: Vec<_> = recovered.slots.iter().flat_map(|(_, _, records)| records.clone()).collect();
    records.sort_by(|one, other| one.key().cmp(other.key()));
    records
}

/// How many commits of one record there are.
fn commits(recovered: &Recovered) -> u64 {
    recovered.slots.iter().map(|(_, meta, _)| meta.frontier.get(ORIGIN)).max().unwrap_or(0)
}

/// The records that are left of the first commits.
fn expected(commits: u64) -> Vec<Arc<Record>> {
    let mut newest: Vec<_> = (1..=commits).map(record).filter(|record| record.dot.seq + 20 > commits).collect();
    newest.sort_by(|one, other| one.key().cmp(other.key()));
    newest
}

/// The directory's only journal, without the zeros that are allocated ahead.
fn journal(data: &Path) -> (PathBuf, Vec<u8>) {
    let entries = fs::read_dir(data.join("store")).unwrap().map(|entry| entry.unwrap().path());
    let journals: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "jnl")).collect();
    let [journal] = journals.as_slice() else { panic!("one journal: {journals:?}") };
    let mut bytes = fs::read(journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes.truncate(used);
    (journal.clone(), bytes)
}

#[test]
fn what_was_committed_is_there_again() {
    let data = TempDir::new().unwrap();
    let boot = Boot { epoch_limit: 9, incarnation: 4 };
    let node = "10.10.0.2:8080".parse().unwrap();
    let placement = Arc::new(Placement::bootstrap(&[node], None));
    let members = Members::bootstrap([node]);
    let mut storage = DiskStorage::open(data.path()).unwrap();
    let uuid = storage.recover().unwrap().uuid;
    let mut all: Vec<Change> = (1..=20).flat_map(changes).collect();
    all.extend([Change::Boot(boot), Change::Placement(placement.clone()), Change::Members(members.clone())]);
    write(&mut storage, &all);
    let gone = record(3);
    write(&mut storage, &[Change::RemoveRecord(gone.clone())]);
    // Dropped, and taken up again in the same commit; the last word counts.
    let dropped = record(4).dot.slot;
    write(&mut storage, &[changes(24), vec![Change::DropSlot(dropped)]].concat());
    write(&mut storage, &[vec![Change::DropSlot(record(5).dot.slot)], changes(25)].concat());
    drop(storage);

    let recovered = recover(data.path()).unwrap();
    assert_eq!(recovered.uuid, uuid);
    assert_eq!(recovered.boot, Some(boot));
    assert_eq!(recovered.placement, Some(placement));
    assert_eq!(recovered.members, Some(members));
    let kept: Vec<_> = expected(20)
        .into_iter()
        .filter(|old| old.key() != gone.key() && old.dot.slot != dropped && old.dot.slot != record(5).dot.slot)
        .chain([record(25)])
        .collect();
    let mut kept = kept;
    kept.sort_by(|one, other| one.key().cmp(other.key()));
    assert_eq!(records(&recovered), kept);
    assert!(recovered.slots.iter().all(|(slot, _, _)| *slot != dropped));
    let meta = recovered.slots.iter().find(|(slot, _, _)| *slot == record(25).dot.slot).map(|(_, meta, _)| meta);
    assert_eq!(meta.unwrap().frontier.get(ORIGIN), 25);
}

#[test]
fn another_format_is_refused_with_the_files_name() {
    let data = filled(1);
    fs::write(data.path().join("format"), "2\n").unwrap();
    match recover(data.path()) {
        Err(StorageError::Format { path, found, known: 1 }) => {
            assert_eq!((path, found.as_str()), (data.path().join("format"), "2"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_start_that_was_interrupted_begins_anew() {
    let data = TempDir::new().unwrap();
    fs::create_dir(data.path().join("store")).unwrap();
    fs::write(data.path().join("store/0.jnl"), b"nonsense").unwrap();
    assert!(recover(data.path()).unwrap().slots.is_empty());
}

#[test]
fn a_path_that_is_no_directory_is_refused_with_what_to_do() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = recover(&file.path().join("data")).unwrap_err();
    assert!(matches!(error, StorageError::Unusable { .. }));
    assert!(error.to_string().contains("DATA_DIR must name a directory"), "{error}");
}

/// How the next format's version will find what this one wrote. To make a fixture of a new format: change the name, run
/// `MAKE_FIXTURE=1 cargo test -p node fixture`, and keep the old ones.
#[test]
fn the_fixture_of_format_1_is_read() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1");
    if std::env::var_os("MAKE_FIXTURE").is_some() {
        make_fixture(&fixture);
    }
    let copy = copy_of(&fixture);
    let recovered = recover(copy.path()).unwrap();
    assert_eq!(records(&recovered), expected(30));
    assert_eq!(recovered.boot, Some(Boot { epoch_limit: 9, incarnation: 4 }));
    let metas = recovered.slots.iter().map(|(_, meta, _)| (meta.holding, meta.clock));
    assert!(metas.clone().all(|(holding, _)| holding == Holding::Complete));
    assert_eq!(metas.map(|(_, clock)| clock).max(), Some(Hlc(30)));
}

/// Half of it in a table, half in the journal.
fn make_fixture(fixture: &Path) {
    let _ = fs::remove_dir_all(fixture);
    let mut storage = DiskStorage::open(fixture).unwrap();
    storage.recover().unwrap();
    write(&mut storage, &[Change::Boot(Boot { epoch_limit: 9, incarnation: 4 })]);
    (1..=15).for_each(|number| write(&mut storage, &changes(number)));
    storage.keyspace.rotate_memtable_and_wait().unwrap();
    (16..=30).for_each(|number| write(&mut storage, &changes(number)));
    drop(storage);
    // Without what is allocated ahead.
    for path in files_in(&fixture.join("store")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "jnl"))
    {
        let bytes = fs::read(&path).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        fs::write(&path, &bytes[..used]).unwrap();
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// A copy to be spoiled.
fn copy_of(from: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                fs::create_dir(&target).unwrap();
                copy(&path, &target);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
    let target = TempDir::new().unwrap();
    copy(from, target.path());
    target
}

#[test]
fn slots_are_kept_apart() {
    let data = filled(20);
    let mut storage = DiskStorage::open(data.path()).unwrap();
    storage.recover().unwrap();
    let slot = record(1).dot.slot;
    write(&mut storage, &[Change::DropSlot(slot)]);
    write(&mut storage, &[Change::DropSlot(SlotId(slot.0.wrapping_add(1)))]);
    drop(storage);
    let left = records(&recover(data.path()).unwrap());
    assert_eq!(left, expected(20).into_iter().filter(|record| record.dot.slot != slot).collect::<Vec<_>>());
}

/// Each sync of a commit that falls into a hole waits for the file system too.
#[test]
fn commits_fall_into_room_that_was_prepared() {
    let data = TempDir::new().unwrap();
    let mut storage = DiskStorage::open(data.path()).unwrap();
    let journal = File::open(data.path().join("store/0.jnl")).unwrap();
    let mut holes = BTreeSet::new();
    for number in 0..256_u32 {
        let value = vec![1; 8 * 1024];
        storage.commit(Staged::from([(number.to_be_bytes().to_vec(), Some(value))])).unwrap();
        holes.insert(first_hole(&journal).unwrap());
    }
    assert!(holes.len() <= 2 + 256 * 9 * 1024 / STEP_BYTES, "{holes:?}");
    drop(storage);
    let storage = DiskStorage::open(data.path()).unwrap();
    assert_eq!(storage.keyspace.get(255_u32.to_be_bytes()).unwrap().unwrap().len(), 8 * 1024);
    assert_eq!(storage.commit, 257, "the commit that made the directory, and these");
}

/// Many commits that find the write buffer full, while the engine's thread is busy with what was in it before.
#[test]
fn the_engine_keeps_up_with_many_small_commits() {
    let data = TempDir::new().unwrap();
    let mut storage = DiskStorage::open(data.path()).unwrap();
    for round in 0..20_u32 {
        for part in 0..40_u32 {
            let key = [round.to_be_bytes(), part.to_be_bytes()].concat();
            storage.commit(Staged::from([(key, Some(vec![1; 256 * 1024]))])).unwrap();
        }
        for _ in 0..1_500 {
            storage.commit(Staged::from([(b"small".to_vec(), Some(Vec::new()))])).unwrap();
        }
        let buffered = storage.keyspace.tree.active_memtable().size();
        assert!(buffered < 2 * MEMTABLE_BYTES, "{buffered} bytes wait to become a table");
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while storage.keyspace.sealed_memtable_count() > 0 {
        assert!(Instant::now() < deadline, "the engine has stopped");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The engine's thread ends at its first error, here at a folder that is gone, and leaves full buffers behind.
#[test]
fn a_commit_does_not_wait_for_an_engine_that_has_failed() {
    let data = TempDir::new().unwrap();
    let mut storage = DiskStorage::open(data.path()).unwrap();
    let (tell, told) = mpsc::channel();
    let folder = data.path().join("store/keyspaces");
    thread::spawn(move || {
        let large = (0..64_u8).map(|part| (vec![b'x', part], Some(vec![1; 256 * 1024]))).collect();
        storage.commit(large).unwrap();
        for _ in 1..FULL_MEMTABLES_MAX {
            storage.keyspace.rotate_memtable().unwrap();
            storage.commit(Staged::new()).unwrap();
        }
        // The first table is still being written.
        storage.keyspace.rotate_memtable().unwrap();
        fs::remove_dir_all(folder).unwrap();
        let error = loop {
            if let Err(error) = storage.commit(Staged::new()) {
                break error;
            }
            let _ = storage.keyspace.rotate_memtable();
        };
        tell.send(error).unwrap();
    });
    let error = told.recv_timeout(Duration::from_secs(20)).expect("the commit waits");
    assert!(matches!(error, StorageError::Failed { .. }), "{error}");
}
