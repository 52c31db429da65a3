//! Log lines on standard error. Only the binary installs this: a subscriber is global, and the library has no globals.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::{Config, LogFormat};

/// Begins to log as the configuration says.
pub fn install(config: &Config) {
    // Checked when the configuration was read.
    let filter = EnvFilter::try_new(&config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
