//! `build`: the image only, or the native node for processes. Does nothing when nothing changed.

use serde_json::json;

use super::session::Session;
use crate::apply::Executor;
use crate::failure::Failure;
use crate::launch::Addressing;
use crate::plan::{Desired, plan_build};

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    let runtime = session.runtime().await?;
    let artifact = session.compile(&*runtime).await?.ok_or_else(|| {
        Failure::Image(format!(
            "{} names no sources (image.build); run in the clone, or name its cluster.yaml with -f",
            session.origin
        ))
    })?;
    let site = session.site(Some(&artifact));
    let desired = Desired {
        spec: &session.spec,
        nodes: Vec::new(),
        addressing: runtime.addressing(),
        content: Some(&artifact.content),
        recreate: false,
    };
    let plan = plan_build(&desired, &runtime.observe(&site).await?);
    Executor::new(&*runtime, &site, &session.interrupt).apply(&plan).await?;
    let product = match runtime.addressing() {
        Addressing::Network => format!("image {}", session.spec.image.name),
        Addressing::Loopback => artifact.binary.display().to_string(),
    };
    let text = if plan.is_empty() { format!("up to date: {product}") } else { product.clone() };
    let json = json!({"event": "build", "changed": !plan.is_empty(), "product": product, "content": artifact.content});
    session.output.result(&text, json);
    Ok(())
}
