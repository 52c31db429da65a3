//! What CI servers are told: every kind of verdict, with hostile text in it.

use std::{rc::Rc, time::Duration};

use quick_junit::Report;

use super::{junit, markdown};
use crate::{Case, Dialect, Evidence, Failure, Outcome, Shape, Suite, Traces, Verdict, scenario::Topic};

fn outcome(name: &'static str, verdict: Verdict) -> Outcome {
    let topic = Topic { suite: Suite::Assignment4, name: "key-value", shape: Shape::sharded(4, 2) };
    let scenario = topic.scenario(name, &["put-new"], async |_| Ok(())).on_all_paths();
    let case = Case { scenario: Rc::new(scenario), dialect: Dialect::Seed2019 };
    Outcome { case, verdict, elapsed: Duration::from_millis(1500), notes: vec!["a note".to_owned()] }
}

fn outcomes() -> Vec<Outcome> {
    let failure = Failure::new("status 201").with("reply: 500 <html>\u{1} ]]> & \"garbage\"");
    let (transcript, nodes, traces) = (Vec::new(), Vec::new(), Traces::default());
    vec![
        outcome("a must b", Verdict::Passed),
        outcome("c must d", Verdict::Failed(Box::new(Evidence { failure, transcript, nodes, traces, forgotten: 0 }))),
        outcome("e must f", Verdict::Skipped("not here".to_owned())),
        outcome("g must h", Verdict::NotStarted(Box::new("node1 does not answer".to_owned().into()))),
        outcome("i must j", Verdict::NotTried),
    ]
}

#[test]
fn the_junit_file_has_one_case_for_each_with_its_verdict() {
    let text = junit("store", &outcomes(), Duration::from_secs(7)).expect("it can be written");
    let report = Report::deserialize_from_str(&text).expect("it can be read");
    let suite = &report.test_suites[0];
    assert_eq!((suite.tests, suite.failures, suite.errors, suite.skipped), (5, 1, 2, 1), "{text}");
    let case = &suite.test_cases[0];
    assert_eq!(case.name.as_str(), "a must b (2019)");
    assert_eq!(case.classname.as_deref(), Some("assignment4.key-value"));
    assert_eq!(case.time, Some(Duration::from_millis(1500)));
    for part in ["message=\"status 201\"", "clause:  put-new", "&lt;html&gt;", "message=\"not here\"", "a note"] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
}

#[test]
fn the_summary_counts_and_shows_what_failed() {
    let text = markdown("store", &outcomes());
    assert!(text.contains("| assignment4 | 1 | 1 | 1 | 2 |"), "{text}");
    assert!(text.contains("<summary>assignment4 / key-value / c must d (2019)</summary>"), "{text}");
    assert!(text.contains("node1 does not answer") && !text.contains("i must j"), "{text}");
}
