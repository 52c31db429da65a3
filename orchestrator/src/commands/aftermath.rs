//! What is still under way of a run that was killed: the engine goes on with its calls, and nodes with their end, while
//! nothing tells of it yet. A plan that is made of what is seen meanwhile fails in the middle.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::session::Session;
use crate::failure::Failure;
use crate::observed::{ObservedNetwork, ObservedNode, ObservedVolume};
use crate::runtime::all_runtimes;

/// What is under way shows by then: a node ends within a second.
const QUIET: Duration = Duration::from_millis(1500);
/// After that, whatever changes a cluster is no aftermath.
const LIMIT: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until nothing of the project changes any more.
///
/// # Errors
/// A runtime cannot be asked, or somebody interrupts.
pub(super) async fn wait(session: &Session<'_>, project: &str) -> Result<(), Failure> {
    let start = Instant::now();
    let (mut seen, mut since) = (look(session, project).await?, start);
    while since.elapsed() < QUIET && start.elapsed() < LIMIT {
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = session.interrupt.asked() => return Err(Failure::Interrupted("nothing was changed".to_owned())),
        }
        let now = look(session, project).await?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    Ok(())
}

type Sight = (Vec<ObservedNode>, Vec<ObservedVolume>, Vec<ObservedNetwork>);

/// All of the project, wherever it runs.
async fn look(session: &Session<'_>, project: &str) -> Result<Vec<Sight>, Failure> {
    let mut seen = Vec::new();
    for runtime in all_runtimes(session.global.runtime).await? {
        let (mut nodes, mut volumes) = (runtime.nodes(project).await?, runtime.volumes(project).await?);
        let mut networks = runtime.networks().await?;
        networks.retain(|network| network.project.as_deref() == Some(project));
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        networks.sort_by(|a, b| a.id.cmp(&b.id));
        seen.push((nodes, volumes, networks));
    }
    Ok(seen)
}
