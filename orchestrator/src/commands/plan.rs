//! `plan`: what `up` would do and why. It has nothing with which it could do any of it.

use serde_json::{Value, json};

use super::bring_up::prepare;
use super::session::Session;
use crate::failure::Failure;
use crate::output::counted;
use crate::plan::{Plan, Step};

pub(super) async fn run(session: &Session<'_>, names: &[String], exit_code: bool) -> Result<(), Failure> {
    session.nodes(names)?;
    let look = session.look().await?;
    let session = &session.placed(&*look).await?;
    let prepared = prepare(session, &*look, session.nodes(names)?, false).await?;
    let plan = &prepared.plan;
    for note in &plan.notes {
        session.output.note(note);
    }
    let steps: Vec<Value> = plan.steps().map(described).collect();
    let json = json!({"event": "plan", "changed": !plan.is_empty(), "steps": steps, "notes": plan.notes});
    session.output.result(&text(plan), json);
    if exit_code && !plan.is_empty() {
        return Err(Failure::Pending("`orchestrator up` would do this".to_owned()));
    }
    Ok(())
}

fn described(step: &Step) -> Value {
    let operation = &step.operation;
    json!({"does": operation.to_string(), "event": operation.event(), "node": operation.node(), "cause": step.cause})
}

fn text(plan: &Plan) -> String {
    if plan.is_empty() {
        return "up to date".to_owned();
    }
    let mut lines: Vec<String> = plan.steps().map(ToString::to_string).collect();
    lines.push(counted(lines.len(), "operation"));
    if !plan.rolling.is_empty() {
        let nodes = counted(plan.rolling.len(), "node");
        lines.push(format!("{nodes} one after the other, each when all others are whole"));
    }
    lines.join("\n")
}
