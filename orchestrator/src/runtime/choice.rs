//! Which runtime a command uses.
//!
//! `auto` takes the runtime in which the project already runs, else Docker when an engine answers, else processes. An
//! engine that refuses permission is always an error.

use super::docker::{Docker, EngineError};
use super::process::Processes;
use super::{Look, Runtime};
use crate::cli::RuntimeChoice;
use crate::failure::Failure;
use crate::output::Output;

/// The runtime for a command that makes something.
pub(crate) async fn choose(choice: RuntimeChoice, project: &str, output: &Output) -> Result<Box<dyn Runtime>, Failure> {
    match choice {
        RuntimeChoice::Docker => Ok(Box::new(Docker::connect().await?)),
        RuntimeChoice::Process => Ok(Box::new(Processes::open()?)),
        RuntimeChoice::Auto => automatic(project, output).await,
    }
}

async fn automatic(project: &str, output: &Output) -> Result<Box<dyn Runtime>, Failure> {
    let docker = match Docker::connect().await {
        Ok(docker) => docker,
        Err(EngineError::Absent { host, .. }) => {
            output.note(&format!("no container engine at {host}: nodes run as processes on 127.0.0.1"));
            return Ok(Box::new(Processes::open()?));
        }
        Err(error) => return Err(error.into()),
    };
    let processes = Processes::open()?;
    if docker.nodes(project).await?.is_empty() && !processes.nodes(project).await?.is_empty() {
        output.note(&format!("{project} already runs as processes; --runtime docker would use containers"));
        return Ok(Box::new(processes));
    }
    Ok(Box::new(docker))
}

/// What [`choose`] takes, where there is anything to take, and why there is no engine where one was looked for.
///
/// # Errors
/// A runtime does not answer.
pub(crate) async fn consider(
    choice: RuntimeChoice,
    project: &str,
) -> Result<(Option<Box<dyn Runtime>>, Option<EngineError>), Failure> {
    let error = match choice {
        RuntimeChoice::Process => None,
        RuntimeChoice::Docker | RuntimeChoice::Auto => Docker::connect().await.err(),
    };
    let chosen = match (&error, choice) {
        (None, _) | (Some(EngineError::Absent { .. }), RuntimeChoice::Auto) => {
            Some(choose(choice, project, &Output::silent()).await?)
        }
        (Some(_), _) => None,
    };
    Ok((chosen, error))
}

/// The runtimes in which a command looks for a cluster, wherever it runs.
pub(crate) async fn all_runtimes(choice: RuntimeChoice) -> Result<Vec<Box<dyn Runtime>>, Failure> {
    let mut runtimes: Vec<Box<dyn Runtime>> = Vec::new();
    if choice != RuntimeChoice::Process {
        match Docker::connect().await {
            Ok(docker) => runtimes.push(Box::new(docker)),
            Err(EngineError::Absent { .. }) if choice == RuntimeChoice::Auto => {}
            Err(error) => return Err(error.into()),
        }
    }
    if choice != RuntimeChoice::Docker {
        runtimes.push(Box::new(Processes::open()?));
    }
    Ok(runtimes)
}
