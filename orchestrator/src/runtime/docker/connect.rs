//! Finds the engine and tells the ways apart in which it may not answer.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::{Docker, message};
use crate::build::Target;
use crate::failure::Failure;
use crate::observed::is_elsewhere;

/// A busy engine tells its version within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no engine to talk to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nothing answers there.
    #[error("no container engine answers at {host}: {reason}")]
    Absent { host: String, reason: String },
    /// Something is there but does not let us in.
    #[error("permission denied at {host}")]
    Denied { host: String },
    /// It answers, but not as an engine that we can use.
    #[error("the container engine at {host} is unusable: {reason}")]
    Unusable { host: String, reason: String },
}

impl EngineError {
    /// What helps.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "start it, set DOCKER_HOST, or use --runtime process",
            Self::Denied { .. } => {
                "add yourself to the socket's group (`sudo usermod -aG docker $USER`, then log in again), or use \
                 --runtime process"
            }
            Self::Unusable { .. } => "set DOCKER_HOST to another one, or use --runtime process",
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(format!("{error}; {}", error.remedy()))
    }
}

impl Docker {
    /// Connects as the `docker` command would: `DOCKER_HOST`, else the first usual socket that exists.
    pub(crate) async fn connect() -> Result<Self, EngineError> {
        let host = host();
        probe(&host).await?;
        let unusable =
            |error: bollard::errors::Error| EngineError::Unusable { host: host.clone(), reason: message(&error) };
        let client = bollard::Docker::connect_with_host(&host).map_err(unusable)?;
        let met = async {
            let client = client.negotiate_version().await?;
            let version = client.version().await?;
            Ok((client, version))
        };
        let (client, version) = match timeout(PATIENCE, met).await {
            Ok(met) => met.map_err(unusable)?,
            Err(_) => {
                let reason = format!("it takes connections, and does not answer within {PATIENCE:?}");
                return Err(EngineError::Unusable { host, reason });
            }
        };
        let architecture = version.arch.unwrap_or_default();
        let target = Target::of_engine(&architecture).ok_or_else(|| EngineError::Unusable {
            host: host.clone(),
            reason: format!("its architecture `{architecture}` is neither amd64 nor arm64"),
        })?;
        Ok(Self { client, target, is_elsewhere: is_elsewhere(&host) })
    }
}

/// `DOCKER_HOST`, or the first socket that exists of: the system's, Docker Desktop's, a rootless engine's.
pub(super) fn host() -> String {
    if let Some(host) = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        return host;
    }
    let system = PathBuf::from("/var/run/docker.sock");
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker/run/docker.sock"));
    let rootless = std::env::var_os("XDG_RUNTIME_DIR").map(|run| Path::new(&run).join("docker.sock"));
    let candidates = [Some(system.clone()), home, rootless];
    let found = candidates.into_iter().flatten().find(|path| path.exists());
    format!("unix://{}", found.unwrap_or(system).display())
}

/// One plain connection, because its error says more than the client's.
async fn probe(host: &str) -> Result<(), EngineError> {
    let result = if let Some(path) = host.strip_prefix("unix://") {
        UnixStream::connect(path).await.map(drop)
    } else if let Some(address) = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://")) {
        TcpStream::connect(address.trim_end_matches('/')).await.map(drop)
    } else {
        let reason = "DOCKER_HOST must start with unix://, tcp:// or http://".to_owned();
        return Err(EngineError::Unusable { host: host.to_owned(), reason });
    };
    result.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => EngineError::Denied { host: host.to_owned() },
        _ => EngineError::Absent { host: host.to_owned(), reason: error.to_string() },
    })
}
