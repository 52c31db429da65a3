//! The clients at work, over keys that all share: what they have in common, and how they are started and ended. How their
//! operations interleave is the cluster's own.

mod worker;

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use self::worker::Worker;
use super::{attention::Attention, keys::Keys, session::Session};
use crate::{Client, Dialect, Failure, Node, Record, ensure, eventually, journal::Journal};

/// For a cluster that has just begun to take what it is given.
const LOAD_PATIENCE: Duration = Duration::from_secs(30);

/// For a cluster that is healed and yet slow.
const HURRY_PATIENCE: Duration = Duration::from_secs(10);

/// What the clients do.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) dialect: Dialect,
    pub(super) seed: u64,
    pub(super) clients: u32,
    pub(super) keys: Keys,
    /// Operations that all of them together begin, at most, unless they hurry.
    pub(super) per_second: u32,
}

/// What the clients share.
struct Shared {
    load: Load,
    /// Grows while they work.
    nodes: RwLock<Vec<Node>>,
    stopping: AtomicBool,
    /// Operations that were begun in their turn, and not in a hurry.
    turns: AtomicU64,
    /// Values that were written, or may have been.
    values: AtomicU64,
    /// Per client, what another told it last, until it listens.
    told: Vec<Mutex<Option<Told>>>,
    attention: Attention,
}

/// What one client tells another: what it knows, and the key that it was at.
struct Told {
    session: Session,
    key: Option<String>,
}

impl Shared {
    fn next_value(&self) -> String {
        (self.values.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    /// Of any number there is one.
    fn node(&self, number: usize) -> Node {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes[number % nodes.len()].clone()
    }
}

/// Clients under way; dropping them ends them.
pub(super) struct Clients {
    shared: Arc<Shared>,
    workers: JoinSet<Session>,
}

impl Clients {
    /// Has them write what is to be there from the beginning, and then starts them.
    ///
    /// # Errors
    /// [`Failure`] when that is not taken.
    pub(super) async fn start(load: Load, nodes: Vec<Node>, journal: &Arc<Journal>) -> Result<Self, Failure> {
        let shared = Arc::new(Shared {
            nodes: RwLock::new(nodes),
            stopping: AtomicBool::new(false),
            turns: AtomicU64::new(0),
            values: AtomicU64::new(0),
            told: (0..load.clients).map(|_| Mutex::default()).collect(),
            attention: Attention::default(),
            load,
        });
        let record = Record::default();
        let sessions = (0..shared.load.clients)
            .map(|index| Session::new(index + 1, Client::new(shared.load.dialect, &record), journal));
        let loading = sessions.enumerate().map(|(index, session)| fill(&shared, index, session));
        let sessions = try_join_all(loading).await?;
        let mut workers = JoinSet::new();
        for (index, session) in sessions.into_iter().enumerate() {
            workers.spawn(Worker::new(index, session, Arc::clone(&shared)).run());
        }
        Ok(Self { shared, workers })
    }

    /// Has them ask this node too, from now on.
    pub(super) fn add_node(&self, node: Node) {
        self.shared.nodes.write().unwrap_or_else(PoisonError::into_inner).push(node);
    }

    /// What they turn to.
    pub(super) fn attention(&self) -> &Attention {
        &self.shared.attention
    }

    /// Operations so far, without those in a hurry: what a schedule is measured by.
    pub(super) fn turns(&self) -> u64 {
        self.shared.turns.load(Ordering::Relaxed)
    }

    /// Has them hurry for so many operations, and stay in a hurry, unless the cluster takes too long for that.
    pub(super) async fn hurry(&self, operations: u64) {
        let attention = self.attention();
        attention.hurry(2 * operations);
        let hurried = eventually(HURRY_PATIENCE, "the clients hurry", || async {
            ensure(attention.hurried() <= operations, || "all of these operations")
        });
        // Of a cluster that does not answer more is found out by the last reads.
        let _ = hurried.await;
    }

    /// Lets each end the operation it is at; gives them back with the tokens they have.
    ///
    /// # Errors
    /// [`Failure`] when one died of a bug of its own.
    pub(super) async fn stop(mut self) -> Result<Vec<Session>, Failure> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let mut sessions = Vec::new();
        while let Some(session) = self.workers.join_next().await {
            sessions.push(session.map_err(|error| Failure::new("a client that does not die").with(error))?);
        }
        Ok(sessions)
    }
}

/// Writes this client's part of what is there from the beginning, each with the token of the one before.
async fn fill(shared: &Shared, index: usize, session: Session) -> Result<Session, Failure> {
    let mut session = session;
    let node = shared.node(index);
    for key in shared.load.keys.first_of(index) {
        session = eventually(LOAD_PATIENCE, "what is written first is taken", || {
            let (mut session, node) = (session.clone(), &node);
            async move {
                let put = session.put(node, key, shared.next_value()).await;
                ensure(put.is_answered(), || format!("{} to take {key}, got {:?}", node.name, put.status))?;
                Ok(session)
            }
        })
        .await?;
    }
    Ok(session)
}
