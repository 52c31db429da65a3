//! The tables of docs/testing.md, as Markdown.

use std::fmt::Write;

use crate::{
    faults::{Fault, Step},
    state::State,
    sweep::{Failure, Totals},
};

/// Which faults met a cluster in the middle of what, and kills by step of a reshard.
#[must_use]
pub fn met(totals: &Totals) -> String {
    let mut table = String::from("| fault |");
    for state in State::ALL {
        let _ = write!(table, " {} |", format!("{state:?}").to_lowercase());
    }
    let _ = writeln!(table, "\n|---|{}", "---:|".repeat(State::ALL.len()));
    for (fault, _) in Fault::WEIGHTS {
        let _ = write!(table, "| {fault:?} |");
        for state in State::ALL {
            let _ = write!(table, " {} |", totals.met.states.get(&(fault, state)).copied().unwrap_or(0));
        }
        table.push('\n');
    }
    table.push_str("\n| killed in a reshard when the node had |");
    for step in Step::ALL {
        let _ = write!(table, " {} |", format!("{step:?}").to_lowercase());
    }
    let _ = write!(table, "\n|---|{}\n| times |", "---:|".repeat(Step::ALL.len()));
    for step in Step::ALL {
        let _ = write!(table, " {} |", totals.met.steps.get(&step).copied().unwrap_or(0));
    }
    table.push('\n');
    table
}

/// What of the table of [`met`] is zero.
#[must_use]
pub fn never_met(totals: &Totals) -> Vec<String> {
    let pairs = Fault::WEIGHTS.iter().flat_map(|(fault, _)| State::ALL.map(|state| (*fault, state)));
    let pairs = pairs.filter(|pair| !totals.met.states.contains_key(pair)).map(|pair| format!("{pair:?}"));
    let steps = Step::ALL.into_iter().filter(|step| !totals.met.steps.contains_key(step));
    pairs.chain(steps.map(|step| format!("{step:?}"))).collect()
}

/// One row of the table of planted bugs.
#[must_use]
pub fn caught(bug: node_core::Bug, catches: &[Option<Failure>]) -> String {
    let mut row = format!("| {bug:?} |");
    for catch in catches {
        let seed = catch.as_ref().map_or("not caught".to_owned(), |catch| catch.seed.to_string());
        let _ = write!(row, " {seed} |");
    }
    let what = catches.iter().flatten().next().map_or(String::new(), |catch| catch.what.chars().take(110).collect());
    let _ = write!(row, " {} |", what.replace(['|', '\n'], " "));
    row
}
