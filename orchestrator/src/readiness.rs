//! Waits: a condition that is asked for again and again until it holds or its deadline passes.
//!
//! Invariant: no wait ends in success without its condition, and a failure names the node, the condition, what was last
//! seen and the node's last log lines.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

use crate::client::NodeClient;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::observed::{NodeState, ObservedNode};
use crate::output::{Event, Output};
use crate::runtime::{LogRequest, Runtime};

/// Between two looks at a node.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two looks at whether it still runs.
const LIFE_CHECK: Duration = Duration::from_millis(500);
/// How much of its log a failure shows.
const LOG_LINES: u64 = 10;

/// A node that is waited for.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    pub(crate) node: ObservedNode,
    pub(crate) url: String,
    pub(crate) socket: String,
    pub(crate) client: NodeClient,
}

impl Awaited {
    /// `None` when nobody tells where the node listens.
    pub(crate) fn new(node: &ObservedNode) -> Option<Self> {
        let (socket, url) = (node.socket()?.to_string(), node.url()?);
        Some(Self { node: node.clone(), socket, client: NodeClient::new(&url), url })
    }
}

/// A condition as it was last seen: it holds, or what is there instead.
pub(crate) type Seen = Result<(), String>;

/// Waits for the nodes of one project.
pub(crate) struct Waiter<'a> {
    pub(crate) runtime: &'a dyn Runtime,
    pub(crate) project: &'a str,
    pub(crate) output: &'a Output,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) timeout: Duration,
}

impl Waiter<'_> {
    /// Until `look` holds for a node.
    ///
    /// # Errors
    /// The deadline passed, the node ended, or somebody interrupts.
    pub(crate) async fn until<F: Future<Output = Seen>>(
        &self,
        awaited: &Awaited,
        condition: &str,
        look: impl Fn() -> F,
    ) -> Result<(), Failure> {
        let name = &awaited.node.name;
        let start = Instant::now();
        let deadline = start + self.timeout;
        let mut life_check = start + LIFE_CHECK;
        loop {
            let seen = match look().await {
                Ok(()) => return Ok(()),
                Err(seen) => seen,
            };
            self.output.waiting(name, &format!("waiting until it {condition}; {seen}"));
            if self.interrupt.is_asked() {
                return Err(Failure::Interrupted(String::new()));
            }
            let now = Instant::now();
            if now >= life_check {
                life_check = now + LIFE_CHECK;
                self.check_life(awaited, condition).await?;
            }
            if now >= deadline {
                let seconds = self.timeout.as_secs_f32();
                let log = self.last_lines(&awaited.node).await;
                let message = format!(
                    "{name} at {} does not get to the point where it {condition} within {seconds} s\nlast seen: {seen}{log}",
                    awaited.url
                );
                return Err(Failure::NotReady(message));
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.interrupt.asked() => {}
            }
        }
    }

    /// A node that ended will not become ready.
    async fn check_life(&self, awaited: &Awaited, condition: &str) -> Result<(), Failure> {
        let nodes = self.runtime.nodes(self.project).await?;
        let there = nodes.iter().find(|node| node.name == awaited.node.name);
        if there.is_some_and(|node| node.state != NodeState::Stopped) {
            return Ok(());
        }
        Err(self.ended(&awaited.node, condition).await)
    }

    /// The failure for a node that ended before its condition held.
    pub(crate) async fn ended(&self, node: &ObservedNode, condition: &str) -> Failure {
        let how = self.runtime.last_words(node).await.unwrap_or_else(|| "ended".to_owned());
        let log = self.last_lines(node).await;
        Failure::Unhealthy(format!("{} {how} while it was waited for until it {condition}{log}", node.name))
    }

    /// The end of a node's log, indented under a line that says so.
    async fn last_lines(&self, node: &ObservedNode) -> String {
        let request = LogRequest { tail: Some(LOG_LINES), ..LogRequest::default() };
        let lines: Vec<String> = match self.runtime.logs(self.project, node, &request).await {
            Ok(stream) => stream.filter_map(async |line| line.ok().map(|line| line.text)).collect().await,
            Err(_) => Vec::new(),
        };
        if lines.is_empty() {
            return format!("\n{} has logged nothing", node.name);
        }
        let indented: Vec<String> = lines.iter().map(|line| format!("\n  {line}")).collect();
        format!("\nthe last lines of {}:{}", node.name, indented.concat())
    }

    /// Until every one of `awaited` answers HTTP, and (our image, whole cluster) says that it is ready.
    ///
    /// # Errors
    /// See [`Waiter::until`].
    pub(crate) async fn answers(&self, awaited: &[Awaited], ready: bool) -> Result<(), Failure> {
        let waits = awaited.iter().map(async |node| {
            self.until(node, "answers", || async { node.client.view().await.map(drop).map_err(|e| e.to_string()) })
                .await?;
            if ready {
                self.until(node, "is ready", || async { node.client.ready().await.map_err(|e| e.to_string()) }).await?;
            }
            Ok::<(), Failure>(())
        });
        try_join_all(waits).await.map(drop)
    }

    /// Until all of `awaited` have one and the same view, with all of them in it. Tells of those in `told`, and how long it took
    /// since they were started, where that is known.
    ///
    /// # Errors
    /// See [`Waiter::until`].
    pub(crate) async fn agree(
        &self,
        awaited: &[Awaited],
        told: &BTreeMap<String, Option<std::time::Instant>>,
    ) -> Result<(), Failure> {
        let sockets: BTreeSet<&str> = awaited.iter().map(|node| node.socket.as_str()).collect();
        // All are asked for each look; every node is then judged by what all said.
        let judge = awaited.iter().map(|node| {
            let sockets = &sockets;
            async move {
                self.until(node, "agrees with all others on the view", || agreement(node, awaited, sockets)).await?;
                let name = &node.node.name;
                if let Some(started) = told.get(name) {
                    let mut ready = Event::new("node.ready", format!("ready at {}", node.url)).node(Some(name));
                    ready.took = started.map(|started| started.elapsed());
                    self.output.event(&ready);
                }
                Ok::<(), Failure>(())
            }
        });
        try_join_all(judge).await.map(drop)
    }
}

/// Whether the node has everybody in its view, and the same view as the first of all.
async fn agreement(node: &Awaited, all: &[Awaited], sockets: &BTreeSet<&str>) -> Seen {
    let views = join_all([node, all.first().unwrap_or(node)].map(|asked| asked.client.view())).await;
    let mut views = views.into_iter();
    let (Some(Ok(own)), Some(Ok(first))) = (views.next(), views.next()) else {
        return Err("no answer to the view".to_owned());
    };
    let missing: Vec<&str> = sockets.iter().filter(|socket| !own.iter().any(|a| a == *socket)).copied().collect();
    if !missing.is_empty() {
        return Err(format!("its view lacks {}", missing.join(", ")));
    }
    if own != first {
        return Err(format!("its view is {}, another's {}", own.join(","), first.join(",")));
    }
    Ok(())
}
