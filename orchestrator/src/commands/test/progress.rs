//! Tells of each case as it ends, and keeps the evidence of those that failed before anything is removed.

use std::cell::{Cell, RefCell};

use conformance::{Case, Observer, Outcome, Totals, Verdict};
use serde_json::json;

use super::evidence::Evidence;
use crate::output::Output;

/// The live count.
pub(super) struct Progress<'a> {
    output: &'a Output,
    evidence: &'a Evidence,
    all: usize,
    totals: Cell<Totals>,
    running: RefCell<Vec<String>>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(output: &'a Output, evidence: &'a Evidence, all: usize) -> Self {
        Self { output, evidence, all, totals: Cell::default(), running: RefCell::default() }
    }

    fn show(&self) {
        let Totals { passed, failed, skipped, not_started } = self.totals.get();
        let done = passed + failed + skipped + not_started;
        let running = self.running.borrow();
        let now = running.last().map_or("starting clusters", String::as_str);
        self.output.waiting("tests", &format!("{done} of {}, {} failed; {now}", self.all, failed + not_started));
    }
}

impl Observer for Progress<'_> {
    fn started(&self, case: &Case) {
        self.running.borrow_mut().push(case.to_string());
        self.show();
    }

    fn finished(&self, outcome: &Outcome) {
        let name = outcome.case.to_string();
        self.running.borrow_mut().retain(|running| *running != name);
        let mut totals = self.totals.get();
        totals.count(&outcome.verdict);
        self.totals.set(totals);
        let (word, reason) = match &outcome.verdict {
            Verdict::Passed => ("ok", None),
            Verdict::Failed(evidence) => ("FAILED", Some(format!("expected {}", evidence.failure.expected()))),
            Verdict::Skipped(reason) => ("skipped", Some(reason.clone())),
            Verdict::NotStarted(unmade) => ("FAILED", unmade.reason.lines().next().map(str::to_owned)),
            Verdict::NotTried => ("FAILED", Some("not tried, since no cluster had started before".to_owned())),
        };
        let ms = outcome.elapsed.as_millis() as u64;
        let because = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let scenario = &outcome.case.scenario;
        self.output.line(
            &format!("{word:7} {name}{because} ({ms} ms)"),
            json!({
                "event": "test.finished", "name": name, "suite": scenario.suite.name(), "topic": scenario.topic,
                "verdict": outcome.verdict.name(), "ms": ms, "reason": reason, "clauses": scenario.clauses, "notes": outcome.notes,
                "explanation": outcome.explanation(),
            }),
        );
        for note in &outcome.notes {
            self.output.note(&format!("{name}: {note}"));
        }
        if let Err(error) = self.evidence.keep(outcome) {
            self.remark(&format!("the evidence of `{name}` cannot be written: {error}"));
        }
        self.show();
    }

    fn remark(&self, text: &str) {
        self.output.note(text);
    }
}
