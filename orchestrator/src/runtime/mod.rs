//! The seam: where nodes run. Two runtimes implement it, `docker` and `process`; nothing above asks which one it has,
//! except for what it offers here.

mod choice;
pub(crate) mod docker;
mod events;
mod folder;
mod ports;
pub(crate) mod process;
mod routes;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::build::{Artifact, Target};
use crate::failure::Failure;
use crate::launch::Addressing;
use crate::observed::{About, Observed, ObservedNetwork, ObservedNode, ObservedVolume};
use crate::output::Output;
use crate::partition::Cut;
use crate::plan::Operation;
use crate::spec::ClusterSpec;

pub(crate) use choice::{all_runtimes, choose, consider};
pub(crate) use events::Events;
pub(crate) use ports::is_taken as is_port_taken;
pub(crate) use routes::of_host as routes_of_host;

/// What every call of a runtime may need to know.
pub(crate) struct Site<'a> {
    pub(crate) spec: &'a ClusterSpec,
    /// What was compiled, when the image is built here.
    pub(crate) artifact: Option<&'a Artifact>,
    pub(crate) output: &'a Output,
}

/// Which log lines are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogRequest {
    pub(crate) follow: bool,
    /// Seconds since 1970.
    pub(crate) since_unix: Option<u64>,
    pub(crate) tail: Option<u64>,
}

/// One line of one node's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    /// RFC 3339 in UTC, so that it sorts as text; empty when the line carries none.
    pub(crate) at: String,
    pub(crate) text: String,
}

/// A stream of log lines.
pub(crate) type LogStream = BoxStream<'static, Result<LogLine, Failure>>;

/// What can be seen of a place where nodes run. Nothing here changes anything.
#[async_trait]
pub(crate) trait Look: Send + Sync {
    /// `docker` or `process`.
    fn name(&self) -> &'static str;

    /// Where nodes reach each other.
    fn addressing(&self) -> Addressing;

    /// What the node is compiled for.
    fn target(&self) -> Target;

    /// What it tells of itself and of where it is.
    async fn about(&self) -> Result<About, Failure>;

    /// What is there of the site's project, with what its nodes are made with, and what may be in its way.
    async fn observe(&self, site: &Site<'_>) -> Result<Observed, Failure>;

    /// Every network there is, of others too, without their members.
    async fn networks(&self) -> Result<Vec<ObservedNetwork>, Failure>;

    /// The nodes of a project, only listed.
    async fn nodes(&self, project: &str) -> Result<Vec<ObservedNode>, Failure>;

    /// The volumes of a project, also of one that has nothing else.
    async fn volumes(&self, project: &str) -> Result<Vec<ObservedVolume>, Failure>;

    /// Every project that left something here.
    async fn projects(&self) -> Result<BTreeSet<String>, Failure>;

    /// The cuts of a project.
    async fn cuts(&self, project: &str) -> Result<BTreeSet<Cut>, Failure>;

    /// The nodes that run without the cuts that they should have, because somebody else has started them.
    async fn uncut(&self, _project: &str) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }

    /// A node's log.
    async fn logs(&self, project: &str, node: &ObservedNode, request: &LogRequest) -> Result<LogStream, Failure>;

    /// What a node holds in memory, in bytes: resident, with what its processes share.
    async fn memory_bytes(&self, node: &ObservedNode) -> Option<u64>;

    /// What a node has had of the processors since it was started.
    async fn processor_time(&self, node: &ObservedNode) -> Option<Duration>;

    /// Why a node that should run does not: exit code, killed for memory. For messages only.
    async fn last_words(&self, node: &ObservedNode) -> Option<String>;

    /// All that the runtime tells of a node. For evidence only.
    async fn inspect(&self, node: &ObservedNode) -> Option<serde_json::Value>;

    /// What happens to the objects of a project from then on, as long as the list is kept; `None` where nobody tells. Waits
    /// for nothing. For evidence only.
    fn events(&self, _spec: &ClusterSpec, _since: SystemTime) -> Option<Events> {
        None
    }
}

/// A place where nodes run, and where they are made, broken and removed.
#[async_trait]
pub(crate) trait Runtime: Look {
    /// Does one operation; answers with the operation that undoes it, where there is one.
    async fn perform(&self, operation: &Operation, site: &Site<'_>) -> Result<Option<Operation>, Failure>;

    /// What to say of an operation that is done, in the words of this runtime; a node's name stands before it.
    fn done(&self, operation: &Operation) -> String {
        operation.done()
    }

    /// Makes ready what cuts need, or says why there can be none. Cheap when it is ready.
    async fn prepare_cuts(&self, site: &Site<'_>) -> Result<(), Failure>;

    /// Makes exactly these cuts, which stay until they are unmade, also when a node ends and starts again. A probe has
    /// proven them when this returns; a node that does not run is cut when it starts.
    ///
    /// # Errors
    /// There is no such node, cuts cannot be made here, or the probe contradicts: with the pair, and what was heard.
    async fn cut(&self, site: &Site<'_>, cuts: &BTreeSet<Cut>) -> Result<(), Failure>;

    /// Builds the image of the site's spec from anyone's folder with a Dockerfile.
    async fn build_folder(&self, folder: &Path, site: &Site<'_>) -> Result<(), Failure>;

    /// Removes images of ours (of one project, or of all) that no name points to; answers how many.
    async fn prune_images(&self, project: Option<&str>) -> Result<usize, Failure>;
}
