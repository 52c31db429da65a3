//! How a command fails, and which exit code that is. Errors of every part are translated here, once.

use std::fmt;
use std::io;
use std::path::Path;

use crate::spec::SpecError;

/// The outcome of a command that did not do its job.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The cluster runs but is not healthy, or refused what was asked.
    #[error("{0}")]
    Unhealthy(String),
    /// Tests failed.
    #[error("{0}")]
    Tests(String),
    /// The command line makes no sense, or asks a question that nobody can answer.
    #[error("{0}")]
    Usage(String),
    /// The cluster file is wrong.
    #[error("{0}")]
    Spec(#[from] SpecError),
    /// There is no engine, or it refuses us, or it failed in the middle of a call.
    #[error("{0}")]
    Engine(String),
    /// The image is missing or cannot be built.
    #[error("{0}")]
    Image(String),
    /// Something that is not ours is in the way.
    #[error("{}", Lines(.0))]
    Conflict(Vec<Conflict>),
    /// What `up` needs is not there; with the code that `up` would exit with.
    #[error("{message}")]
    Unfit { message: String, exit_code: u8 },
    /// Another orchestrator is changing the cluster.
    #[error("{0}")]
    Held(String),
    /// A wait passed its deadline.
    #[error("{0}")]
    NotReady(String),
    /// Nobody can say whether it is right.
    #[error("{0}")]
    Unknown(String),
    /// Something would be done; asked for with `plan --exit-code`.
    #[error("{0}")]
    Pending(String),
    /// Ctrl-C.
    #[error("interrupted; {0}")]
    Interrupted(String),
}

/// One thing in the way: what, whose it is, and the command that frees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// What is taken: `port 8082 on 127.0.0.1`.
    pub(crate) what: String,
    /// By whom: `container web (3f2a…)`.
    pub(crate) owner: String,
    /// The exact command which frees it.
    pub(crate) free_with: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, owner, free_with } = self;
        write!(f, "{what} is taken by {owner}; to free it: {free_with}")
    }
}

/// The failure for a file that was asked for with `flag`.
pub(crate) fn unwritable(flag: &str, file: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |error| {
        let file = file.display();
        Failure::Usage(format!("{flag}: {file} cannot be written: {error}; name a file in a folder that you may write"))
    }
}

struct Lines<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Lines<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{line}")?;
        }
        Ok(())
    }
}

impl Failure {
    /// A node that would have to run does not.
    pub(crate) fn not_running(name: &str) -> Self {
        Self::Unhealthy(format!("{name} does not run; `orchestrator up {name}` starts it"))
    }

    /// None of a project's nodes does.
    pub(crate) fn nobody_runs(project: &str) -> Self {
        Self::Unhealthy(format!("no node of project {project} runs; `orchestrator up` starts them"))
    }

    /// The same with a further line, where the failure is a text.
    pub(crate) fn and_line(self, line: &str) -> Self {
        let longer = |text: String| format!("{text}\n{line}");
        match self {
            Self::Unhealthy(text) => Self::Unhealthy(longer(text)),
            Self::NotReady(text) => Self::NotReady(longer(text)),
            Self::Engine(text) => Self::Engine(longer(text)),
            other => other,
        }
    }

    /// The exit codes of `--help`.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Unhealthy(_) | Self::Tests(_) => 1,
            Self::Usage(_) => 2,
            Self::Spec(_) => 3,
            Self::Engine(_) => 4,
            Self::Image(_) => 5,
            Self::Conflict(_) | Self::Held(_) => 6,
            Self::Unfit { exit_code, .. } => *exit_code,
            Self::NotReady(_) => 7,
            Self::Unknown(_) => 8,
            Self::Pending(_) => 9,
            Self::Interrupted(_) => 130,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_code_of_the_help() {
        let text = String::new;
        let conflict = Conflict { what: "port 1".into(), owner: "web".into(), free_with: "docker rm -f web".into() };
        let all = [
            (Failure::Unhealthy(text()), 1),
            (Failure::Tests(text()), 1),
            (Failure::Usage(text()), 2),
            (Failure::Spec(SpecError::unreadable("f", "m")), 3),
            (Failure::Engine(text()), 4),
            (Failure::Image(text()), 5),
            (Failure::Conflict(vec![conflict]), 6),
            (Failure::Unfit { message: text(), exit_code: 5 }, 5),
            (Failure::Held(text()), 6),
            (Failure::NotReady(text()), 7),
            (Failure::Unknown(text()), 8),
            (Failure::Pending(text()), 9),
            (Failure::Interrupted(text()), 130),
        ];
        for (failure, code) in all {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
        }
    }

    #[test]
    fn conflicts_name_owner_and_remedy() {
        let one = |what: &str| Conflict {
            what: what.into(),
            owner: "container web".into(),
            free_with: "docker rm -f web".into(),
        };
        let failure = Failure::Conflict(vec![one("port 1"), one("port 2")]);
        let expected = "port 1 is taken by container web; to free it: docker rm -f web\n\
                        port 2 is taken by container web; to free it: docker rm -f web";
        assert_eq!(failure.to_string(), expected);
    }
}
