//! What becomes of a history that was judged.

use std::fmt;

use super::Finding;

/// Only `Valid` is a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong, and everything that must be known is.
    Valid,
    /// What is wrong, the shortest story first; each is independent of the others.
    Invalid(Vec<Finding>),
    /// Nothing is known to be wrong, and this is why that says nothing.
    Unknown(Vec<String>),
}

impl Default for Verdict {
    fn default() -> Self {
        Self::Unknown(Vec::new())
    }
}

impl Verdict {
    /// Whether it is `Invalid`.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }

    /// Whether it is `Valid`.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        *self == Self::Valid
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => write!(formatter, "valid"),
            Self::Invalid(findings) => {
                let stories: Vec<String> = findings.iter().map(ToString::to_string).collect();
                write!(formatter, "invalid\n\n{}", stories.join("\n\n"))
            }
            Self::Unknown(reasons) => write!(formatter, "unknown: {}", reasons.join("; ")),
        }
    }
}
