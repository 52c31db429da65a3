//! A node as a process of its own, and what to wait with.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::print_stderr, reason = "a test that fails shows what the node had to say")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn node(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
    command.env_clear().envs(variables.iter().copied());
    command
}

pub(crate) fn run(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn poll<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A node that is alone, killed when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
    /// Where its data directory is, when it has one of its own.
    data: Option<TempDir>,
}

impl Running {
    /// Starts it on a data directory of its own, and waits until it listens.
    pub(crate) fn start(extra: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        Self::start_on(free_address(), data.path(), extra).listening(data)
    }

    /// As [`start`](Self::start), but by a shell that sets limits first.
    pub(crate) fn start_limited(limits: &str) -> Self {
        let data = TempDir::new().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits} && exec \"$0\""), env!("CARGO_BIN_EXE_node")]);
        Self::spawn(shell, free_address(), data.path(), &[]).listening(data)
    }

    fn listening(mut self, data: TempDir) -> Self {
        self.data = Some(data);
        poll("the node listens", || TcpStream::connect(self.address).ok());
        self
    }

    /// Starts it on a data directory, and does not wait. Data belongs to the address that it was written at.
    pub(crate) fn start_on(address: SocketAddr, data: &Path, extra: &[(&str, &str)]) -> Self {
        Self::spawn(node(&[]), address, data, extra)
    }

    fn spawn(mut command: Command, address: SocketAddr, data: &Path, extra: &[(&str, &str)]) -> Self {
        let text = address.to_string();
        command.envs([("SOCKET_ADDRESS", text.as_str()), ("VIEW", text.as_str()), ("BIND_ADDRESS", "127.0.0.1")]);
        command.envs(extra.iter().copied());
        let child = command.env("DATA_DIR", data).stderr(Stdio::piped()).spawn().unwrap();
        Self { address, child, data: None }
    }

    /// Sends one request on a connection of its own: the whole answer, `None` when there is none.
    pub(crate) fn ask(&self, request_line: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head =
            format!("{request_line} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }

    /// As [`ask`](Self::ask), once the node listens.
    pub(crate) fn ask_when_up(&self, request_line: &str, body: &str) -> String {
        poll("the node answers", || self.ask(request_line, body))
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end_by(&mut self, signal: Signal) -> (Option<i32>, Duration) {
        let start = Instant::now();
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
        let code = self.end();
        (code, start.elapsed())
    }

    /// Waits until it has ended: its exit code, `None` after a signal.
    pub(crate) fn end(&mut self) -> Option<i32> {
        poll("the node ends", || self.child.try_wait().unwrap()).code()
    }

    /// What it has said, once it has ended.
    pub(crate) fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() && self.child.stderr.is_some() {
            eprintln!("{}", self.stderr());
        }
    }
}
