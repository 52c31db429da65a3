//! The clients at work: each chooses by the seed what it does next, over a few keys that all share, at a node that it stays
//! with for a while. How their operations interleave is the cluster's own.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::session::Session;
use crate::{Client, Dialect, Failure, Node, Record, dice::Dice, journal::Journal};

/// Of 100 operations, so many are preceded by handing a copy of the token to another client, or by forgetting it.
const HANDOVER_PERCENT: usize = 5;
const FORGET_PERCENT: usize = 2;
/// Of 100 operations, so many are preceded by going to another node.
const MOVE_PERCENT: usize = 10;
/// Of 100 operations, so many read, and so many more put; the rest delete.
const READ_PERCENT: usize = 50;
const PUT_PERCENT: usize = 40;

/// What the clients do.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) dialect: Dialect,
    pub(super) seed: u64,
    pub(super) clients: u32,
    pub(super) keys: Vec<String>,
    /// Operations that all of them together begin, at most.
    pub(super) per_second: u32,
}

/// What the clients share.
struct Shared {
    load: Load,
    /// Grows while they work.
    nodes: RwLock<Vec<Node>>,
    stopping: AtomicBool,
    /// Values that were written, or may have been.
    values: AtomicU64,
    /// Per client, the token that another gave it last, until it takes it.
    handed_over: Vec<Mutex<Option<Session>>>,
}

/// Clients under way; dropping them ends them.
pub(super) struct Clients {
    shared: Arc<Shared>,
    workers: JoinSet<Session>,
}

impl Clients {
    /// Starts them.
    pub(super) fn start(load: Load, nodes: Vec<Node>, journal: &Arc<Journal>) -> Self {
        let shared = Arc::new(Shared {
            nodes: RwLock::new(nodes),
            stopping: AtomicBool::new(false),
            values: AtomicU64::new(0),
            handed_over: (0..load.clients).map(|_| Mutex::default()).collect(),
            load,
        });
        let record = Record::default();
        let mut workers = JoinSet::new();
        for index in 0..shared.load.clients {
            let session = Session::new(index + 1, Client::new(shared.load.dialect, &record), journal);
            let dice = Dice::new(shared.load.seed, 1 + index as usize);
            let worker =
                Worker { index: index as usize, dice, node: index as usize, session, shared: Arc::clone(&shared) };
            workers.spawn(worker.run());
        }
        Self { shared, workers }
    }

    /// Has them ask this node too, from now on.
    pub(super) fn add_node(&self, node: Node) {
        self.shared.nodes.write().unwrap_or_else(PoisonError::into_inner).push(node);
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

/// One client at work.
struct Worker {
    index: usize,
    dice: Dice,
    node: usize,
    session: Session,
    shared: Arc<Shared>,
}

impl Worker {
    async fn run(mut self) -> Session {
        let Load { clients, per_second, .. } = self.shared.load;
        let mut pace = tokio::time::interval(Duration::from_secs(1) * clients / per_second);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.shared.stopping.load(Ordering::Relaxed) {
            pace.tick().await;
            self.change_token();
            self.operate().await;
        }
        self.session
    }

    /// Takes what was handed over, hands over, or forgets.
    fn change_token(&mut self) {
        let place = |client: usize| self.shared.handed_over[client].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(given) = place(self.index).take() {
            self.session.take_over(&given);
        }
        match self.dice.below(100) {
            choice if choice < HANDOVER_PERCENT => {
                *place(self.dice.below(self.shared.handed_over.len())) = Some(self.session.clone());
            }
            choice if choice < HANDOVER_PERCENT + FORGET_PERCENT => self.session.forget(),
            _ => {}
        }
    }

    /// Asks once. Who gets no answer goes elsewhere; where that is has been decided before.
    async fn operate(&mut self) {
        let elsewhere = self.dice.below(usize::MAX);
        if self.dice.below(100) < MOVE_PERCENT {
            self.node = elsewhere;
        }
        let node = {
            let nodes = self.shared.nodes.read().unwrap_or_else(PoisonError::into_inner);
            nodes[self.node % nodes.len()].clone()
        };
        let keys = &self.shared.load.keys;
        let key = &keys[self.dice.below(keys.len())];
        let operation = match self.dice.below(100) {
            choice if choice < READ_PERCENT => self.session.get(&node, key).await,
            choice if choice < READ_PERCENT + PUT_PERCENT => {
                let value = self.shared.values.fetch_add(1, Ordering::Relaxed) + 1;
                self.session.put(&node, key, value.to_string()).await
            }
            _ => self.session.delete(&node, key).await,
        };
        if operation.status.is_none() {
            self.node = elsewhere;
        }
    }
}
