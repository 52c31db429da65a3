//! The barrier: the helper that cuts a node off, from its sources to its image's context.
//!
//! Its sources are compiled into this tool, as text, only to know whether an image was made from the same ones: so an image
//! that is there is found without a workspace and without cargo.

use std::path::{Path, PathBuf};

use super::{Target, compile, context};
use crate::failure::Failure;
use crate::output::Output;

const DOCKERFILE: &str = "\
FROM scratch
LABEL orchestrator.image=\"barrier\"
ENTRYPOINT [\"/partition\"]
COPY partition /partition
";

/// Where the package is in the workspace.
const PACKAGE: &str = "orchestrator/partition";

const SOURCES: [&str; 8] = [
    DOCKERFILE,
    include_str!("../../../Cargo.lock"),
    include_str!("../../partition/Cargo.toml"),
    include_str!("../../partition/src/arguments.rs"),
    include_str!("../../partition/src/main.rs"),
    include_str!("../../partition/src/neighbours.rs"),
    include_str!("../../partition/src/probe.rs"),
    include_str!("../../partition/src/run.rs"),
];

/// The hash of all that the barrier is made from.
pub(crate) fn barrier_content() -> String {
    let mut hasher = blake3::Hasher::new();
    for source in SOURCES {
        hasher.update(&source.len().to_le_bytes()).update(source.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Compiles it in the workspace that `build` names, or else in the one that this tool came from; answers with the image's
/// context.
///
/// # Errors
/// Neither workspace is there, or the compiler fails.
pub(crate) async fn compile_barrier(build: Option<&Path>, target: Target, output: &Output) -> Result<Vec<u8>, Failure> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = workspace(build, own)?;
    let binary = compile::compile(&compile::BARRIER, &folder, target, output).await?;
    let bytes = std::fs::read(&binary).map_err(|error| {
        Failure::Image(format!(
            "cannot read the compiled barrier {}: {error}; `cargo clean` may help",
            binary.display()
        ))
    })?;
    context::pack_barrier(DOCKERFILE, &bytes)
}

fn workspace(build: Option<&Path>, own: PathBuf) -> Result<PathBuf, Failure> {
    let candidates = build.map(Path::to_owned).into_iter().chain([own]);
    let mut candidates = candidates.filter(|folder| folder.join(PACKAGE).join("Cargo.toml").is_file());
    candidates.next().ok_or_else(|| {
        Failure::Image(format!(
            "there are no sources here to build the barrier from, which cuts nodes off ({PACKAGE}); name the clone of this \
             project in image.build, or run in it"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_file_of_the_barrier_is_in_the_hash() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("partition/src");
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a source file");
            assert!(SOURCES.contains(&text.as_str()), "{} is not in SOURCES", path.display());
        }
    }

    #[test]
    fn the_workspace_of_the_cluster_file_comes_before_the_tools_own() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let nowhere = Path::new("/nonexistent");
        assert_eq!(workspace(Some(&own), nowhere.to_owned()).expect("its workspace"), own);
        assert_eq!(workspace(Some(nowhere), own.clone()).expect("the own workspace"), own);
        let failure = workspace(None, nowhere.to_owned()).expect_err("no workspace").to_string();
        assert!(failure.contains("orchestrator/partition"), "{failure}");
    }
}
