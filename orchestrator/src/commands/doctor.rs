//! `doctor`: whether everything is there that `up` needs, and what helps where it is not. Touches nothing.

use serde_json::{Value, json};

use super::session::Session;
use crate::build::Sources;
use crate::diagnosis::{Cause, Check, Facts, diagnose};
use crate::failure::Failure;
use crate::output::counted;
use crate::plan::{Desired, plan};
use crate::runtime::docker::EngineError;
use crate::runtime::{Runtime, consider};

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    let checks = checks(session).await?;
    let lines: Vec<String> = checks.iter().map(ToString::to_string).collect();
    let objects: Vec<Value> = checks.iter().map(object).collect();
    session.output.result(&lines.join("\n"), json!({"event": "doctor", "checks": objects}));
    let causes: Vec<Cause> = checks.iter().filter_map(Check::cause).collect();
    let Some(first) = causes.first() else { return Ok(()) };
    let message = format!("{} in the way of `up`, told above with what helps", counted(causes.len(), "problem"));
    Err(Failure::Unfit { message, exit_code: first.exit_code() })
}

async fn checks(session: &Session<'_>) -> Result<Vec<Check>, Failure> {
    let (runtime, error) = consider(session.global.runtime, &session.spec.name).await?;
    let mut checks: Vec<Check> = error.map(|error| without_engine(&error, runtime.is_some())).into_iter().collect();
    let Some(runtime) = runtime else { return Ok(checks) };
    match look(session, &*runtime).await {
        Ok(found) => checks.extend(found),
        Err(Failure::Engine(message)) => {
            checks.push(Check::problem("engine", Cause::Engine, message, "restart the engine"));
        }
        Err(other) => return Err(other),
    }
    Ok(checks)
}

/// No engine is a problem unless processes do.
fn without_engine(error: &EngineError, instead: bool) -> Check {
    if instead {
        return Check::warning("engine", format!("{error}; nodes run as processes on 127.0.0.1"), error.remedy());
    }
    Check::problem("engine", Cause::Engine, error.to_string(), error.remedy())
}

async fn look(session: &Session<'_>, runtime: &dyn Runtime) -> Result<Vec<Check>, Failure> {
    let about = runtime.about().await?;
    let (spec, conflicts) = match session.placed(runtime).await {
        Ok(placed) => (placed.spec, Vec::new()),
        Err(Failure::Conflict(conflicts)) => (session.spec.clone(), conflicts),
        Err(other) => return Err(other),
    };
    let observed = runtime.observe(&session.site_of(&spec, None)).await?;
    let sources = spec.image.build.as_deref().map(Sources::look);
    let desired = Desired {
        spec: &spec,
        nodes: spec.nodes.iter().collect(),
        addressing: runtime.addressing(),
        // What stands in the way does not depend on what the sources are, only on whether there are any.
        content: sources.as_ref().map(|_| ""),
        recreate: false,
    };
    let conflicts = if conflicts.is_empty() { plan(&desired, &observed).err().unwrap_or_default() } else { conflicts };
    Ok(diagnose(&Facts { spec: &spec, about, has_image: observed.image.is_some(), sources, conflicts }))
}

fn object(check: &Check) -> Value {
    json!({"check": check.name, "state": check.state(), "message": check.message, "remedy": check.remedy})
}
