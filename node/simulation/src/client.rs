//! Clients: each sends one request after another to any node, carries its token, takes over others' tokens, and gives up.

use node_core::{Key, RequestId};

use crate::{
    cluster::{Alarm, Cluster},
    oracle::{Context, Kind},
    random::Random,
    violation::Checked,
};

#[derive(Default)]
struct Client {
    context: Context,
    waiting: Option<RequestId>,
    /// What it asked last.
    last: Option<(Kind, Key)>,
    /// Whether that was not answered, or with 503.
    failed: bool,
    /// Counts what it did, so that an alarm set for something that is over is not heard.
    turn: u32,
}

/// All clients of a run.
pub(crate) struct Clients {
    clients: Vec<Client>,
    keys: Vec<Key>,
    random: Random,
    /// Milliseconds between a reply and the next request.
    think_ms: (u64, u64),
    /// Of a thousand requests, so many go to the client's own node, and so many are for the first key.
    habits: (u64, u64),
    /// Of a hundred requests, so many are a PUT, and so many a DELETE.
    writes: (u64, u64),
    pub(crate) stopped: bool,
    pub(crate) operations: u64,
}

impl Clients {
    pub(crate) fn start(cluster: &mut Cluster, count: usize, keys: Vec<Key>, mut random: Random) -> Self {
        for client in 0..count {
            cluster.set_alarm(random.between(500, 3_000), Alarm::Client(client, 0));
        }
        let think_ms = (5, *random.pick(&[100, 300, 600, 1_200]));
        let habits = (random.between(0, 900), random.between(0, 600));
        let writes = (random.between(15, 50), random.between(4, 35));
        let clients = (0..count).map(|_| Client::default()).collect();
        Self { clients, keys, random, think_ms, habits, writes, stopped: false, operations: 0 }
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The number of one that is not of them.
    pub(crate) fn stranger(&self) -> u32 {
        number(self.clients.len())
    }

    pub(crate) fn contexts(&self) -> impl Iterator<Item = &Context> {
        self.clients.iter().map(|client| &client.context)
    }

    /// The client's pause, or its patience, is over.
    pub(crate) fn wake(&mut self, cluster: &mut Cluster, client: usize, turn: u32) -> Checked {
        if self.clients[client].turn != turn {
            return Ok(());
        }
        if let Some(id) = self.clients[client].waiting.take() {
            cluster.give_up(id)?;
            self.clients[client].failed = true;
        }
        if self.stopped {
            return Ok(());
        }
        self.adopt(client);
        let (kind, key) = self.choose(client);
        let own = self.random.chance(self.habits.0);
        let node = if own { client % cluster.nodes.len() } else { self.random.index(cluster.nodes.len()) };
        let fresh = Context::default();
        let context = if self.random.chance(40) { &fresh } else { &self.clients[client].context };
        let id = cluster.operate(number(client), node, kind, &key, context)?;
        self.operations += 1;
        let asking = &mut self.clients[client];
        asking.waiting = Some(id);
        asking.last = Some((kind, key));
        asking.failed = false;
        let patience_ms = self.random.between(600, 6_000);
        self.next_alarm(cluster, client, patience_ms);
        Ok(())
    }

    /// Something new, or, often, what has just failed once more.
    fn choose(&mut self, client: usize) -> (Kind, Key) {
        let again = self.clients[client].last.clone().filter(|_| self.clients[client].failed);
        if let Some(again) = again.filter(|_| self.random.chance(500)) {
            return again;
        }
        let first = self.random.chance(self.habits.1);
        let key = if first { &self.keys[0] } else { self.random.pick(&self.keys) }.clone();
        let (puts, deletes) = self.writes;
        let drawn = self.random.below(100);
        let kind = if drawn < puts {
            Kind::Put
        } else if drawn < puts + deletes {
            Kind::Delete
        } else {
            Kind::Get
        };
        (kind, key)
    }

    /// Sometimes a client forgets, or goes on from where another one is.
    fn adopt(&mut self, client: usize) {
        if self.random.chance(100) {
            let other = self.random.index(self.clients.len());
            self.clients[client].context = self.clients[other].context.clone();
        } else if self.random.chance(10) {
            self.clients[client].context = Context::default();
        }
    }

    /// A reply has come, or the connection broke. Says whether a client was waiting for it.
    pub(crate) fn answered(&mut self, cluster: &mut Cluster, id: RequestId, context: Option<&Context>) -> bool {
        let Some(client) = self.clients.iter().position(|client| client.waiting == Some(id)) else {
            return false;
        };
        self.clients[client].waiting = None;
        self.clients[client].failed = context.is_none();
        if let Some(context) = context {
            self.clients[client].context.clone_from(context);
        }
        let think_ms = self.random.between(self.think_ms.0, self.think_ms.1);
        self.next_alarm(cluster, client, think_ms);
        true
    }

    fn next_alarm(&mut self, cluster: &mut Cluster, client: usize, in_ms: u64) {
        self.clients[client].turn += 1;
        cluster.set_alarm(in_ms, Alarm::Client(client, self.clients[client].turn));
    }
}

/// As it is called in a history.
fn number(client: usize) -> u32 {
    client as u32 + 1
}
