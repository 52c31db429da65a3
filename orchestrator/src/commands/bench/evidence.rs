//! What a failed `bench` leaves: the figures with all that was asked for, the last operations that were not answered as they
//! should be, and what there is to see of the nodes.

use std::time::SystemTime;

use conformance::Traces;
use load::Exchange;
use serde_json::json;

use super::super::running::Running;
use super::super::session::Session;
use super::report::Report;
use crate::evidence::{Evidence, entry, traces, whole_log};
use crate::failure::Failure;
use crate::observed::ObservedNode;
use crate::runtime::Events;

/// What is known of a load.
pub(super) struct Measured<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) cluster: &'a Running,
    pub(super) began: SystemTime,
    /// What has happened since then.
    pub(super) events: Option<Events>,
    pub(super) report: &'a Report,
    /// The last operations that were not answered as they should be.
    pub(super) unmet: Vec<Exchange>,
}

impl Measured<'_> {
    /// Writes down how it failed; the failure then names the folder in its last line.
    pub(super) async fn failed(self, failure: Failure) -> Failure {
        let Self { session, cluster, began, report, .. } = self;
        let traces = self.traces().await;
        let told = |Exchange { at, client, request, body, reply, took }| {
            entry(at, conformance::Exchange { client, request, body, reply, took })
        };
        let about = json!({
            "seed": report.summary.load.seed, "summary": report.summary, "processor": report.shares,
        });
        let evidence = Evidence {
            command: "bench",
            project: &session.spec.name,
            runtime: cluster.runtime.name(),
            began,
            plan: None,
            traces,
            transcript: self.unmet.into_iter().map(told).collect(),
            about,
        };
        evidence.of(failure, session.output)
    }

    /// Of the nodes that were there when it began, as they are now.
    async fn traces(&self) -> Traces {
        let Running { runtime, nodes } = self.cluster;
        let project = &self.session.spec.name;
        let there = runtime.nodes(project).await.unwrap_or_default();
        let now = |node: &ObservedNode| {
            let now = there.iter().find(|there| there.name == node.name);
            now.cloned().unwrap_or_else(|| ObservedNode::gone(&node.name))
        };
        traces(&**runtime, project, nodes.iter().map(now), &whole_log(), self.events.as_ref()).await
    }
}
