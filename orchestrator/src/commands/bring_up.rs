//! The way from the file to running nodes that `up`, `node`, `ungrouped` and `add` share: look, compile, plan, apply, wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use conformance::Exchange;
use serde_json::{Value, json};

use super::session::Session;
use crate::apply::Executor;
use crate::build::Artifact;
use crate::diagnosis::{Check, room};
use crate::evidence::Attempt;
use crate::failure::Failure;
use crate::observed::{NodeState, ObservedNode};
use crate::partition::{among, lines};
use crate::plan::{Desired, Plan, plan};
use crate::readiness::{Awaited, Waiter};
use crate::runtime::docker::missing_image;
use crate::runtime::{Look, Runtime, Site};
use crate::spec::NodeSpec;

/// What is waited for after the plan is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The nodes themselves answer.
    Answers,
    /// All running nodes of the project agree on the view.
    Agreement,
}

/// What came of it.
pub(super) struct Outcome {
    /// Something had to be done.
    pub(super) changed: bool,
    /// All nodes of the project that run.
    pub(super) running: Vec<Awaited>,
}

/// Makes `nodes` run, in a place that the flags choose. With `recreate`, also those that are as wanted are made anew.
pub(super) async fn bring_up(
    session: &Session<'_>,
    runtime: &dyn Runtime,
    nodes: Vec<&NodeSpec>,
    recreate: bool,
    until: Until,
) -> Result<Outcome, Failure> {
    let work = async |session: &Session<'_>| {
        let nodes = nodes.iter().filter_map(|node| session.spec.node(&node.name)).collect();
        bring_up_in_place(session, runtime, nodes, recreate, until).await
    };
    session.in_place(runtime, work).await
}

/// What must be done, and with what.
pub(super) struct Prepared {
    artifact: Option<Artifact>,
    /// Whether the nodes are of our image.
    ours: bool,
    pub(super) plan: Plan,
}

/// Looks, compiles what the file says is built here, and plans.
pub(super) async fn prepare(
    session: &Session<'_>,
    look: &dyn Look,
    nodes: Vec<&NodeSpec>,
    recreate: bool,
) -> Result<Prepared, Failure> {
    let desired = |artifact| desired(session, look, &nodes, artifact, recreate);
    // Conflicts are told at once: they end the compiler, which may take minutes.
    let is_free =
        async { plan(&desired(None), &look.observe(&session.site(None)).await?).map(drop).map_err(Failure::Conflict) };
    let ((), artifact) = tokio::try_join!(is_free, session.compile(look))?;
    let observed = look.observe(&session.site(artifact.as_ref())).await?;
    if artifact.is_none() && observed.image.is_none() {
        return Err(missing_image(&session.spec));
    }
    let plan = plan(&desired(artifact.as_ref()), &observed).map_err(Failure::Conflict)?;
    let ours = artifact.is_some() || observed.image.is_some_and(|image| image.ours);
    Ok(Prepared { artifact, ours, plan })
}

/// What is wanted of the nodes, with what was compiled.
fn desired<'a>(
    session: &'a Session<'_>,
    look: &dyn Look,
    nodes: &[&'a NodeSpec],
    artifact: Option<&'a Artifact>,
    recreate: bool,
) -> Desired<'a> {
    let content = artifact.map(|artifact| artifact.content.as_str());
    Desired { spec: &session.spec, nodes: nodes.to_vec(), addressing: look.addressing(), content, recreate }
}

async fn bring_up_in_place(
    session: &Session<'_>,
    runtime: &dyn Runtime,
    nodes: Vec<&NodeSpec>,
    recreate: bool,
    until: Until,
) -> Result<Outcome, Failure> {
    let began = SystemTime::now();
    let prepared = prepare(session, runtime, nodes.clone(), recreate).await?;
    let site = session.site(prepared.artifact.as_ref());
    let events = if prepared.plan.is_empty() { None } else { runtime.events(&session.spec, began) };
    let executor = Executor::new(runtime, &site, &session.interrupt);
    let standing = Standing {
        session,
        runtime,
        site: &site,
        nodes: &nodes,
        ours: prepared.ours,
        told: Mutex::default(),
        asked: Mutex::default(),
    };
    let mut running = Vec::new();
    let wait = async {
        let whole = async || standing.reach(Until::Agreement, &executor, false).await.map(drop).map_err(not_rolled);
        executor.roll(&prepared.plan, whole).await?;
        running = standing.reach(until, &executor, true).await?;
        Ok(())
    };
    let work = async {
        let (done, ()) = tokio::join!(wait, warn_of_little_room(session, runtime, &prepared.plan));
        if let Err(Failure::Unhealthy(_)) = done {
            // A process that ended may have met a stranger at its port.
            let desired = desired(session, runtime, &nodes, prepared.artifact.as_ref(), recreate);
            plan(&desired, &runtime.observe(&site).await?).map_err(Failure::Conflict)?;
        }
        match done {
            Ok(()) => Ok(()),
            Err(failure) => {
                let (done, heard) = (executor.done(), standing.heard());
                Err(Attempt { runtime, site: &site, began, plan: &prepared.plan, done, events, heard }
                    .failed(failure)
                    .await)
            }
        }
    };
    executor.undoing(work).await?;
    Ok(Outcome { changed: !prepared.plan.is_empty(), running })
}

/// Before something is started. It is for people only: whoever cannot be asked is not.
async fn warn_of_little_room(session: &Session<'_>, runtime: &dyn Runtime, plan: &Plan) {
    if plan.is_empty() {
        return;
    }
    let Ok(about) = runtime.about().await else { return };
    for warning in room(&about, &session.spec).iter().filter_map(Check::warning_text) {
        session.output.note(&warning);
    }
}

