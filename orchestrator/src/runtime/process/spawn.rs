//! Starts a node that outlives this tool.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{failed, marker, place};
use crate::build::Artifact;
use crate::failure::Failure;
use crate::launch::Launch;

/// Spawns the node with exactly the launch's environment; answers with its process id.
pub(super) fn spawn(
    project_folder: &Path,
    launch: &Launch,
    artifact: &Artifact,
    project: &str,
) -> Result<u32, Failure> {
    let name = &launch.name;
    let log = place::open_log(project_folder, name)?;
    let errors = log.try_clone().map_err(failed("cannot open the log twice"))?;
    let config = serde_json::to_string(&launch.config).unwrap_or_default();
    let child = Command::new(&artifact.binary)
        // Nothing of the caller's environment: the same node whoever starts it.
        .env_clear()
        .envs(&launch.env)
        .env("DATA_DIR", place::data_folder(project_folder, name))
        .env(marker::PROJECT, project)
        .env(marker::NODE, name)
        .env(marker::CONFIG, config)
        .env(marker::CONTENT, &artifact.content)
        .current_dir(project_folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // A group of its own: Ctrl-C at our terminal is not meant for it.
        .process_group(0)
        .spawn()
        .map_err(failed(format!("cannot start {name} ({})", artifact.binary.display())))?;
    Ok(child.id())
}
