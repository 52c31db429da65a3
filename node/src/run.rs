//! One node from start to stop.

use std::{error::Error, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use futures_util::future::join_all;
use node_core::Settings;
use thiserror::Error;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tracing::{debug, error, info};

use crate::{
    Config, Dialect,
    http::{self, Api, Server, Shape},
    metrics::Metrics,
    peer::Links,
    runtime::{self, PEER_INPUTS_MAX, Runtime},
    storage::{DiskStorage, StorageError},
    tasks::Tasks,
};

/// How long requests that are being answered may take, and the others to learn that this node leaves, once it stops.
const STOP_TIMEOUT: Duration = Duration::from_millis(400);

/// Why a node ended without being asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A port cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address and port.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing to serve on.
    #[error("no listeners")]
    NoListeners,
    /// The node cannot begin.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// What was stored cannot be read.
    #[error(transparent)]
    Recover(#[from] StorageError),
    /// A write or a sync has failed: nothing written after it could be promised.
    #[error("the storage has failed")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
}

/// Listens on the main port and on the extra ones.
///
/// # Errors
/// [`RunError::Bind`] for the first port that cannot be had.
pub async fn bind(config: &Config) -> Result<Vec<TcpListener>, RunError> {
    let mut listeners = Vec::new();
    for address in config.listen_addresses() {
        let listener = TcpListener::bind(address).await.map_err(|source| RunError::Bind { address, source })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Serves clients and peers on every listener until `shutdown` completes.
///
/// Dropping the future stops everything that it started, as a crash would.
///
/// # Errors
/// [`RunError`] when the node cannot go on.
pub async fn run(
    config: Config,
    listeners: Vec<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    if listeners.is_empty() {
        return Err(RunError::NoListeners);
    }
    let tasks = Tasks::default();
    let _stop_on_drop = tasks.stop_on_drop();
    let dialect = config.dialect_in_force();
    let metrics = Arc::new(Metrics::new(&config.socket_address.to_string(), name(dialect)));

    let (peer_inputs, from_peers) = mpsc::channel(PEER_INPUTS_MAX);
    let links = Links::new(
        config.socket_address,
        config.bind_address,
        getrandom::u64().map_err(|error| RunError::Start(io::Error::other(error)))?,
        config.cluster_secret.as_deref(),
        peer_inputs,
        metrics.peers.clone(),
        tasks.clone(),
    );
    let data_dir = config.data_dir.clone();
    let recovered = runtime::recover(move || DiskStorage::open(&data_dir)).await?;
    let settings = Settings {
        address: config.socket_address,
        view: config.view.clone(),
        shard_count: config.shard_count,
        secret: config.cluster_secret.clone(),
        durability: config.durability,
    };
    let (runtime, store) = Runtime::new(
        settings,
        recovered,
        config.data_headroom_bytes,
        from_peers,
        links.clone(),
        metrics.runtime.clone(),
        #[cfg(feature = "planted")]
        config.planted_bug,
    )
    .map_err(RunError::Start)?;
    let leaving = store.clone();
    let api = Api::new(store, config.cluster_secret.as_deref(), config.body_limit_bytes);
    let paths = http::paths(&api, Shape::of_class_paths(dialect), metrics, links);
    let server = Server::new(paths, tasks.subgroup());

    let mut failed = tasks.spawn(runtime.run());
    let mut accepting = pin!(join_all(listeners.into_iter().map(|listener| server.accept(listener))));
    info!(
        version = env!("CARGO_PKG_VERSION"),
        address = %config.socket_address,
        dialect = name(dialect),
        nodes = config.view.len(),
        shards = config.shard_count,
        "node started"
    );
    #[cfg(feature = "planted")]
    if let Some(bug) = config.planted_bug {
        tracing::warn!(?bug, "a bug is planted in this node: it breaks what it promises");
    }
    tokio::select! {
        () = shutdown => {}
        _ = &mut accepting => {}
        failure = &mut failed => {
            let failure: Box<dyn Error + Send + Sync> = match failure {
                Ok(Some(failure)) => failure.into(),
                Ok(None) => "stopped".into(),
                Err(panic) => panic.into(),
            };
            error!(error = %failure, "the store has stopped");
            return Err(RunError::Storage(failure));
        }
    }
    info!("stopping");
    server.close();
    let left = async { tokio::join!(accepting, leaving.leave(), server.drained()) };
    if timeout(STOP_TIMEOUT, left).await.is_err() {
        debug!("requests were cut off");
    }
    info!("stopped");
    Ok(())
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Y2019 => "2019",
        Dialect::Y2021 | Dialect::Auto => "2021",
    }
}
