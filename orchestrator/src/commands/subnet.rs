//! `subnet`: the network only.

use serde_json::json;

use super::session::Session;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::launch::Addressing;
use crate::plan::{Desired, plan_subnet};
use crate::runtime::Runtime;

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    let runtime = session.runtime().await?;
    session.in_place(&*runtime, async |session| create(session, &*runtime).await).await
}

async fn create(session: &Session<'_>, runtime: &dyn Runtime) -> Result<(), Failure> {
    let network = &session.spec.network;
    let json = |changed: bool| json!({"event": "subnet", "changed": changed, "network": network.name, "subnet": network.subnet.to_string()});
    if runtime.addressing() == Addressing::Loopback {
        session.output.result("processes need no network: nothing to do", json(false));
        return Ok(());
    }
    let site = session.site(None);
    let desired = Desired {
        spec: &session.spec,
        nodes: Vec::new(),
        addressing: runtime.addressing(),
        content: None,
        recreate: false,
    };
    let plan = plan_subnet(&desired, &runtime.observe(&site).await?).map_err(Failure::Conflict)?;
    let executor = Executor::new(runtime, &site, &session.interrupt);
    executor.undoing(executor.apply(&plan)).await?;
    let text =
        if plan.is_empty() { "up to date".to_owned() } else { format!("network {} {}", network.name, network.subnet) };
    session.output.result(&text, json(!plan.is_empty()));
    Ok(())
}
