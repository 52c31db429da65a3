//! What it takes to hold a cluster to the contract, whatever runs the cluster: the seam to it, a client that carries its token,
//! waiting with a deadline, and a load whose every answer is judged.
//!
//! Nothing here knows how a node works: it sees URLs, requests and replies. Every verdict is a [`Failure`] that shows the
//! request and the reply it is about.

mod client;
mod cluster;
mod dialect;
mod failure;
mod layout;
mod reply;
mod waiting;
pub mod workload;

pub use client::Client;
pub use cluster::{Cluster, Node};
pub use dialect::Dialect;
pub use failure::{Failure, ensure};
pub use layout::Layout;
pub use reply::Reply;
pub use waiting::{eventually, throughout};
