//! Where every answer passes on its way out: errors get their body here, and requests are counted.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, header::ALLOW},
    middleware::Next,
    response::Response,
};

use super::error::ApiError;
use crate::metrics::{Metrics, RequestLabels};

/// Nothing is served here.
pub(super) async fn no_such_path() -> ApiError {
    ApiError::NoSuchPath
}

/// Something is served here, but not so. The router adds `Allow`.
pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

/// Answers a request.
pub(super) async fn finish(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".into(), |path| path.as_str().into());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let allow = response.headers_mut().remove(ALLOW);
        response = error.render(&method);
        if let Some(allow) = allow {
            response.headers_mut().insert(ALLOW, allow);
        }
    }
    let labels = RequestLabels { route, method: label(&method), status: response.status().as_u16() };
    let service = &metrics.service;
    service.requests.get_or_create(&labels).inc();
    service.duration.get_or_create(&labels).observe(start.elapsed().as_secs_f64());
    response
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
