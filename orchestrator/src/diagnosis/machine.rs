//! Whether there is room: memory, and a disk that can be written.

use super::{Cause, Check};
use crate::observed::{About, Engine, Folder};
use crate::spec::{ClusterSpec, format_memory};

/// An image, seven journals and what is written in an afternoon.
const LEAST_FREE_BYTES: u64 = 1 << 30;

/// All nodes at their limits, against what there is.
pub(super) fn memory(engine: &Engine, spec: &ClusterSpec) -> Option<Check> {
    let there = engine.memory_bytes?;
    let (nodes, each) = (spec.nodes.len(), spec.limits.memory_bytes);
    let needed = each.saturating_mul(nodes as u64);
    let message = format!(
        "{nodes} nodes may take {} each, {} together, of {}",
        format_memory(each),
        format_memory(needed),
        format_memory(there)
    );
    if needed > there {
        return Some(Check::warning("memory", message, "lower limits.memory, or start fewer nodes"));
    }
    Some(Check::ok("memory", message))
}

/// Processes keep their data in a folder of whoever starts them; an engine sees to its own.
pub(super) fn folder(about: &About) -> Option<Check> {
    let Folder { path, is_writable, .. } = about.folder.as_ref().filter(|_| about.engine.is_none())?;
    let path = path.display();
    if *is_writable {
        return Some(Check::ok("folder", format!("the nodes' data is kept in {path}")));
    }
    let message = format!("{path}, where the nodes' data is kept, cannot be written");
    Some(Check::problem("folder", Cause::Engine, message, "make it writable, or name another in XDG_STATE_HOME"))
}

/// Where the data is kept.
pub(super) fn disk(about: &About) -> Option<Check> {
    let Folder { path, free_bytes, .. } = about.folder.as_ref()?;
    let free = (*free_bytes)?;
    let message = format!("{} free for {}", format_memory(free), path.display());
    if free >= LEAST_FREE_BYTES {
        return Some(Check::ok("disk", message));
    }
    let remedy = match about.engine {
        Some(_) => "docker system df says what takes it",
        None => "remove what is not needed",
    };
    Some(Check::warning("disk", format!("{message}, which images and data soon fill"), remedy))
}
