//! `up`: the whole cluster, or the named nodes.

use super::bring_up::{Until, bring_up};
use super::session::Session;
use crate::failure::Failure;

pub(super) async fn run(session: &Session<'_>, names: &[String]) -> Result<(), Failure> {
    let nodes = session.nodes(names)?;
    let runtime = session.runtime().await?;
    let outcome = bring_up(session, &*runtime, nodes, false, Until::Agreement).await?;
    outcome.report(session, "up", None);
    Ok(())
}
