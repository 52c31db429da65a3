//! What the scenarios with clients share: a runtime for them, and numbers for whoever reads the test's output.

use conformance::{Dialect, Failure};

/// What the stage's nodes speak.
pub(crate) const DIALECT: Dialect = Dialect::Seed2019;

/// Runs a scenario with clients. Commands that it runs itself block it, but not the clients that it spawned.
#[track_caller]
pub(crate) fn with_clients(scenario: impl Future<Output = Result<(), Failure>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(scenario).expect("what was promised");
}

/// Prints what was measured.
#[expect(clippy::print_stdout, reason = "the numbers are for people, also when the test passes")]
pub(crate) fn measured(what: &str) {
    println!("measured: {what}");
}
