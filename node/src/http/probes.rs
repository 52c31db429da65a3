//! What those who look after the node ask: is it alive, is it ready, how is it.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::time::timeout;

use super::error::ApiError;
use crate::{
    metrics::Metrics,
    runtime::{Store, Vitals},
};

/// A loop that does not answer for this long is stuck.
const PATIENCE: Duration = Duration::from_secs(1);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// State of the probes.
#[derive(Clone)]
pub(crate) struct Probes {
    pub(super) store: Store,
    pub(super) metrics: Arc<Metrics>,
}

impl Probes {
    async fn vitals(&self) -> Result<Vitals, ApiError> {
        timeout(PATIENCE, self.store.vitals())
            .await
            .ok()
            .flatten()
            .ok_or_else(|| ApiError::Unavailable("the store does not answer".to_owned()))
    }
}

/// 200 while the loop answers.
pub(super) async fn healthz(State(probes): State<Probes>) -> Result<Response, ApiError> {
    probes.vitals().await?;
    Ok(Json(json!({ "message": "Alive" })).into_response())
}

/// 200 when the node serves every slot that it owns.
pub(super) async fn readyz(State(probes): State<Probes>) -> Result<Response, ApiError> {
    let Vitals { ready, stats, .. } = probes.vitals().await?;
    if !ready {
        return Err(ApiError::Unavailable(format!(
            "not ready: {} of {} slots served, {} being copied",
            stats.slots_complete, stats.slots_owned, stats.slots_copying
        )));
    }
    Ok(Json(json!({ "message": "Ready" })).into_response())
}

/// The metrics; without the core's when the loop is stuck.
pub(super) async fn metrics(State(probes): State<Probes>) -> Result<Response, ApiError> {
    let vitals = probes.vitals().await.ok();
    let text = probes
        .metrics
        .render(vitals.as_ref().map(|vitals| &vitals.stats))
        .map_err(|_| ApiError::Internal("the metrics cannot be written"))?;
    Ok(([(CONTENT_TYPE, OPENMETRICS)], text).into_response())
}
