//! What was written and what was acknowledged, one line each, in a file that outlives writers, nodes and runs.
//!
//! Invariant: a write is in the file as begun before it is sent, and as acknowledged only after its reply came.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The file, to add to it.
pub(crate) struct Ledger(Mutex<File>);

impl Ledger {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(|file| Self(Mutex::new(file)))
    }

    pub(crate) fn begin(&self, key: &str, number: u64) -> io::Result<()> {
        self.add(&format!("begin\t{key}\t{number}\n"))
    }

    pub(crate) fn acknowledge(&self, key: &str, number: u64, version: &str) -> io::Result<()> {
        self.add(&format!("ack\t{key}\t{number}\t{version}\n"))
    }

    fn add(&self, line: &str) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }
}

/// What one key may be read as: its writes are numbered, by one writer, one after the other.
#[derive(Default)]
pub(crate) struct History {
    /// The last write that was sent.
    pub(crate) begun: u64,
    /// The last write that was acknowledged, with its version.
    pub(crate) acknowledged: Option<(u64, String)>,
    /// How many were.
    pub(crate) acknowledgements: u64,
    /// How many were sent.
    pub(crate) writes: u64,
}

/// The history of every key in a ledger.
///
/// # Errors
/// The file cannot be read, or a line in it is none of ours.
pub(crate) fn read(path: &Path) -> io::Result<BTreeMap<String, History>> {
    let mut keys: BTreeMap<String, History> = BTreeMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = fields.get(2).and_then(|number| number.parse().ok());
        match (fields.as_slice(), number) {
            (["begin", key, _], Some(number)) => {
                let history = keys.entry((*key).to_owned()).or_default();
                history.begun = number;
                history.writes += 1;
            }
            (["ack", key, _, version], Some(number)) => {
                let history = keys.entry((*key).to_owned()).or_default();
                history.acknowledged = Some((number, (*version).to_owned()));
                history.acknowledgements += 1;
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("no line of a ledger: {line}"))),
        }
    }
    Ok(keys)
}
