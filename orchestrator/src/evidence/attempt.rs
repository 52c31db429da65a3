//! The evidence of a failed attempt to bring nodes up: what was to be done and how far it got besides.

use std::time::SystemTime;

use conformance::{Entry, Exchange, Traces};
use serde_json::json;

use super::{Evidence, entry, traces, whole_log};
use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::plan::{Operation, Plan, Step};
use crate::runtime::{Events, Runtime, Site};

/// What is known of an attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) runtime: &'a dyn Runtime,
    pub(crate) site: &'a Site<'a>,
    pub(crate) began: SystemTime,
    pub(crate) plan: &'a Plan,
    pub(crate) done: Vec<Operation>,
    /// What happened so far; `None` when nobody has listened, since nothing was to be done.
    pub(crate) events: Option<Events>,
    /// What the nodes were asked last, and when.
    pub(crate) heard: Vec<(SystemTime, Exchange)>,
}

impl Attempt<'_> {
    /// Writes down how it failed, while everything is still there; the failure then names the folder in its last line. What
    /// is no fault of the nodes or the engine leaves nothing.
    pub(crate) async fn failed(mut self, failure: Failure) -> Failure {
        if !matches!(failure, Failure::Unhealthy(_) | Failure::NotReady(_) | Failure::Engine(_)) {
            return failure;
        }
        let Self { runtime, site, began, .. } = self;
        self.events = self.events.or_else(|| runtime.events(site.spec, began));
        let evidence = Evidence {
            command: "up",
            project: &site.spec.name,
            runtime: runtime.name(),
            began,
            plan: Some(self.steps()),
            traces: self.traces().await,
            transcript: self.transcript(),
            about: json!({}),
        };
        evidence.of(failure, site.output)
    }

    /// Those of all nodes of the project; none of the nodes when the engine does not answer any more.
    async fn traces(&self) -> Traces {
        let nodes: Vec<ObservedNode> = match self.runtime.observe(self.site).await {
            Ok(observed) => {
                let ended = observed.ended.iter().map(|name| ObservedNode::gone(name));
                ended.chain(observed.nodes).collect()
            }
            Err(_) => Vec::new(),
        };
        traces(self.runtime, &self.site.spec.name, nodes, &whole_log(), self.events.as_ref()).await
    }

    /// A line for each operation, with its cause.
    fn steps(&self) -> String {
        let line = |step: &Step| {
            let word = if self.done.contains(&step.operation) { "done" } else { "not done" };
            format!("{word:8}  {}, because {}\n", step.operation, step.cause)
        };
        let lines: String = self.plan.steps().map(line).collect();
        if lines.is_empty() { "nothing to do\n".to_owned() } else { lines }
    }

    /// In the order in which it was asked.
    fn transcript(&self) -> Vec<Entry> {
        let since = |at: &SystemTime| at.duration_since(self.began).unwrap_or_default();
        let mut entries: Vec<Entry> =
            self.heard.iter().map(|(at, exchange)| entry(since(at), exchange.clone())).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}
