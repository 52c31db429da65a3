//! What it takes to hold a cluster to the contract, whatever runs the cluster: the seam to it, clients that carry their
//! tokens and write down what they see, scenarios in suites, a runner, a load that never retries, and histories of what
//! happened with their judge.
//!
//! Nothing here knows how a node works: it sees URLs, requests and replies. Every verdict is a [`Failure`] that shows the
//! request and the reply it is about.

mod case;
pub mod check;
mod clause;
mod client;
mod cluster;
mod dialect;
mod dice;
mod failure;
pub mod faults;
mod journal;
mod layout;
mod outcome;
pub mod picture;
mod record;
mod reply;
pub mod report;
mod runner;
mod scenario;
mod shape;
mod stage;
mod standing;
mod suites;
mod waiting;
pub mod workload;

pub use case::{Case, Group, Selection, groups};
pub use clause::{CLAUSES, Clause};
pub use client::Client;
pub use cluster::{Ability, Cluster, Node, NodeLog, Provider, Traces, Unmade};
pub use dialect::Dialect;
pub use failure::{Failure, ensure};
pub use history;
pub use layout::Layout;
pub use outcome::{Evidence, Outcome, Totals, Verdict};
pub use record::{Entry, Event, Exchange, Record};
pub use reply::Reply;
pub use runner::{Observer, Runner};
pub use scenario::{Effect, Level, Scenario, Suite};
pub use shape::Shape;
pub use stage::Stage;
pub use suites::all as scenarios;
pub use waiting::{eventually, throughout};
