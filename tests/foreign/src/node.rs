//! One node among others: its state behind a lock, and how it talks to its peers, which is HTTP.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::http::{Method, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::{
    sync::{self, RwLock, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    holding::{Entry, Holding},
    setup::{Flaw, Setup},
    state::State,
    version::Version,
};

/// Marks what comes from a node, so that it is neither forwarded nor told to the others once more.
pub(crate) const FROM_NODE: &str = "x-from-node";
/// For a message that is answered at once.
pub(crate) const PATIENCE: Duration = Duration::from_millis(700);
/// How late the stale flaw replicates.
const STALENESS: Duration = Duration::from_millis(500);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) flaw: Option<Flaw>,
    state: Mutex<State>,
    /// Requests for keys pass through as readers; a rearrangement of the shards shuts it.
    pub(crate) gate: Arc<RwLock<()>>,
    /// Dropped to open the gate again.
    pub(crate) shut: Mutex<Option<oneshot::Sender<()>>>,
    /// One write at a time, so that every peer gets them in order. Counts them for the forgetful.
    pub(crate) writes: sync::Mutex<u64>,
    http: reqwest::Client,
}

impl Node {
    pub(crate) fn new(setup: &Setup) -> Result<Arc<Self>, reqwest::Error> {
        let node = Self {
            address: setup.address,
            flaw: setup.flaw,
            state: Mutex::new(State::new(setup.address, &setup.view)),
            gate: Arc::default(),
            shut: Mutex::default(),
            writes: sync::Mutex::default(),
            http: reqwest::Client::builder().no_proxy().build()?,
        };
        Ok(Arc::new(node))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the state in hand")
    }

    /// Sends a request to another node; `None` when no answer comes in time.
    pub(crate) async fn send(
        &self,
        to: SocketAddr,
        method: Method,
        path: &str,
        body: Vec<u8>,
        patience: Duration,
    ) -> Option<(StatusCode, Value)> {
        let request = self.http.request(method, format!("http://{to}{path}")).timeout(patience);
        let request = request.header(FROM_NODE, self.address.to_string()).header(CONTENT_TYPE, "application/json");
        let response = request.body(body).send().await.ok()?;
        Some((response.status(), response.json().await.ok()?))
    }

    /// Sends the same to several nodes at once, and waits for all of them.
    pub(crate) async fn broadcast(
        self: &Arc<Self>,
        to: Vec<SocketAddr>,
        method: Method,
        path: &'static str,
        body: &Value,
    ) {
        let mut sent = JoinSet::new();
        for peer in to.into_iter().filter(|peer| *peer != self.address) {
            let (node, method, body) = (Arc::clone(self), method.clone(), body.to_string().into_bytes());
            sent.spawn(async move { node.send(peer, method, path, body, PATIENCE).await });
        }
        sent.join_all().await;
    }

    /// Brings a write to the other nodes of the shard that are up.
    pub(crate) async fn replicate(self: &Arc<Self>, key: &str, entry: &Entry) {
        let message = json!({ "origin": self.address, "key": key, "entry": entry.to_json() });
        let node = Arc::clone(self);
        let peers = {
            let state = self.state();
            state.peers(state.shard())
        };
        let replication = async move { node.broadcast(peers, Method::PUT, "/internal/write", &message).await };
        if self.flaw == Some(Flaw::Stale) {
            tokio::spawn(async move {
                sleep(STALENESS).await;
                replication.await;
            });
        } else {
            replication.await;
        }
    }

    /// Takes over what a peer has, or what the right peer has when this one belongs to another shard.
    pub(crate) async fn catch_up(&self, peer: SocketAddr) {
        let Some(theirs) = self.fetch(peer).await else {
            return;
        };
        let taken = self.state().take(theirs, peer);
        for member in taken.err().unwrap_or_default().into_iter().filter(|member| *member != self.address) {
            if let Some(theirs) = self.fetch(member).await
                && self.state().take(theirs, member).is_ok()
            {
                return;
            }
        }
    }

    async fn fetch(&self, peer: SocketAddr) -> Option<Holding> {
        let (_, json) = self.send(peer, Method::GET, "/internal/holding", Vec::new(), PATIENCE).await?;
        Holding::from_json(&json)
    }

    /// Waits until everything is here that a token names, asking the peers for it.
    pub(crate) async fn cover(&self, token: &Version, patience: Duration) -> bool {
        let covered = async {
            while self.flaw != Some(Flaw::Stale) && !self.state().covers(token) {
                let peers = {
                    let state = self.state();
                    state.peers(state.shard())
                };
                for peer in peers {
                    self.catch_up(peer).await;
                }
                if !self.state().covers(token) {
                    sleep(POLL_INTERVAL).await;
                }
            }
        };
        timeout(patience, covered).await.is_ok()
    }
}
