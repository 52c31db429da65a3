//! Images of a node with a bug: that of the repository's Dockerfile, with the bug in its environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::stage::run;

const DOCKERFILE: &str = include_str!("../../../Dockerfile");

/// An image that is there as long as this is.
pub(crate) struct Image(String);

impl Image {
    /// Builds the one of a node with this bug, or with none.
    pub(crate) fn with(bug: Option<&str>) -> Result<Self, String> {
        let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let node = node(&triple)?;
        let folder = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
        // The paths are those of the Dockerfile.
        let compiled = folder.path().join("target").join(&triple).join("release");
        let unwritable = |error| format!("{}: {error}", folder.path().display());
        fs::create_dir_all(folder.path().join("orchestrator/image/data")).map_err(unwritable)?;
        fs::create_dir_all(&compiled).map_err(unwritable)?;
        fs::copy(node, compiled.join("node")).map_err(unwritable)?;
        let planted = bug.map(|bug| format!("ENV PLANTED_BUG={bug}\n")).unwrap_or_default();
        fs::write(folder.path().join("Dockerfile"), format!("{DOCKERFILE}{planted}")).map_err(unwritable)?;
        let name = format!("planted-{}-{}", std::process::id(), bug.unwrap_or("none").to_lowercase());
        let target = format!("TARGET={triple}");
        let done =
            run(Command::new("docker").args(["build", "-q", "-t", &name, "--build-arg", &target]).arg(folder.path()));
        if done.code == 0 { Ok(Self(name)) } else { Err(format!("docker build: {}", done.stderr)) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

/// The node that can be started with a bug, compiled once: in a folder of its own, so that no node of the others is one.
fn node(triple: &str) -> Result<&'static Path, String> {
    static NODE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let compile = || {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("planted");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "-p", "node", "--features", "planted", "--target", triple, "--target-dir"]);
        let done = run(cargo.arg(&target).current_dir(workspace));
        if done.code == 0 { Ok(target.join(triple).join("release/node")) } else { Err(done.stderr) }
    };
    NODE.get_or_init(compile).as_deref().map_err(Clone::clone)
}
