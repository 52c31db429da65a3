//! `test --list`: which tests there are, without starting anything.

use conformance::{Case, Level, Selection};
use serde_json::{Value, json};

use super::super::session::{Session, dialect};
use super::{cases, level, suites};
use crate::cli::TestArguments;
use crate::failure::Failure;

pub(super) fn run(session: &Session<'_>, arguments: &TestArguments) -> Result<(), Failure> {
    let is_ours = session.global.image.is_none() && arguments.build.is_none();
    let selection = Selection {
        suites: suites(arguments),
        level: level(is_ours, arguments),
        dialect: dialect(&session.spec, arguments.dialect),
        harmless_only: arguments.attach,
    };
    let cases = cases(arguments, &selection)?;
    let line = |case: &Case| match case.scenario.level {
        Level::Assignment => case.to_string(),
        Level::Strict => format!("{case} [strict]"),
    };
    let object = |case: &Case| -> Value {
        let scenario = &case.scenario;
        json!({
            "name": case.to_string(), "suite": scenario.suite.name(), "topic": scenario.topic,
            "strict": scenario.level == Level::Strict, "clauses": scenario.clauses,
        })
    };
    let lines: Vec<String> = cases.iter().map(line).chain([format!("{} tests", cases.len())]).collect();
    let tests: Vec<Value> = cases.iter().map(object).collect();
    session.output.result(&lines.join("\n"), json!({"event": "test.list", "tests": tests}));
    Ok(())
}
