//! The cases on nodes of one dialect: each as a trial that waits, and a run that tells the trials what came of them.

use std::{cell::RefCell, collections::BTreeMap, sync::mpsc};

use conformance::{Case, Dialect, Effect, Level, Observer, Outcome, Runner, Selection, Suite, Verdict, groups};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::cluster::InProcess;

type Answer = Result<Completion, Failed>;

/// Clusters at a time.
const CLUSTERS: usize = 3;

/// What is to be run, and who waits for it.
pub(crate) struct DialectRun {
    dialect: Dialect,
    /// By the names of the chosen trials.
    waiting: BTreeMap<String, mpsc::Sender<Answer>>,
}

impl DialectRun {
    /// A trial for each case; those that the arguments choose will be run.
    pub(crate) fn prepare(dialect: Dialect, arguments: &Arguments) -> (Self, Vec<Trial>) {
        let (mut waiting, mut trials) = (BTreeMap::new(), Vec::new());
        for case in cases(dialect) {
            let name = name(dialect, &case);
            let (answer, answered) = mpsc::channel();
            let trial = Trial::ignorable_test(&name, move || {
                answered.recv().unwrap_or_else(|_| Err(Failed::from("the run has ended before this case")))
            });
            if !arguments.is_filtered_out(&trial) && !arguments.is_ignored(&trial) {
                waiting.insert(name, answer);
            }
            trials.push(trial);
        }
        (Self { dialect, waiting }, trials)
    }

    /// Tries the chosen cases, in as few clusters as they can share.
    pub(crate) async fn run(self) {
        let mut cases = cases(self.dialect);
        cases.retain(|case| self.waiting.contains_key(&name(self.dialect, case)));
        let provider = InProcess(self.dialect);
        let observer = Answers { dialect: self.dialect, waiting: RefCell::new(self.waiting) };
        let runner = Runner { provider: &provider, observer: &observer, clusters: CLUSTERS, seed: 1, tidy: false };
        runner.run(groups(cases)).await;
    }
}

fn name(dialect: Dialect, case: &Case) -> String {
    format!("{}: {case}", dialect.name())
}

/// All cases for nodes of 2019. What depends on the dialect is harmless or on all paths: no more is repeated for 2021.
fn cases(dialect: Dialect) -> Vec<Case> {
    let selection = Selection { suites: Suite::ALL.to_vec(), level: Level::Strict, dialect, harmless_only: false };
    let mut cases = selection.cases(|_| true);
    cases.retain(|case| {
        dialect == Dialect::Seed2019 || case.scenario.on_all_paths || case.scenario.effect == Effect::Harmless
    });
    cases
}

/// Passes each outcome to the trial that waits for it.
struct Answers {
    dialect: Dialect,
    waiting: RefCell<BTreeMap<String, mpsc::Sender<Answer>>>,
}

impl Observer for Answers {
    fn started(&self, _: &Case) {}

    fn finished(&self, outcome: &Outcome) {
        let answer = match &outcome.verdict {
            Verdict::Passed => Ok(Completion::Completed),
            Verdict::Skipped(reason) => Ok(Completion::ignored_with(reason)),
            Verdict::Failed(_) | Verdict::NotStarted(_) => Err(Failed::from(outcome.explanation())),
            Verdict::NotTried => Err(Failed::from("not tried: no cluster had started before")),
        };
        if let Some(waiting) = self.waiting.borrow_mut().remove(&name(self.dialect, &outcome.case)) {
            // A trial that does not wait any more has nobody to tell.
            let _ = waiting.send(answer);
        }
    }

    #[allow(clippy::print_stderr, reason = "nobody's verdict, so nobody else would tell it")]
    fn remark(&self, text: &str) {
        eprintln!("{}: {text}", self.dialect.name());
    }
}
