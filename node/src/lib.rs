//! The service around [`node_core::Core`]: one node of the store, as a future.
//!
//! Data walks one way: `http` and `peer` turn bytes into inputs, `runtime` owns the core and is the only caller of it,
//! and its effects go back out through `peer`, `storage` and the waiting requests. Nothing here is global, so any number
//! of nodes live in one process; only [`logging`] and the limit of open files are, and only [`command()`] sees to them.

mod command;
pub mod config;
mod healthcheck;
mod http;
pub mod logging;
mod metrics;
mod open_files;
mod peer;
mod run;
mod runtime;
mod storage;
mod tasks;

pub use self::{
    command::command,
    config::{Config, ConfigError, Dialect, LogFormat},
    healthcheck::healthcheck,
    open_files::raise_open_files,
    run::{RunError, bind, run},
    storage::StorageError,
};
