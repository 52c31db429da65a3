//! What is wrong with a cluster file, with the place in it.

use std::fmt;

/// One fault: `cluster.yaml:14:9 nodes[3].port: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: String,
    /// Line and column, both from 1; absent when the file itself cannot be read.
    pub(crate) place: Option<(usize, usize)>,
    /// The path of the field, such as `nodes[3].port`; empty for the file as a whole.
    pub(crate) field: String,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with the file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct SpecError {
    pub(crate) problems: Vec<Problem>,
}

impl SpecError {
    /// The file as a whole cannot be read.
    pub(crate) fn unreadable(file: impl Into<String>, message: impl Into<String>) -> Self {
        let problem = Problem { file: file.into(), place: None, field: String::new(), message: message.into() };
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}
