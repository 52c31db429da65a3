//! Every clause of the contract has a test, and `docs/conformance.md` says which.

mod elsewhere;
mod list;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use conformance::{CLAUSES, Case, Dialect, Level, Scenario, Selection, Suite, scenarios};

use elsewhere::ELSEWHERE;

/// Says what to do when the list is not as it should be.
const COMMAND: &str = "UPDATE=1 cargo test -p conformance --test clauses";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_clause_has_a_test() {
    let scenarios = scenarios();
    let mut untested: BTreeSet<&str> = CLAUSES.iter().map(|clause| clause.id).collect();
    for id in scenarios.iter().flat_map(|scenario| &scenario.clauses) {
        untested.remove(id);
    }
    for (id, ..) in ELSEWHERE {
        untested.remove(id);
    }
    assert!(untested.is_empty(), "clauses that nothing tests: {untested:?}");
}

#[test]
fn every_test_names_clauses_that_exist() {
    let known: BTreeSet<&str> = CLAUSES.iter().map(|clause| clause.id).collect();
    for Scenario { name, clauses, .. } in scenarios() {
        assert!(!clauses.is_empty(), "{name}: names no clause");
        for id in clauses {
            assert!(known.contains(id), "{name}: no clause is called {id}");
        }
    }
    for (id, file, test) in ELSEWHERE {
        assert!(known.contains(id), "{file}, {test}: no clause is called {id}");
    }
}

#[test]
fn clauses_have_ids_of_their_own() {
    let mut seen = BTreeSet::new();
    for clause in CLAUSES {
        assert!(seen.insert(clause.id), "{}: twice", clause.id);
    }
}

#[test]
fn tests_elsewhere_are_where_they_are_said_to_be() {
    for (id, file, test) in ELSEWHERE {
        let path = workspace().join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(&format!("fn {test}(")), "{id}: {file} has no test {test}");
    }
}

#[test]
fn scenarios_are_sentences_of_their_own() {
    let mut seen = BTreeSet::new();
    for Scenario { suite, name, .. } in scenarios() {
        assert!(name.contains(" must "), "{name}: not of the form \"X must Y\"");
        assert!(seen.insert((suite, name)), "{name}: twice in {}", suite.name());
    }
}

/// Names choose cases on the command line and tell them apart in reports.
#[test]
fn cases_have_names_of_their_own() {
    for dialect in [Dialect::Seed2019, Dialect::Spring2021, Dialect::Fall2021] {
        let all = Selection { suites: Suite::ALL.to_vec(), level: Level::Strict, dialect, harmless_only: false };
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for case in all.cases(|_| true).iter().map(Case::to_string) {
            *times.entry(case).or_default() += 1;
        }
        times.retain(|_, times| *times > 1);
        assert!(times.is_empty(), "{times:?}");
    }
}

#[test]
fn the_list_is_as_the_tests_are() {
    let (path, text) = (workspace().join(list::PATH), list::text());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{} does not say what the tests are: run `{COMMAND}`", list::PATH);
}
