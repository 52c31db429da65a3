//! A cluster to tell a story with: every step is checked as in a random run, and a violation ends the test with its trace.

use std::{collections::BTreeSet, sync::Arc};

use node_core::{Address, Key, Reply, Request, RequestId, ShardId, Stats};

use crate::{
    cluster::{Host, address},
    healing,
    oracle::{Context, Kind},
    random::Random,
    run::Run,
    trace::Trace,
    violation::Checked,
    watch::Watch,
};

const LINES_SHOWN: usize = 80;
/// How long a fresh cluster may take until every node is ready, in milliseconds.
const READY_LIMIT_MS: u64 = 6_000;
/// How long a node may take to leave: the service waits no longer.
const LEAVE_LIMIT_MS: u64 = 400;

pub(crate) struct Scene {
    pub(crate) run: Run,
    trace: Trace,
    keys: BTreeSet<Key>,
    cuts: Vec<(usize, usize)>,
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).expect("a key")
}

impl Scene {
    /// Nodes that all know each other, started and ready.
    pub(crate) fn new(count: usize, shard_count: Option<u32>) -> Self {
        let hosts: Vec<Host> = (0..count).map(|_| Host { view: (0..count).collect(), shard_count }).collect();
        let mut scene = Self::of(&hosts);
        for node in 0..count {
            scene.start(node);
        }
        scene.eventually(READY_LIMIT_MS, "every node is ready", |scene| (0..count).all(|node| scene.is_ready(node)));
        scene
    }

    /// As [`new`](Self::new), but the last node starts alone, and the others when it has served on its own for a while.
    pub(crate) fn begun_alone(count: usize, shard_count: Option<u32>) -> Self {
        let hosts: Vec<Host> = (0..count).map(|_| Host { view: (0..count).collect(), shard_count }).collect();
        let mut scene = Self::of(&hosts);
        scene.start(count - 1);
        scene.eventually(READY_LIMIT_MS, "it serves alone", |scene| scene.is_ready(count - 1));
        for node in 0..count - 1 {
            scene.start(node);
        }
        scene.eventually(READY_LIMIT_MS, "every node is ready", |scene| {
            (0..count).all(|node| scene.is_ready(node) && scene.stats(node).view == count)
        });
        scene
    }

    /// As [`new`](Self::new), and one more that the others have not heard of.
    pub(crate) fn with_ungrouped(count: usize, shard_count: u32) -> Self {
        let mut scene = Self::with_stranger(count, shard_count);
        scene.start(count);
        scene.eventually(READY_LIMIT_MS, "every node is ready", |scene| (0..=count).all(|node| scene.is_ready(node)));
        scene
    }

    /// As [`with_ungrouped`](Self::with_ungrouped), before that one has ever been started.
    fn with_stranger(count: usize, shard_count: u32) -> Self {
        let mut hosts: Vec<Host> =
            (0..count).map(|_| Host { view: (0..count).collect(), shard_count: Some(shard_count) }).collect();
        hosts.push(Host { view: (0..=count).collect(), shard_count: None });
        let mut scene = Self::of(&hosts);
        for node in 0..count {
            scene.start(node);
        }
        scene.eventually(READY_LIMIT_MS, "every node is ready", |scene| (0..count).all(|node| scene.is_ready(node)));
        scene
    }

    fn of(hosts: &[Host]) -> Self {
        let trace = Trace::recording();
        let watch = Watch { trace: trace.clone(), ..Watch::default() };
        Self { run: Run::quiet(hosts, None, Random::new(1), watch), trace, keys: BTreeSet::new(), cuts: Vec::new() }
    }

    #[track_caller]
    pub(crate) fn must<T>(&self, checked: Checked<T>) -> T {
        checked.unwrap_or_else(|violation| panic!("{violation}\n{}", self.trace.tail(violation.slot, LINES_SHOWN)))
    }

    /// Fails with the last lines about `key`.
    #[track_caller]
    pub(crate) fn fail(&self, about: Option<&str>, what: &str) -> ! {
        panic!("{what}\n{}", self.trace.tail(about.map(|text| key(text).slot()), LINES_SHOWN))
    }

    // ---- time ----

