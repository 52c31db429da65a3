//! Why an environment is not a configuration.

use thiserror::Error;

/// One bad variable, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A required variable is absent or empty.
    #[error("{name} is not set: expected {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should have been.
        expected: String,
    },
    /// A variable has a value that it cannot have.
    #[error("{name}={value:?}: expected {expected}")]
    Bad {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should have been.
        expected: String,
    },
}

impl ConfigError {
    pub(super) fn missing(name: &'static str, expected: impl Into<String>) -> Self {
        let expected = expected.into();
        Self::Missing { name, expected }
    }
}
