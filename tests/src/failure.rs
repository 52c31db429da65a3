//! Why a clause does not hold: what was expected, where that was said, and the exchange that showed otherwise.

use std::{any::Any, fmt, panic::Location};

/// A broken promise. `Debug` is `Display`, so a test that returns it prints the evidence as it is.
pub struct Failure {
    expected: String,
    evidence: Vec<String>,
    location: &'static Location<'static>,
    unsent: bool,
}

impl Failure {
    /// What was expected, in words; the caller's place is kept.
    #[must_use]
    #[track_caller]
    pub fn new(expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), evidence: Vec::new(), location: Location::caller(), unsent: false }
    }

    /// What the test itself did wrong.
    #[track_caller]
    pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::new("a test without a bug of its own").with(text.unwrap_or_else(|| "a panic without words".to_owned()))
    }

    /// What was expected, in words.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// It is of a request that no node has seen.
    #[must_use]
    pub(crate) fn unsent(self) -> Self {
        Self { unsent: true, ..self }
    }

    /// Whether no node has seen anything of the request: there was no connection.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.unsent
    }

    /// Adds what was seen.
    #[must_use]
    pub fn with(mut self, evidence: impl fmt::Display) -> Self {
        self.evidence.push(evidence.to_string());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} ({})", self.expected, self.location)?;
        for evidence in &self.evidence {
            for line in evidence.lines() {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// Fails with `expected` unless `holds`.
///
/// # Errors
/// [`Failure`] when it does not.
#[track_caller]
pub fn ensure<S: Into<String>>(holds: bool, expected: impl FnOnce() -> S) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(expected())) }
}
