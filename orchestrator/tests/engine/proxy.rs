//! Stands between the tool and the engine: passes everything on, counts the calls that change something, and kills the
//! tool when the engine begins to answer one of them; or answers a call itself, as an engine would that cannot do it.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::stage::Done;

const CHUNK_BYTES: usize = 64 << 10;

/// A socket that is an engine.
pub(crate) struct Proxy {
    socket: PathBuf,
    /// That which connections belong to from now on.
    run: Arc<Mutex<Arc<Mutex<Run>>>>,
}

/// What one run of the tool asks for.
#[derive(Default)]
struct Run {
    /// The calls that change something, in their order, as method and path.
    calls: Vec<String>,
    /// The call whose answer the tool does not live to see, from 1.
    last: Option<usize>,
    tool: Option<Pid>,
    refusal: Option<Refusal>,
}

/// What the engine answers to a call in place of what it would.
#[derive(Clone, Copy)]
pub(crate) struct Refusal {
    /// Method and a part of the path: `POST /networks/create`.
    pub(crate) call: &'static str,
    pub(crate) status: u16,
    pub(crate) words: &'static str,
}

impl Refusal {
    /// The whole answer, when it is to the call that begins with this chunk.
    fn answer(&self, chunk: &[u8]) -> Option<String> {
        let (method, part) = self.call.split_once(' ')?;
        let (asked, path) = call(chunk)?;
        if asked != method || !path.contains(part) {
            return None;
        }
        let (status, body) = (self.status, format!("{{\"message\":\"{}\"}}", self.words));
        let head = "content-type: application/json\r\nconnection: close";
        Some(format!("HTTP/1.1 {status} Refused\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let run = Arc::<Mutex<Arc<Mutex<Run>>>>::default();
        let current = Arc::clone(&run);
        thread::spawn(move || {
            for tool in listener.incoming().flatten() {
                carry(&tool, &lock(&current));
            }
        });
        Self { socket, run }
    }

    /// Runs the command to its end, or kills it when the engine begins to answer call number `last` (from 1); what it
    /// did, and its calls that change something.
    pub(crate) fn run(&self, command: Command, last: Option<usize>) -> (Done, Vec<String>) {
        self.carry_out(command, Run { last, ..Run::default() })
    }

    /// Runs the command to its end; what it did when the engine refused it a call.
    pub(crate) fn refuse(&self, command: Command, refusal: Refusal) -> Done {
        self.carry_out(command, Run { refusal: Some(refusal), ..Run::default() }).0
    }

    fn carry_out(&self, mut command: Command, run: Run) -> (Done, Vec<String>) {
        let run = Arc::new(Mutex::new(run));
        *lock(&self.run) = Arc::clone(&run);
        command.env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        let tool = {
            // No call is answered before it is known whom it would kill.
            let mut run = lock(&run);
            let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a start");
            run.tool = Some(Pid::from_raw(i32::try_from(tool.id()).expect("a pid")));
            tool
        };
        let done = Done::of(&tool.wait_with_output().expect("an end"));
        let mut run = lock(&run);
        run.tool = None;
        (done, std::mem::take(&mut run.calls))
    }
}

impl Run {
    /// The number of a call.
    fn count(&mut self, call: String) -> usize {
        self.calls.push(call);
        self.calls.len()
    }

    /// Whether the answer to a call must not arrive.
    fn ends_with(&self, call: usize) -> bool {
        if self.last != Some(call) {
            return false;
        }
        if let Some(tool) = self.tool {
            kill(tool, Signal::SIGKILL).expect("a kill");
        }
        true
    }
}

/// One connection: there and back on a thread each. When one side closes it, the other sees it closed.
fn carry(tool: &UnixStream, run: &Arc<Mutex<Run>>) {
    let engine = UnixStream::connect(engine_socket()).expect("the engine");
    // The number of the call that is not answered yet.
    let open = Arc::new(Mutex::new(None));
    let copies = |stream: &UnixStream| (stream.try_clone().expect("a copy"), stream.try_clone().expect("a copy"));
    let ((tool_in, tool_out), (engine_in, engine_out)) = (copies(tool), copies(&engine));
    let (asked, asking) = (Arc::clone(&open), Arc::clone(run));
    let refusal = lock(run).refusal;
    let mut answering = tool_out.try_clone().expect("a copy");
    pass(tool_in, engine_out, move |chunk| {
        if let Some(answer) = refusal.and_then(|refusal| refusal.answer(chunk)) {
            // Who is not there any more needs none.
            let _ = answering.write_all(answer.as_bytes());
            return false;
        }
        if let Some(call) = change(chunk) {
            let number = lock(&asking).count(call);
            *lock(&asked) = Some(number);
        }
        true
    });
    let run = Arc::clone(run);
    pass(engine_in, tool_out, move |_| {
        let call = lock(&open).take();
        !call.is_some_and(|call| lock(&run).ends_with(call))
    });
}

/// Passes on what comes as long as `look` lets it.
fn pass(mut from: UnixStream, mut to: UnixStream, mut look: impl FnMut(&[u8]) -> bool + Send + 'static) {
    thread::spawn(move || {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let chunk = &buffer[..length];
            if !look(chunk) || to.write_all(chunk).is_err() {
                break;
            }
        }
        for stream in [from, to] {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
}

/// Method and path of the call that begins with this chunk, if it changes something. The tool's client sends no call before
/// the last one is answered, and begins a chunk with each.
fn change(chunk: &[u8]) -> Option<String> {
    let (method, path) = call(chunk)?;
    // One asks to be told when something has happened.
    let changes = matches!(method.as_str(), "POST" | "DELETE" | "PUT") && !path.ends_with("/wait");
    changes.then(|| format!("{method} {path}"))
}

/// Method and path of what may be the beginning of a call.
fn call(chunk: &[u8]) -> Option<(String, String)> {
    let line = String::from_utf8_lossy(chunk).lines().next()?.to_owned();
    let mut words = line.split(' ');
    Some((words.next()?.to_owned(), words.next()?.split('?').next()?.to_owned()))
}

/// Where the tests' own `docker` finds it.
fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    PathBuf::from(host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock"))
}
