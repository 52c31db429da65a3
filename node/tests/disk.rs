//! The program and its data directory: what outlives it, what it refuses, and how it meets a disk that is full.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test that cannot run says why")]

mod process;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use nix::sys::signal::Signal;
use process::{Running, free_address, poll};
use tempfile::TempDir;

/// Free space above which no disk is.
const ALL_BYTES: &str = "1000000000000000000";

fn put(node: &Running, key: usize, value: &str) -> String {
    node.ask_when_up(&format!("PUT /kvs/key{key}"), &format!("{{\"value\": \"{value}\"}}"))
}

fn get(node: &Running, key: usize) -> String {
    node.ask_when_up(&format!("GET /kvs/key{key}"), "")
}

fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

#[test]
fn what_is_acknowledged_outlives_a_kill() {
    for durability in ["sync", "interval"] {
        let data = TempDir::new().unwrap();
        let mut node = Running::start_on(free_address(), data.path(), &[("DURABILITY", durability)]);
        for key in 0..20 {
            assert_status(&put(&node, key, &format!("value {key}")), 201);
        }
        node.end_by(Signal::SIGKILL);
        let node = Running::start_on(node.address, data.path(), &[]);
        for key in 0..20 {
            let answer = get(&node, key);
            assert!(answer.contains(&format!("\"value\":\"value {key}\"")), "{durability}: {answer}");
        }
    }
}

#[test]
fn a_directory_serves_one_node() {
    let data = TempDir::new().unwrap();
    let first = Running::start_on(free_address(), data.path(), &[]);
    assert_status(&put(&first, 1, "a"), 201);
    let mut second = Running::start_on(free_address(), data.path(), &[]);
    assert_eq!(second.end(), Some(1));
    let stderr = second.stderr();
    assert!(stderr.contains(&format!("{} is in use", data.path().display())), "{stderr}");
    assert_status(&put(&first, 2, "a"), 201);
}

#[test]
fn a_directory_that_cannot_be_used_is_one_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut node = Running::start_on(free_address(), file.path(), &[]);
    assert_eq!(node.end(), Some(1));
    let stderr = node.stderr();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&format!("cannot use {}: ", file.path().display())), "{stderr}");
}

#[test]
fn writes_are_refused_when_little_space_is_left() {
    let data = TempDir::new().unwrap();
    let mut node = Running::start_on(free_address(), data.path(), &[]);
    assert_status(&put(&node, 1, "a"), 201);
    node.end_by(Signal::SIGTERM);
    let node = Running::start_on(node.address, data.path(), &[("DATA_HEADROOM_BYTES", ALL_BYTES)]);
    let answer = put(&node, 1, "b");
    assert_status(&answer, 503);
    assert!(answer.to_lowercase().contains("\r\nretry-after: 1\r\n"), "{answer}");
    assert!(answer.contains("the disk of this node is nearly full"), "{answer}");
    assert!(get(&node, 1).contains("\"value\":\"a\""));
}

/// A filesystem of its own, in memory.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this user may not mount, which is a failure where `REQUIRE_ENGINE` is set.
    fn new(mebibytes: u32) -> Option<Self> {
        let place = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(place.path());
        if let Err(reason) = carried_out(&mut mount) {
            assert!(std::env::var_os("REQUIRE_ENGINE").is_none(), "a filesystem cannot be mounted: {reason}");
            eprintln!("ignored, since a filesystem cannot be mounted: {reason}");
            return None;
        }
        Some(Self(place))
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn grow(&self, mebibytes: u32) {
        let mut command = Command::new("mount");
        carried_out(command.args(["-o", &format!("remount,size={mebibytes}m")]).arg(self.0.path())).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = carried_out(Command::new("umount").arg(self.0.path()));
        if !thread::panicking() {
            unmounted.unwrap();
        }
    }
}

fn carried_out(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// 64 KiB that cannot be compressed.
fn noise(seed: usize) -> String {
    (0..1024)
        .map(|part: usize| blake3::hash(&[seed.to_le_bytes(), part.to_le_bytes()].concat()).to_hex().to_string())
        .collect()
}

/// PUTs until one is not acknowledged: the number of those that were, and the last answer.
fn fill(node: &Running) -> (usize, Option<String>) {
    for key in 0.. {
        let answer = node.ask(&format!("PUT /kvs/key{key}"), &format!("{{\"value\": \"{}\"}}", noise(key)));
        if !answer.as_ref().is_some_and(|answer| answer.starts_with("HTTP/1.1 201 ")) {
            return (key, answer);
        }
    }
    unreachable!("the disk ends before the numbers");
}

#[test]
fn writes_are_accepted_again_when_there_is_room() {
    let Some(disk) = SmallDisk::new(64) else { return };
    let node = Running::start_on(free_address(), &disk.data(), &[("DATA_HEADROOM_BYTES", "33554432")]);
    poll("the node is ready", || node.ask("GET /readyz", "").filter(|answer| answer.starts_with("HTTP/1.1 200 ")));
    let (acknowledged, answer) = fill(&node);
    assert_status(&answer.unwrap(), 503);
    for key in 0..acknowledged {
        assert_status(&get(&node, key), 200);
    }
    disk.grow(256);
    poll("writes are accepted", || put(&node, acknowledged, "a").starts_with("HTTP/1.1 201 ").then_some(()));
}

#[test]
fn a_disk_that_is_full_ends_the_node_and_loses_nothing() {
    let Some(disk) = SmallDisk::new(24) else { return };
    let mut node = Running::start_on(free_address(), &disk.data(), &[("DATA_HEADROOM_BYTES", "0")]);
    poll("the node is ready", || node.ask("GET /readyz", "").filter(|answer| answer.starts_with("HTTP/1.1 200 ")));
    let (acknowledged, answer) = fill(&node);
    assert!(acknowledged > 0, "{answer:?}");
    assert_eq!(node.end(), Some(1), "after {acknowledged} writes and {answer:?}");
    let stderr = node.stderr();
    assert!(stderr.contains(&disk.data().display().to_string()), "{stderr}");

    let roomy = TempDir::new().unwrap();
    copy(&disk.data(), roomy.path());
    let node = Running::start_on(node.address, roomy.path(), &[]);
    for key in 0..acknowledged {
        assert_status(&get(&node, key), 200);
    }
}
