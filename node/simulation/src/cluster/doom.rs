//! Nodes that are to die at a certain moment: the cluster sees the moment, whoever drives it does the deed.

use super::{Cluster, Notice};
use crate::faults::Step;

/// Why a node is to die now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// It has come to the step of a reshard that was waited for.
    Step(Step),
    /// Its batch is reaching the disk.
    Torn,
    /// Its sync has failed.
    SyncFailed,
}

impl Cluster {
    /// The first node that passes this step is doomed.
    pub(crate) fn arm(&mut self, step: Step) {
        self.armed = Some(step);
    }

    /// Nobody is, any more.
    pub(crate) fn disarm(&mut self) {
        self.armed = None;
        for node in &mut self.nodes {
            node.tear_next = false;
            node.disk.takes_failure();
        }
    }

    /// A node passes a step of a reshard.
    pub(super) fn passes(&mut self, node: usize, step: Step) {
        if self.armed == Some(step) {
            self.armed = None;
            self.doom(node, Doom::Step(step));
        }
    }

    pub(super) fn doom(&mut self, node: usize, doom: Doom) {
        self.trace.note(self.now_ms, || format!("DOOM of node{}: {doom:?}", node + 1));
        self.notices.push_back(Notice::Doomed { node, doom });
    }
}
