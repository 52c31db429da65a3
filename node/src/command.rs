//! The command `node`: runs from its environment until SIGTERM or SIGINT. `node healthcheck`: asks the node beside it how it is.

use std::{
    env,
    error::Error,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
    thread,
};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use crate::{Config, bind, healthcheck, logging, raise_open_files, run};

/// The environment or the arguments are wrong.
const EXIT_USAGE: u8 = 2;
/// More would only take memory from the other nodes on a host.
const WORKERS_MAX: usize = 4;
/// A worker for each so many processors: the committer, the clients and the other nodes of a host need some too, and threads that wake each
/// other for every request cost more than they do. On two processors one worker answers 1.5 times as many GETs as two do.
const PROCESSORS_A_WORKER: usize = 2;
const USAGE: &str =
    "usage: node [healthcheck]\n\nRuns a node from its environment, or asks the one beside it whether it is alive.";

/// Does what the arguments say, with the environment that the process has; to be called once, since the logger is the
/// process's.
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let asks = match arguments.as_slice() {
        [] => false,
        [word] if word == "healthcheck" => true,
        _ => return fail(EXIT_USAGE, USAGE),
    };
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let variables = env::vars_os().map(|(name, value)| (text(name), text(value)));
    match Config::from_env(variables) {
        Ok(config) if asks => report(healthcheck(&config)),
        Ok(config) => report(serve(config)),
        Err(error) if asks => fail(1, &error.to_string()),
        Err(error) => fail(EXIT_USAGE, &error.to_string()),
    }
}

fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    logging::install(&config);
    raise_open_files();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let workers = processors.div_ceil(PROCESSORS_A_WORKER).min(WORKERS_MAX);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let result = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listeners = bind(&config).await?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok(run(config, listeners, shutdown).await?)
    });
    // Whatever still runs has had its time.
    runtime.shutdown_background();
    result
}

fn report<E: Into<Box<dyn Error>>>(result: Result<(), E>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let error = error.into();
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    fail(1, &line)
}

fn fail(code: u8, line: &str) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "node: {line}");
    ExitCode::from(code)
}