    #[track_caller]
    pub(crate) fn pass(&mut self, for_ms: u64) {
        let passed = self.run.until(self.run.cluster.now_ms + for_ms);
        self.must(passed);
    }

    /// Lets time pass until it holds.
    #[track_caller]
    pub(crate) fn eventually(&mut self, limit_ms: u64, what: &str, holds: impl Fn(&Self) -> bool) {
        let from_ms = self.run.cluster.now_ms;
        while !holds(self) {
            if self.run.cluster.now_ms > from_ms + limit_ms {
                let stats: Vec<_> =
                    self.run.cluster.nodes.iter().map(|node| node.core.as_ref().map(node_core::Core::stats)).collect();
                self.fail(None, &format!("after {limit_ms} ms it does not hold that {what}: {stats:?}"));
            }
            self.pass(20);
        }
    }

    /// Everything comes to rest, and every check of a random run holds.
    #[track_caller]
    pub(crate) fn finish(mut self, contexts: &[&Context]) {
        let rested = healing::come_to_rest(&mut self.run);
        self.must(rested);
        let keys: Vec<Key> = self.keys.iter().cloned().collect();
        let contexts = contexts.iter().map(|context| (*context).clone()).collect();
        let right = healing::everything_is_right(&mut self.run, &keys, contexts);
        self.must(right);
    }

    // ---- hosts and links ----

    #[track_caller]
    pub(crate) fn start(&mut self, node: usize) {
        let started = self.run.cluster.start(node);
        self.must(started);
    }

    #[track_caller]
    pub(crate) fn crash(&mut self, node: usize) {
        let crashed = self.run.cluster.crash(node);
        self.must(crashed);
    }

    /// As [`leave_while`](Self::leave_while), and nothing goes on.
    #[track_caller]
    pub(crate) fn leave(&mut self, node: usize) {
        self.leave_while(node, |_| {});
    }

    /// Asks the node to stop, and ends it as soon as it says that nobody waits for it; `goes_on` comes every millisecond until
    /// then, and once after.
    #[track_caller]
    pub(crate) fn leave_while(&mut self, node: usize, mut goes_on: impl FnMut(&mut Self)) {
        let leaving = self.run.cluster.leave(node);
        self.must(leaving);
        let from_ms = self.run.cluster.now_ms;
        while !self.run.cluster.nodes[node].core.as_ref().is_some_and(node_core::Core::may_stop) {
            if self.run.cluster.now_ms > from_ms + LEAVE_LIMIT_MS {
                self.fail(None, "a node that leaves is not let go");
            }
            self.pass(1);
            goes_on(self);
        }
        self.crash(node);
        goes_on(self);
    }

    #[track_caller]
    pub(crate) fn wipe(&mut self, node: usize) {
        let wiped = self.run.cluster.wipe(node);
        self.must(wiped);
    }

    #[track_caller]
    pub(crate) fn set_space(&mut self, node: usize, enough: bool) {
        let set = self.run.cluster.set_space(node, enough);
        self.must(set);
    }

    /// Cuts all links between the nodes named and the others.
    pub(crate) fn split(&mut self, side: &[usize]) {
        for one in 0..self.run.cluster.nodes.len() {
            for other in 0..self.run.cluster.nodes.len() {
                if side.contains(&one) != side.contains(&other) {
                    self.run.cluster.cut(one, other);
                    self.cuts.push((one, other));
                }
            }
        }
    }

    pub(crate) fn heal(&mut self) {
        for (from, to) in std::mem::take(&mut self.cuts) {
            self.run.cluster.mend(from, to);
        }
    }

    pub(crate) fn is_ready(&self, node: usize) -> bool {
        self.run.cluster.nodes[node].core.as_ref().is_some_and(node_core::Core::is_ready)
    }

    pub(crate) fn stats(&self, node: usize) -> Stats {
        self.run.cluster.nodes[node].core.as_ref().map(node_core::Core::stats).unwrap_or_default()
    }

    pub(crate) fn shard_of(&self, text: &str) -> ShardId {
        let core = self.run.cluster.nodes[0].core.as_ref().expect("node1 is up");
        core.placement().shard(key(text).slot())
    }

