//! Journals and tables of which a part is lost.

use std::{fs, path::PathBuf};

use super::{
    DiskStorage, Storage, StorageError, changes, commits, copy_of, expected, files_in, filled, journal, records,
    recover, write,
};

/// After a crash the journal ends anywhere in the last commit; here, to be sure, anywhere at all.
#[test]
fn a_torn_tail_is_cut_and_all_before_it_is_there() {
    let original = filled(30);
    let (path, bytes) = journal(original.path());
    let name = path.file_name().unwrap();
    let mut lengths: Vec<usize> = (bytes.len() - 400..bytes.len()).step_by(29).collect();
    lengths.extend((2_000..bytes.len()).step_by(2_909));
    let mut last = 0;
    lengths.sort_unstable();
    for length in lengths {
        let copy = copy_of(original.path());
        fs::write(copy.path().join("store").join(name), &bytes[..length]).unwrap();
        let recovered = recover(copy.path()).unwrap();
        let commits = commits(&recovered);
        assert!(commits >= last && commits < 30, "{commits} commits in {length} bytes");
        assert_eq!(records(&recovered), expected(commits), "in {length} bytes");
        last = commits;
    }
    assert_eq!(last, 29);
}

/// The last commit can be on the disk with its end and without its middle.
#[test]
fn a_damaged_last_commit_is_cut_and_the_node_goes_on() {
    let data = filled(31);
    let (path, mut bytes) = journal(data.path());
    let middle = bytes.len() - 200;
    bytes[middle] ^= 0x55;
    fs::write(&path, &bytes).unwrap();
    let mut storage = DiskStorage::open(data.path()).unwrap();
    assert_eq!(records(&storage.recover().unwrap()), expected(30));
    write(&mut storage, &changes(31));
    drop(storage);
    assert_eq!(records(&recover(data.path()).unwrap()), expected(31));
}

/// What was not synced may be on the disk with any part missing; with an interval between the syncs that is several commits.
#[test]
fn commits_that_were_not_synced_are_cut_where_they_are_damaged() {
    for unsynced in [1, 2, 4] {
        let data = filled(30);
        let mut storage = DiskStorage::open(data.path()).unwrap();
        let mut starts = Vec::new();
        for number in 31..=30 + unsynced {
            starts.push(journal(data.path()).1.len());
            storage.write(&changes(number)).unwrap();
        }
        drop(storage);
        let (path, bytes) = journal(data.path());
        for at in (starts[0]..bytes.len()).step_by(29) {
            for length in [1, 40, bytes.len()] {
                let until = bytes.len().min(at + length);
                let mut damaged = bytes.clone();
                damaged[at..until].fill(0);
                if damaged == bytes {
                    continue;
                }
                fs::write(&path, &damaged).unwrap();
                let intact = 30 + starts.iter().filter(|start| **start <= at).count() as u64 - 1;
                // All of them may go, but for what comes before the last.
                let least = if intact + 1 == 30 + unsynced { intact } else { 30 };
                let recovered = commits(&recover(data.path()).unwrap());
                assert!((least..=intact).contains(&recovered), "{recovered} after {at}..{until} in {starts:?}");
            }
        }
    }
}

#[test]
fn damage_before_the_last_commit_is_refused_with_the_files_name_and_nothing_is_changed() {
    let original = filled(30);
    let (path, bytes) = journal(original.path());
    // The last commit is all that cannot be told from a torn one.
    let shorter = filled(29);
    let last = journal(shorter.path()).1.len();
    for at in (1_500..last).step_by(1_499).chain((last - 80..last).step_by(3)) {
        let copy = copy_of(original.path());
        let damaged_path = copy.path().join("store").join(path.file_name().unwrap());
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        fs::write(&damaged_path, &damaged).unwrap();
        for _ in 0..2 {
            match recover(copy.path()) {
                Err(StorageError::Damaged { path, .. }) => assert_eq!(path, damaged_path, "byte {at}"),
                other => panic!("byte {at}: {other:?}"),
            }
            assert_eq!(journal(copy.path()).1, damaged, "byte {at}");
        }
    }
}

#[test]
fn a_damaged_or_missing_table_is_refused() {
    let data = filled(30);
    let storage = DiskStorage::open(data.path()).unwrap();
    storage.keyspace.rotate_memtable_and_wait().unwrap();
    drop(storage);
    assert_eq!(records(&recover(data.path()).unwrap()), expected(30));
    let tables: Vec<PathBuf> = files_in(&data.path().join("store/keyspaces/1/tables"));
    assert!(!tables.is_empty());
    let mut bytes = fs::read(&tables[0]).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x55;
    fs::write(&tables[0], bytes).unwrap();
    assert!(matches!(recover(data.path()), Err(StorageError::Damaged { .. })));
    fs::remove_file(&tables[0]).unwrap();
    assert!(matches!(recover(data.path()), Err(StorageError::Damaged { .. })));
    fs::remove_dir_all(data.path().join("store")).unwrap();
    assert!(matches!(recover(data.path()), Err(StorageError::Damaged { .. })));
}

/// A recovery that was killed after the engine had cut a journal.
#[test]
fn an_interrupted_recovery_begins_anew_on_what_was_there() {
    let data = filled(30);
    let (path, bytes) = journal(data.path());
    let copies = data.path().join("recovering");
    fs::create_dir(&copies).unwrap();
    fs::write(copies.join(path.file_name().unwrap()), &bytes).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(records(&recover(data.path()).unwrap()), expected(30));
    assert!(!copies.exists());
}
