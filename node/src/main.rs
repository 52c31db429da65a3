//! `node`: runs from its environment until SIGTERM or SIGINT. `node healthcheck`: asks the node beside it how it is.

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
    thread,
};

use node::Config;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

/// Instead of musl's own, which is known to be slow. It takes one lock for all threads, which are at most [`WORKERS_MAX`]
/// and a few.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The environment or the arguments are wrong.
const EXIT_USAGE: u8 = 2;
/// More would only take memory from the other nodes on a host.
const WORKERS_MAX: usize = 4;
const USAGE: &str =
    "usage: node [healthcheck]\n\nRuns a node from its environment, or asks the one beside it whether it is alive.";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let healthcheck = match arguments.as_slice() {
        [] => false,
        [word] if word == "healthcheck" => true,
        _ => return fail(EXIT_USAGE, USAGE),
    };
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let variables = env::vars_os().map(|(name, value)| (text(name), text(value)));
    match Config::from_env(variables) {
        Ok(config) if healthcheck => report(node::healthcheck(&config)),
        Ok(config) => report(serve(config)),
        Err(error) if healthcheck => fail(1, &error.to_string()),
        Err(error) => fail(EXIT_USAGE, &error.to_string()),
    }
}

fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    node::logging::install(&config);
    node::raise_open_files();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(workers.min(WORKERS_MAX)).enable_all().build()?;
    let result = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listeners = node::bind(&config).await?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok(node::run(config, listeners, shutdown).await?)
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
