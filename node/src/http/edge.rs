//! Where the router's answers pass on their way out and errors get their body; and where all requests are counted.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use super::error::ApiError;
use crate::metrics::{Metrics, RequestLabels};

/// Nothing is served here.
pub(super) async fn no_such_path() -> ApiError {
    ApiError::NoSuchPath
}

/// Something is served here, but not so. The router adds `Allow`, outside of all layers.
pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

/// Gives errors their body, and counts what the router answers.
pub(super) async fn finish(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".into(), |path| path.as_str().into());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        response = error.render(&method);
    }
    count(&metrics, route, &method, start, &response);
    response
}

/// Counts the answer to a request that came at `start`.
pub(super) fn count(metrics: &Metrics, route: Arc<str>, method: &Method, start: Instant, response: &Response) {
    let labels = RequestLabels { route, method: label(method), status: response.status().as_u16() };
    metrics.service.requests.get_or_create(&labels).inc();
    metrics.service.duration.get_or_create(&labels).observe(start.elapsed().as_secs_f64());
}

/// Strangers may send any word as a method; each would be a series of its own.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