    // ---- clients ----

    #[track_caller]
    pub(crate) fn begin(&mut self, node: usize, kind: Kind, text: &str, context: &Context) -> RequestId {
        self.keys.insert(key(text));
        let begun = self.run.cluster.operate(1, node, kind, &key(text), context);
        self.must(begun)
    }

    /// The reply; the context becomes what the client carries then.
    #[track_caller]
    pub(crate) fn end(&mut self, id: RequestId, context: &mut Context) -> Reply {
        let outcome = self.run.outcome(id);
        match self.must(outcome) {
            Some((reply, next)) => {
                if let Some(next) = next {
                    *context = next;
                }
                reply
            }
            None => self.fail(None, "the node went away"),
        }
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, node: usize, kind: Kind, text: &str, context: &mut Context) -> Reply {
        let id = self.begin(node, kind, text, context);
        self.end(id, context)
    }

    #[track_caller]
    pub(crate) fn get(&mut self, node: usize, text: &str, context: &mut Context) -> Reply {
        self.ask(node, Kind::Get, text, context)
    }

    /// A PUT that must succeed. Says whether the key existed, and on how many replicas it is.
    #[track_caller]
    pub(crate) fn put(&mut self, node: usize, text: &str, context: &mut Context) -> (bool, u32) {
        match self.ask(node, Kind::Put, text, context) {
            Reply::Written { replaced, replicas_durable, .. } => (replaced, replicas_durable),
            other => self.fail(Some(text), &format!("PUT {text} at node{} was answered {other:?}", node + 1)),
        }
    }

    /// A DELETE of a key that must exist.
    #[track_caller]
    pub(crate) fn delete(&mut self, node: usize, text: &str, context: &mut Context) {
        match self.ask(node, Kind::Delete, text, context) {
            Reply::Written { replaced: true, .. } => {}
            other => self.fail(Some(text), &format!("DELETE {text} at node{} was answered {other:?}", node + 1)),
        }
    }

    /// A GET that must find the value that the client, or another, put there with this version.
    #[track_caller]
    pub(crate) fn finds(&mut self, node: usize, text: &str, context: &mut Context) -> Arc<str> {
        match self.get(node, text, context) {
            Reply::Value { record, .. } => record.version().into(),
            other => self.fail(Some(text), &format!("GET {text} at node{} was answered {other:?}", node + 1)),
        }
    }

    #[track_caller]
    pub(crate) fn misses(&mut self, node: usize, text: &str, context: &mut Context) {
        match self.get(node, text, context) {
            Reply::Missing { .. } => {}
            other => self.fail(Some(text), &format!("GET {text} at node{} was answered {other:?}", node + 1)),
        }
    }

    /// A request that must be answered 503.
    #[track_caller]
    pub(crate) fn unavailable(&mut self, node: usize, kind: Kind, text: &str, context: &Context) {
        match self.ask(node, kind, text, &mut context.clone()) {
            Reply::Unavailable { .. } => {}
            other => self.fail(Some(text), &format!("{kind:?} {text} at node{} was answered {other:?}", node + 1)),
        }
    }

    // ---- operators ----

    pub(crate) fn order(&mut self, node: usize, request: Request) -> RequestId {
        self.run.cluster.administer(node, request)
    }

    #[track_caller]
    pub(crate) fn tell(&mut self, node: usize, request: Request) -> Reply {
        let id = self.order(node, request);
        self.end(id, &mut Context::default())
    }

    #[track_caller]
    pub(crate) fn done(&mut self, node: usize, request: Request) {
        let told = format!("{request:?}");
        let reply = self.tell(node, request);
        if reply != Reply::Done {
            self.fail(None, &format!("{told} at node{} was answered {reply:?}", node + 1));
        }
    }

    #[track_caller]
    pub(crate) fn view(&mut self, node: usize) -> Vec<Address> {
        match self.tell(node, Request::View) {
            Reply::View(view) => view,
            other => self.fail(None, &format!("the view of node{} is {other:?}", node + 1)),
        }
    }

    #[track_caller]
    pub(crate) fn sees(&mut self, node: usize, other: usize) -> bool {
        self.view(node).contains(&address(other))
    }
}
