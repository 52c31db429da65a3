//! Starts a node that outlives this tool.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use super::{failed, marker, place};
use crate::build::Artifact;
use crate::failure::Failure;
use crate::launch::Launch;

/// For so long a process that was started is waited for to show its environment.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(1);

/// Spawns the node with exactly the launch's environment; answers with its process id once its marker can be seen.
pub(super) async fn spawn(
    project_folder: &Path,
    launch: &Launch,
    artifact: &Artifact,
    project: &str,
) -> Result<u32, Failure> {
    let name = &launch.name;
    let log = place::open_log(project_folder, name)?;
    let errors = log.try_clone().map_err(failed("cannot open the log twice"))?;
    let child = Command::new(&artifact.binary)
        .args(artifact.arguments)
        // Nothing of the caller's environment: the same node whoever starts it.
        .env_clear()
        .envs(&launch.env)
        .env(marker::DATA_DIR, place::data_folder(project_folder, name))
        .env(marker::PROJECT, project)
        .env(marker::NODE, name)
        .env(marker::CONTENT, &artifact.content)
        .current_dir(project_folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // A group of its own: Ctrl-C at our terminal is not meant for it.
        .process_group(0)
        .spawn()
        .map_err(|error| {
            let binary = artifact.binary.display();
            Failure::Engine(format!("cannot start {name} ({binary}): {error}; `cargo clean` has it compiled anew"))
        })?;
    appeared(child.id()).await;
    Ok(child.id())
}

/// A new process has its environment a moment after it has its id; until then whoever looks for the project's nodes does not
/// find it.
async fn appeared(pid: u32) {
    let deadline = Instant::now() + PATIENCE;
    while marker::project_of(pid).is_none() && marker::is_alive(pid) && Instant::now() < deadline {
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;

    use super::*;
    use crate::launch::Addressing;
    use crate::spec::locate;

    #[tokio::test]
    async fn a_node_that_was_started_must_be_found_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let binary = folder.path().join("node");
        // No `exec`, which would have the moment once more.
        fs::write(&binary, "#!/bin/sh\nsleep 60\ntrue\n").expect("a file");
        fs::set_permissions(&binary, Permissions::from_mode(0o755)).expect("an executable");
        let artifact = Artifact { content: "1".into(), binary, arguments: &[], context: Vec::new() };
        let spec = locate(None, Path::new("/")).expect("built-in").spec;
        let launch = Launch::of(&spec, &spec.nodes[0], Addressing::Loopback);
        place::create_data(folder.path(), &launch.name, launch.config.socket).expect("a folder");
        // The moment is short: of so many some would be missed in it.
        for _ in 0..500 {
            let pid = spawn(folder.path(), &launch, &artifact, "found").await.expect("a process");
            let found = marker::project_of(pid);
            killpg(Pid::from_raw(pid.try_into().expect("a pid")), Signal::SIGKILL).expect("a kill");
            assert_eq!(found.as_deref(), Some("found"));
        }
    }
}
