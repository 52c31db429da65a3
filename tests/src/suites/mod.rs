//! The suites: one module a topic, one function a scenario, a list that names them.

mod assignment3;
mod assignment4;

use crate::Scenario;

/// All scenarios, suite by suite.
#[must_use]
pub fn all() -> Vec<Scenario> {
    assignment3::scenarios().into_iter().chain(assignment4::scenarios()).collect()
}
