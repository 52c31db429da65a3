//! Stands between the tool and the engine: passes everything on, counts the calls that change something, and kills the
//! tool when the engine begins to answer one of them.

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
    pub(crate) fn run(&self, mut command: Command, last: Option<usize>) -> (Done, Vec<String>) {
        let run = Arc::new(Mutex::new(Run { last, ..Run::default() }));
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
    pass(tool_in, engine_out, move |chunk| {
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
    let line = String::from_utf8_lossy(chunk).lines().next()?.to_owned();
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?.split('?').next()?);
    // One asks to be told when something has happened.
    let changes = matches!(method, "POST" | "DELETE" | "PUT") && !path.ends_with("/wait");
    changes.then(|| format!("{method} {path}"))
}

/// Where the tests' own `docker` finds it.
fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    PathBuf::from(host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock"))
}
