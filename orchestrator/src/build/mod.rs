//! From the sources to what a runtime starts: the static node and the image's context, or the native node.
//!
//! Nothing is written but what cargo writes, and a stamp beside it; the context exists in memory only.

mod barrier;
mod compile;
mod context;
mod foreign;
mod fresh;
mod inside;
mod sources;
mod target;

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::Output;

pub(crate) use barrier::{barrier_content, compile_barrier};
pub(crate) use foreign::foreign_context;
pub(crate) use inside::{AS_NODE, inside};
pub(crate) use sources::Sources;
pub(crate) use target::Target;

/// What was compiled.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// The hash of everything that goes into the image (or of the native binary): equal means nothing changed.
    pub(crate) content: String,
    pub(crate) binary: PathBuf,
    /// With which the binary is the node.
    pub(crate) arguments: &'static [&'static str],
    /// The image's build context as a tar; empty for the native node.
    pub(crate) context: Vec<u8>,
}

/// Compiles the node of the workspace in `folder`. Cargo does nothing when nothing changed.
///
/// # Errors
/// There is no such workspace, the compiler fails, or the target cannot be installed.
pub(crate) async fn compile(folder: &Path, target: Target, output: &Output) -> Result<Artifact, Failure> {
    let binary = compile::compile(&compile::NODE, folder, target, output).await?;
    let bytes = std::fs::read(&binary).map_err(|error| {
        Failure::Image(format!("cannot read the compiled node {}: {error}; `cargo clean` may help", binary.display()))
    })?;
    match target.triple() {
        Some(triple) => {
            let context = context::pack(folder, triple, &bytes)?;
            let content = blake3::hash(&context).to_hex().to_string();
            Ok(Artifact { content, binary, arguments: &[], context })
        }
        None => {
            let content = blake3::hash(&bytes).to_hex().to_string();
            Ok(Artifact { content, binary, arguments: &[], context: Vec::new() })
        }
    }
}
