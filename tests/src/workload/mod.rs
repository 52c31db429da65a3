//! Clients that read, write and delete over all nodes while carrying their tokens, on a cluster that serves all the while.
//!
//! What they saw becomes a history, which [`check`](crate::check) judges when they are done. Nothing is ever retried: an
//! answer other than 200, 201 or a right 404, and no answer, are violations too; only of nodes that take no connection may
//! the next be asked. Each key has one writer, who knows what it
//! has left there.

mod report;
mod session;
mod worker;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

pub use report::Report;

use crate::{
    Dialect, Failure, Record, Reply, ensure, eventually,
    history::{End, Event, Run},
    journal::Journal,
};
use report::Tally;
use session::Session;
use worker::Worker;

/// A machine that compiles beside the test makes a few dozen operations a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// What load to make.
#[derive(Clone, Debug)]
pub struct Workload {
    /// How the clients speak.
    pub dialect: Dialect,
    /// Clients at work at the same time.
    pub clients: usize,
    /// Keys that each client writes; all clients read all keys.
    pub keys_per_client: usize,
    /// What every key begins with.
    pub prefix: String,
    /// From one client's operation to its next, at least: 20 clients at 50 ms make at most 400 operations a second.
    pub pace: Duration,
    /// Decides who does what; the interleaving is the cluster's own.
    pub seed: u64,
    /// Whether a client asks the next node when one takes no connection, as behind a load balancer; each connects anew then.
    pub roams: bool,
    /// Where the clients' requests are written down.
    pub record: Record,
}

impl Workload {
    /// Twenty clients with ten keys each, up to 400 operations a second together.
    #[must_use]
    pub fn new(dialect: Dialect, seed: u64) -> Self {
        Self {
            dialect,
            clients: 20,
            keys_per_client: 10,
            prefix: "load".into(),
            pace: Duration::from_millis(50),
            seed,
            roams: false,
            record: Record::default(),
        }
    }

    /// Starts the clients on the nodes at `urls`. They work until [`Running::stop`], or until it is dropped.
    #[must_use]
    pub fn start(self, urls: Vec<String>) -> Running {
        let clients = self.clients;
        // It is judged when it is over, and kept nowhere else.
        let journal = Arc::new(Journal::new(Box::new(io::sink())));
        let run = Run { seed: self.seed, store: "load".to_owned(), nodes: urls.clone() };
        journal.add(|_| Event::Run(run));
        let shared = Arc::new(Shared {
            urls: RwLock::new(urls),
            turn: AtomicUsize::new(0),
            operations: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            journal,
            handed_over: (0..clients).map(|_| Mutex::new(None)).collect(),
            tally: Mutex::new(Tally::default()),
            workload: self,
        });
        let mut workers = JoinSet::new();
        for index in 0..clients {
            workers.spawn(Worker::new(index, Arc::clone(&shared)).run());
        }
        Running { shared, workers, start: Instant::now() }
    }

    fn key_name(&self, writer: usize, own: usize) -> String {
        format!("{}-{writer}-{own}", self.prefix)
    }
}

/// What the clients share.
struct Shared {
    workload: Workload,
    /// Grows while the load runs.
    urls: RwLock<Vec<String>>,
    turn: AtomicUsize,
    operations: AtomicU64,
    stopping: AtomicBool,
    journal: Arc<Journal>,
    /// Per client, the token that another gave it last, until it takes it.
    handed_over: Vec<Mutex<Option<Session>>>,
    tally: Mutex<Tally>,
}

impl Shared {
    fn next_url(&self) -> String {
        let urls = self.urls.read().unwrap_or_else(PoisonError::into_inner);
        urls[self.turn.fetch_add(1, Ordering::Relaxed) % urls.len()].clone()
    }

    /// How many nodes may be asked for one operation.
    fn tries(&self) -> usize {
        if self.workload.roams { self.urls.read().unwrap_or_else(PoisonError::into_inner).len() } else { 1 }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the next node is to be asked: this one took no connection, and it was not the last of the tries.
fn goes_on(reply: &Result<Reply, Failure>, tries: &mut usize) -> bool {
    *tries -= 1;
    *tries > 0 && reply.as_ref().is_err_and(Failure::is_unsent)
}

/// A load under way.
pub struct Running {
    shared: Arc<Shared>,
    workers: JoinSet<Worker>,
    start: Instant,
}

impl Running {
    /// Has the clients ask this node too, from now on.
    pub fn add_node(&self, url: impl Into<String>) {
        let mut urls = self.shared.urls.write().unwrap_or_else(PoisonError::into_inner);
        urls.push(url.into());
    }

    /// Has the clients ask this node no more.
    pub fn remove_node(&self, url: &str) {
        let mut urls = self.shared.urls.write().unwrap_or_else(PoisonError::into_inner);
        urls.retain(|other| other != url);
    }

    /// Lets the load run on until it has done this much more.
    ///
    /// # Errors
    /// [`Failure`] when that takes too long.
    pub async fn more(&self, operations: u64) -> Result<(), Failure> {
        let answered = || self.shared.operations.load(Ordering::Relaxed);
        let goal = answered() + operations;
        eventually(PATIENCE, "the load goes on", || async {
            let done = answered();
            ensure(done >= goal, || format!("{goal} operations, got {done}"))
        })
        .await
    }

    /// Lets every client finish the operation it is at, and says what was seen.
    ///
    /// # Errors
    /// [`Failure`] when a client died of a bug of its own.
    pub async fn stop(mut self) -> Result<Report, Failure> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let mut sessions: Vec<(usize, Session)> = Vec::new();
        while let Some(worker) = self.workers.join_next().await {
            let worker = worker.map_err(|error| Failure::new("a client that does not die").with(error))?;
            sessions.push(worker.finish());
        }
        sessions.sort_unstable_by_key(|(index, _)| *index);
        self.shared.journal.add(|end_us| Event::End(End { end_us }));
        let sessions = sessions.into_iter().map(|(_, session)| session).collect();
        Ok(Report::new(&self.shared, self.start.elapsed(), sessions))
    }
}
