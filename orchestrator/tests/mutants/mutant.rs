//! A mutant: a change of the node's sources that breaks one clause. What it must fail follows from the clauses that the
//! cases name.

use std::path::{Path, PathBuf};

use conformance::{CLAUSES, Dialect, Level, Selection, Suite};

/// One clause, broken.
pub(crate) struct Mutant {
    pub(crate) clause: &'static str,
    /// From the top of the workspace.
    pub(crate) file: &'static str,
    /// Occurs once in the file.
    from: &'static str,
    to: &'static str,
    /// Parts of the names of cases that name the clause and yet hold, since they try another side of it.
    spared: &'static [&'static str],
}

impl Mutant {
    pub(crate) const fn new(clause: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Self {
        Self { clause, file, from, to, spared: &[] }
    }

    /// The cases with one of these in their names hold.
    pub(crate) const fn spares(self, spared: &'static [&'static str]) -> Self {
        Self { spared, ..self }
    }

    /// Whether a case that names these clauses must fail.
    pub(crate) fn fails(&self, case: &str, clauses: &[&str]) -> bool {
        clauses.contains(&self.clause) && !self.spared.iter().any(|part| case.contains(part))
    }

    /// The text of its file, broken.
    pub(crate) fn break_text(&self, text: &str) -> Result<String, String> {
        match text.matches(self.from).count() {
            1 => Ok(text.replacen(self.from, self.to, 1)),
            count => Err(format!("{} has {count} times, not once:\n{}", self.file, self.from)),
        }
    }

    /// Whether it still is one, as far as can be told without running it.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !CLAUSES.iter().any(|clause| clause.id == self.clause) {
            return Err(format!("there is no clause `{}`", self.clause));
        }
        let all = Selection {
            suites: Suite::ALL.to_vec(),
            level: Level::Strict,
            dialect: Dialect::Seed2019,
            harmless_only: false,
        };
        let mut concerned = all.cases(|_| true);
        concerned.retain(|case| case.scenario.clauses.contains(&self.clause));
        let names: Vec<String> = concerned.iter().map(ToString::to_string).collect();
        if let Some(part) = self.spared.iter().find(|part| !names.iter().any(|name| name.contains(**part))) {
            return Err(format!("no case that names `{}` is called {part}", self.clause));
        }
        let path = workspace().join(self.file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.break_text(&text).map(drop)
    }
}

/// The top of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
