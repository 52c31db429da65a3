//! The node inside this tool: what processes run where there are no sources.

use super::Artifact;
use crate::failure::Failure;

/// The word by which this program becomes the node.
pub(crate) const AS_NODE: &str = "as-node";

/// The node that this tool was built with.
///
/// # Errors
/// The tool's own file cannot be read.
pub(crate) fn inside() -> Result<Artifact, Failure> {
    let unreadable = |error| Failure::Image(format!("the node inside this tool cannot be read: {error}"));
    let binary = std::env::current_exe().map_err(unreadable)?;
    let content = blake3::hash(&std::fs::read(&binary).map_err(unreadable)?).to_hex().to_string();
    Ok(Artifact { content, binary, arguments: &[AS_NODE], context: Vec::new() })
}
