//! `node NAME`: makes one node anew. Its data stays; others may not be there yet, so only its own answer is waited for.

use super::bring_up::{Until, bring_up};
use super::session::Session;
use crate::failure::Failure;

pub(super) async fn run(session: &Session<'_>, name: &str) -> Result<(), Failure> {
    let nodes = session.nodes(&[name.to_owned()])?;
    let runtime = session.runtime().await?;
    let outcome = bring_up(session, &*runtime, nodes, true, Until::Answers).await?;
    outcome.report(session, "node", Some(&[name]));
    Ok(())
}
