//! `fault …`: breaks the running cluster on purpose, mends it, and says what is broken. Faults add up until `heal`.

mod life;
mod partition;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::session::Session;
use crate::cli::FaultCommand;
use crate::failure::Failure;
use crate::observed::{NodeState, Observed, ObservedNode};
use crate::partition::{Cut, lines};
use crate::plan::{Fault, Scene};
use crate::runtime::{Runtime, all_runtimes};

pub(super) async fn run(session: &Session<'_>, command: &FaultCommand) -> Result<(), Failure> {
    match command {
        FaultCommand::Kill(victims) => life::run(session, Fault::Kill, &victims.nodes).await,
        FaultCommand::Stop(victims) => life::run(session, Fault::Stop, &victims.nodes).await,
        FaultCommand::Start(victims) => life::run(session, Fault::Start, &victims.nodes).await,
        FaultCommand::Pause(victims) => life::run(session, Fault::Pause, &victims.nodes).await,
        FaultCommand::Resume(victims) => life::run(session, Fault::Resume, &victims.nodes).await,
        FaultCommand::Wipe(victims) => life::run(session, Fault::Wipe, &victims.nodes).await,
        FaultCommand::Partition { groups, one_way } => partition::partition(session, groups, *one_way).await,
        FaultCommand::Isolate(victims) => partition::isolate(session, &victims.nodes).await,
        FaultCommand::Heal => partition::heal(session).await,
        FaultCommand::List => list(session).await,
    }
}

/// The cluster that is broken or mended.
struct Cluster<'s> {
    session: &'s Session<'s>,
    runtime: Box<dyn Runtime>,
    observed: Observed,
}

impl<'s> Cluster<'s> {
    /// The first runtime that has any of its nodes.
    async fn find(session: &'s Session<'s>) -> Result<Self, Failure> {
        for runtime in all_runtimes(session.global.runtime).await? {
            let observed = runtime.observe(&session.site(None)).await?;
            let cluster = Self { session, runtime, observed };
            if !cluster.nodes().is_empty() {
                return Ok(cluster);
            }
        }
        Err(Failure::nobody_runs(&session.spec.name))
    }

    fn scene(&self) -> Scene<'_> {
        Scene { spec: &self.session.spec, addressing: self.runtime.addressing(), observed: &self.observed }
    }

    fn nodes(&self) -> Vec<ObservedNode> {
        self.scene().nodes()
    }

    /// # Errors
    /// One of them is a node neither of the file nor of the cluster.
    fn know<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<(), Failure> {
        let nodes = self.nodes();
        let is_known =
            |name: &str| self.session.spec.node(name).is_some() || nodes.iter().any(|node| node.name == name);
        match names.into_iter().find(|name| !is_known(name)) {
            Some(name) => Err(self.session.unknown(name)),
            None => Ok(()),
        }
    }

    async fn cuts(&self) -> Result<BTreeSet<Cut>, Failure> {
        self.runtime.cuts(&self.session.spec.name).await
    }

    fn names_in(&self, state: NodeState) -> Vec<String> {
        self.nodes().into_iter().filter(|node| node.state == state).map(|node| node.name).collect()
    }
}

fn json_of(cuts: &BTreeSet<Cut>) -> Value {
    cuts.iter().map(|cut| json!({"from": cut.from, "to": cut.to})).collect()
}

/// What is broken.
struct Faults {
    cuts: BTreeSet<Cut>,
    paused: Vec<String>,
    stopped: Vec<String>,
    /// Nodes whose cuts were lost.
    uncut: Vec<String>,
}

impl Faults {
    async fn find(session: &Session<'_>) -> Result<Self, Failure> {
        let cluster = Cluster::find(session).await?;
        let (paused, stopped) = (cluster.names_in(NodeState::Paused), cluster.names_in(NodeState::Stopped));
        let uncut = cluster.runtime.uncut(&session.spec.name).await?;
        Ok(Self { cuts: cluster.cuts().await?, paused, stopped, uncut })
    }

    fn words(&self) -> Vec<String> {
        let mut words = lines(&self.cuts);
        words.extend(self.paused.iter().map(|name| format!("{name} paused")));
        words.extend(self.stopped.iter().map(|name| format!("{name} stopped")));
        words
    }
}

/// What is broken in the running cluster, in words; nothing when it is whole.
pub(super) async fn words(session: &Session<'_>) -> Result<Vec<String>, Failure> {
    Ok(Faults::find(session).await?.words())
}

async fn list(session: &Session<'_>) -> Result<(), Failure> {
    let faults = Faults::find(session).await?;
    if !faults.uncut.is_empty() {
        let names = faults.uncut.join(", ");
        session.output.note(&format!(
            "{names} was started by other means and sends to all again; `orchestrator up` makes its cuts again"
        ));
    }
    let mut text = faults.words();
    if text.is_empty() {
        text.push("no faults".to_owned());
    }
    let Faults { cuts, paused, stopped, uncut } = &faults;
    let json = json!({
        "event": "fault", "fault": "list", "cuts": json_of(cuts), "paused": paused, "stopped": stopped, "uncut": uncut,
    });
    session.output.result(&text.join("\n"), json);
    Ok(())
}
