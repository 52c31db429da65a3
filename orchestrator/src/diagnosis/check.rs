//! One line of a diagnosis.

use std::fmt;

use crate::failure::Failure;

/// What was looked at, what was found, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// For programs, stable.
    pub(crate) name: &'static str,
    state: State,
    pub(crate) message: String,
    /// The command that helps, or what else does.
    pub(crate) remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Warning,
    Problem(Cause),
}

/// What `up` would fail for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Engine,
    Image,
    Conflict,
}

impl Check {
    pub(crate) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: State::Ok, message: message.into(), remedy: None }
    }

    pub(crate) fn warning(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, state: State::Warning, message: message.into(), remedy: Some(remedy.into()) }
    }

    pub(crate) fn problem(
        name: &'static str,
        cause: Cause,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { name, state: State::Problem(cause), message: message.into(), remedy: Some(remedy.into()) }
    }

    /// What `up` would fail for, when it would.
    pub(crate) fn cause(&self) -> Option<Cause> {
        match self.state {
            State::Problem(cause) => Some(cause),
            State::Ok | State::Warning => None,
        }
    }

    /// What `up` can live with, and what helps; in words.
    pub(crate) fn warning_text(&self) -> Option<String> {
        let remedy = self.remedy.as_ref().filter(|_| self.state == State::Warning)?;
        Some(format!("{}; what helps: {remedy}", self.message))
    }

    /// `ok`, `warning` or `problem`.
    pub(crate) fn state(&self) -> &'static str {
        match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem(_) => "problem",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7}  {:<9}  {}", self.state(), self.name, self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; what helps: {remedy}"),
            None => Ok(()),
        }
    }
}

impl Cause {
    /// That of the failure.
    pub(crate) fn exit_code(self) -> u8 {
        let failure = match self {
            Self::Engine => Failure::Engine(String::new()),
            Self::Image => Failure::Image(String::new()),
            Self::Conflict => Failure::Conflict(Vec::new()),
        };
        failure.exit_code()
    }
}