/// Who cannot wait may say so.
fn not_rolled(failure: Failure) -> Failure {
    match failure {
        Failure::NotReady(seen) => Failure::NotReady(format!(
            "{seen}\nnodes are made anew one by one, and only while the cluster is whole; \
             `orchestrator node NAME` makes one anew at once"
        )),
        other => other,
    }
}

/// How far the cluster is on its way to what is wanted.
struct Standing<'a> {
    session: &'a Session<'a>,
    runtime: &'a dyn Runtime,
    site: &'a Site<'a>,
    /// Those that must run.
    nodes: &'a [&'a NodeSpec],
    ours: bool,
    /// Those of which it is told that they are ready.
    told: Mutex<BTreeSet<String>>,
    /// Those that were asked last whether they are ready.
    asked: Mutex<Vec<Awaited>>,
}

impl Standing<'_> {
    /// Waits until the cluster is there; answers with all of its nodes that run. Tells of those that this run has started since it
    /// was there last, and in the `end` of all others too.
    async fn reach(&self, until: Until, executor: &Executor<'_>, end: bool) -> Result<Vec<Awaited>, Failure> {
        let Self { session, runtime, .. } = *self;
        let waiter = waiter(session, runtime);
        let nodes = runtime.nodes(&session.spec.name).await?;
        for node in self.nodes {
            let there = nodes.iter().find(|there| there.name == node.name);
            if there.is_none_or(|there| there.state == NodeState::Stopped) {
                let gone = there.cloned().unwrap_or_else(|| ObservedNode::gone(&node.name));
                return Err(waiter.ended(&gone, "answers").await);
            }
        }
        let running = awaited(&nodes);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&running);
        let until = if keep_partitions(self.site, runtime).await? { Until::Answers } else { until };
        match until {
            Until::Answers => {
                let asked = running.iter().filter(|node| self.nodes.iter().any(|n| n.name == node.node.name));
                waiter.answers(&asked.cloned().collect::<Vec<_>>(), false).await?;
            }
            Until::Agreement => {
                let complete = session.spec.grouped().all(|node| running.iter().any(|r| r.node.name == node.name));
                waiter.answers(&running, self.ours && complete).await?;
                let new = self.news(executor, if end { &running } else { &[] });
                waiter.agree(&running, &new).await?;
                // Who was ready while it met nobody may have found, when it did, that it has something to copy.
                waiter.answers(&running, self.ours && complete).await?;
            }
        }
        Ok(running)
    }

    /// What each node was asked last, and when.
    fn heard(&self) -> Vec<(SystemTime, Exchange)> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().flat_map(|node| node.client.heard.all()).collect()
    }

    /// The nodes that this run has started, with since when, and of `others` those that nobody was told of.
    fn news(&self, executor: &Executor<'_>, others: &[Awaited]) -> BTreeMap<String, Option<Instant>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = others.iter().map(|other| &other.node.name).filter(|name| !told.contains(*name));
        let mut news: BTreeMap<_, _> = untold.map(|name| (name.clone(), None)).collect();
        news.extend(executor.take_started().into_iter().map(|(name, since)| (name, Some(since))));
        told.extend(news.keys().cloned());
        news
    }
}

/// Nodes that are cut off from each other on purpose cannot agree. Whoever started one of them by other means has lost its
/// cuts: they are made again.
async fn keep_partitions(site: &Site<'_>, runtime: &dyn Runtime) -> Result<bool, Failure> {
    let project = &site.spec.name;
    let cuts = among(runtime.cuts(project).await?, &runtime.nodes(project).await?);
    if cuts.is_empty() {
        return Ok(false);
    }
    runtime.cut(site, &cuts).await?;
    let listing = lines(&cuts).join(", ");
    let note =
        format!("the cluster is partitioned ({listing}), so its views may differ; `orchestrator fault heal` ends it");
    site.output.note(&note);
    Ok(true)
}

pub(super) fn waiter<'s>(session: &'s Session<'_>, runtime: &'s dyn Runtime) -> Waiter<'s> {
    Waiter {
        runtime,
        project: &session.spec.name,
        output: session.output,
        interrupt: &session.interrupt,
        timeout: session.timeout(),
    }
}

/// Those of `nodes` that run, by name.
pub(super) fn awaited(nodes: &[ObservedNode]) -> Vec<Awaited> {
    let mut running: Vec<Awaited> = nodes.iter().filter(|node| node.is_running()).filter_map(Awaited::new).collect();
    running.sort_by(|a, b| a.node.name.cmp(&b.node.name));
    running
}

impl Outcome {
    /// Prints the URLs, after `up to date` when nothing had to be done.
    pub(super) fn report(&self, session: &Session<'_>, event: &str, only: Option<&[&str]>) {
        let shown = self.running.iter().filter(|node| only.is_none_or(|only| only.contains(&node.node.name.as_str())));
        let width = self.running.iter().map(|node| node.node.name.len()).max().unwrap_or_default();
        let mut lines = Vec::new();
        if !self.changed {
            lines.push("up to date".to_owned());
        }
        let mut nodes = Vec::new();
        for node in shown {
            lines.push(format!("{:width$}  {}", node.node.name, node.url));
            nodes.push(json!({"name": node.node.name, "url": node.url, "address": node.socket}));
        }
        let json = json!({"event": event, "changed": self.changed, "nodes": Value::from(nodes)});
        session.output.result(&lines.join("\n"), json);
    }
}
