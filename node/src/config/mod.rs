//! What a node is told at its start: environment variables, checked, with defaults.
//!
//! Reads no environment itself: [`Config::from_env`] is a function of the pairs it is given.

mod error;
mod variables;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

pub use node_core::Durability;

pub use self::error::ConfigError;
use self::variables::Variables;

/// Request bodies over this are refused, unless `BODY_LIMIT_BYTES` says otherwise.
const BODY_LIMIT_BYTES_DEFAULT: usize = 1024 * 1024;
/// Free space that is left for what must be remembered when writes are refused, unless `DATA_HEADROOM_BYTES` says otherwise.
const DATA_HEADROOM_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// The port that tells the 2019 generation.
const PORT_2019: u16 = 8080;

/// Which generation of the class the replies are shaped for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// By the port of the node's address: 8080 is 2019, any other 2021.
    #[default]
    Auto,
    /// Lists are comma-separated strings.
    Y2019,
    /// Lists are arrays.
    Y2021,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The configuration of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `SOCKET_ADDRESS`: where clients and the other nodes reach this node, and its name among them.
    pub socket_address: SocketAddr,
    /// `VIEW`: all nodes known at the first start, this one included; sorted, without duplicates.
    pub view: Vec<SocketAddr>,
    /// `SHARD_COUNT`: shards at the first start; `None` for assignment 3, or a node that joins later.
    pub shard_count: Option<u32>,
    /// `API_DIALECT`.
    pub dialect: Dialect,
    /// `BIND_ADDRESS`: the local address to listen on, and to call other nodes from.
    pub bind_address: IpAddr,
    /// `EXTRA_PORTS`: further ports to listen on; never the main one.
    pub extra_ports: Vec<u16>,
    /// `DATA_DIR`: where the data is kept; no two nodes share it.
    pub data_dir: PathBuf,
    /// `DATA_HEADROOM_BYTES`: with less free space than this, writes are refused.
    pub data_headroom_bytes: u64,
    /// `DURABILITY`: whether a write is answered after its sync, or before.
    pub durability: Durability,
    /// `CLUSTER_SECRET`: what the nodes prove to each other that they know; also keys the checksum of causal tokens.
    pub cluster_secret: Option<String>,
    /// `BODY_LIMIT_BYTES`: request bodies over this are refused.
    pub body_limit_bytes: usize,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `LOG_LEVEL`: a level, or `tracing` directives such as `info,node::peer=debug`.
    pub log_level: String,
    /// `PLANTED_BUG`: the mistake that the core is started with.
    #[cfg(feature = "planted")]
    pub planted_bug: Option<node_core::Bug>,
}

impl Config {
    /// The defaults for a node at `socket_address` among `view`.
    #[must_use]
    pub fn new(socket_address: SocketAddr, mut view: Vec<SocketAddr>) -> Self {
        view.sort_unstable();
        view.dedup();
        Self {
            socket_address,
            view,
            shard_count: None,
            dialect: Dialect::Auto,
            bind_address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            extra_ports: Vec::new(),
            data_dir: PathBuf::from("/data"),
            data_headroom_bytes: DATA_HEADROOM_BYTES_DEFAULT,
            durability: Durability::Sync,
            cluster_secret: None,
            body_limit_bytes: BODY_LIMIT_BYTES_DEFAULT,
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
            #[cfg(feature = "planted")]
            planted_bug: None,
        }
    }

