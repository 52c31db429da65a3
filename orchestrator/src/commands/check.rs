//! `check`: judges a history that was written down. Needs no cluster.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use conformance::check::{Verdict, check};
use conformance::faults::Availability;
use conformance::history::History;
use conformance::picture::page;
use serde_json::json;

use super::session::Session;
use crate::failure::{Failure, unwritable};

pub(super) fn run(session: &Session<'_>, file: &Path, html: Option<&Path>) -> Result<(), Failure> {
    let unreadable = |error| {
        let file = file.display();
        Failure::Usage(format!(
            "the history {file} cannot be read: {error}; `orchestrator test --suite faults --history FILE` writes one"
        ))
    };
    let history = File::open(file).and_then(|file| History::read(BufReader::new(file))).map_err(unreadable)?;
    let (verdict, operations) = (check(&history), history.operations().count());
    if let Some(html) = html {
        fs::write(html, page(&history, &verdict)).map_err(unwritable("--html", html))?;
    }
    let text = format!("{}\n{operations} operations: {verdict}", Availability::of(&history));
    let (word, findings) = match &verdict {
        Verdict::Valid => ("valid", Vec::new()),
        Verdict::Invalid(findings) => ("invalid", findings.iter().map(ToString::to_string).collect()),
        Verdict::Unknown(reasons) => ("unknown", reasons.clone()),
    };
    session
        .output
        .result(&text, json!({"event": "check", "verdict": word, "operations": operations, "findings": findings}));
    match verdict {
        Verdict::Valid => Ok(()),
        Verdict::Invalid(_) => Err(Failure::Tests("the history is invalid; --html FILE draws it".to_owned())),
        Verdict::Unknown(reasons) => Err(Failure::Unknown(format!(
            "whether the history is valid is unknown: {}; another run of the suite `faults` may tell",
            reasons.join("; ")
        ))),
    }
}