    /// Reads the variables of an environment. An empty variable counts as absent, and unknown ones are ignored.
    ///
    /// # Errors
    /// [`ConfigError`] for the first bad variable.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let variables = Variables::new(variables);
        let socket_address = variables
            .parsed("SOCKET_ADDRESS", "ip:port with a port above 0", socket_address_of)?
            .ok_or_else(|| ConfigError::missing("SOCKET_ADDRESS", "ip:port"))?;
        let view = variables
            .list("VIEW", "a comma-separated list of ip:port", socket_address_of)?
            .ok_or_else(|| ConfigError::missing("VIEW", "a comma-separated list of ip:port"))?;
        if !view.contains(&socket_address) {
            let expected = format!("a list that contains SOCKET_ADDRESS ({socket_address})");
            return Err(variables.bad("VIEW", expected));
        }
        let mut config = Self::new(socket_address, view);
        config.shard_count = shard_count(&variables, config.view.len())?;
        if let Some(dialect) = variables.parsed("API_DIALECT", "2019, 2021 or auto", dialect)? {
            config.dialect = dialect;
        }
        let ip = |text: &str| text.parse().ok();
        if let Some(address) = variables.parsed("BIND_ADDRESS", "an IP address", ip)? {
            config.bind_address = address;
        }
        let ports = "a comma-separated list of ports from 1 to 65535";
        config.extra_ports = variables.list("EXTRA_PORTS", ports, port)?.unwrap_or_default();
        config.extra_ports.sort_unstable();
        config.extra_ports.dedup();
        config.extra_ports.retain(|port| *port != socket_address.port());
        if let Some(path) = variables.get("DATA_DIR") {
            config.data_dir = PathBuf::from(path);
        }
        let bytes = |text: &str| text.parse().ok();
        if let Some(headroom) = variables.parsed("DATA_HEADROOM_BYTES", "a number of bytes", bytes)? {
            config.data_headroom_bytes = headroom;
        }
        if let Some(durability) = variables.parsed("DURABILITY", "sync or interval", durability)? {
            config.durability = durability;
        }
        config.cluster_secret = variables.get("CLUSTER_SECRET").map(str::to_owned);
        let bytes = |text: &str| text.parse().ok().filter(|bytes| *bytes > 0);
        if let Some(limit) = variables.parsed("BODY_LIMIT_BYTES", "a positive integer", bytes)? {
            config.body_limit_bytes = limit;
        }
        if let Some(format) = variables.parsed("LOG_FORMAT", "text or json", log_format)? {
            config.log_format = format;
        }
        if let Some(level) = variables.parsed(
            "LOG_LEVEL",
            "a level (error, warn, info, debug, trace) or tracing directives",
            log_level,
        )? {
            config.log_level = level;
        }
        #[cfg(feature = "planted")]
        {
            let known = format!("one of {}", node_core::Bug::names());
            config.planted_bug = variables.parsed("PLANTED_BUG", &known, node_core::Bug::named)?;
        }
        Ok(config)
    }

    /// The dialect with `Auto` decided.
    #[must_use]
    pub fn dialect_in_force(&self) -> Dialect {
        match self.dialect {
            Dialect::Auto if self.socket_address.port() == PORT_2019 => Dialect::Y2019,
            Dialect::Auto => Dialect::Y2021,
            chosen => chosen,
        }
    }

    /// Where to listen: the main port first.
    pub fn listen_addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        std::iter::once(self.socket_address.port())
            .chain(self.extra_ports.iter().copied())
            .map(|port| SocketAddr::new(self.bind_address, port))
    }
}

fn socket_address_of(text: &str) -> Option<SocketAddr> {
    text.parse().ok().filter(|address: &SocketAddr| address.port() > 0)
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

fn dialect(text: &str) -> Option<Dialect> {
    match text {
        "auto" => Some(Dialect::Auto),
        "2019" => Some(Dialect::Y2019),
        "2021" => Some(Dialect::Y2021),
        _ => None,
    }
}

fn durability(text: &str) -> Option<Durability> {
    match text {
        "sync" => Some(Durability::Sync),
        "interval" => Some(Durability::Interval),
        _ => None,
    }
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

fn log_level(text: &str) -> Option<String> {
    text.parse::<tracing_subscriber::filter::EnvFilter>().ok().map(|_| text.to_owned())
}

/// `SHARD_COUNT`, which needs two nodes a shard from two shards on: one shard may begin alone.
fn shard_count(variables: &Variables, nodes: usize) -> Result<Option<u32>, ConfigError> {
    let positive = |text: &str| text.parse().ok().filter(|count| *count > 0);
    let count: Option<u32> = variables.parsed("SHARD_COUNT", "a positive integer", positive)?;
    match count {
        Some(count) if count > 1 && nodes < (count as usize).saturating_mul(2) => {
            let expected = format!("at most {} for the {nodes} nodes in VIEW: every shard needs two", nodes.max(2) / 2);
            Err(variables.bad("SHARD_COUNT", expected))
        }
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests;
