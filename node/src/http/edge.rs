//! Where the router's answers pass on their way out and errors get their body; and where all requests are counted.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    response::Response,
    routing::Route,
};
use tower_layer::{Layer, layer_fn};
use tower_service::Service;

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

/// Lays [`Finished`] around each route and fallback.
pub(super) fn finish(metrics: Arc<Metrics>) -> impl Layer<Route, Service = Finished> + Clone {
    layer_fn(move |route| Finished { route, metrics: Arc::clone(&metrics) })
}

/// A route whose answers are finished. A service of its own, since axum's middleware of a function clones and boxes the route
/// for every request.
#[derive(Clone)]
pub(super) struct Finished {
    route: Route,
    metrics: Arc<Metrics>,
}

impl Service<Request> for Finished {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.route, context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let start = Instant::now();
        let method = request.method().clone();
        let route =
            request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".into(), |path| path.as_str().into());
        let metrics = Arc::clone(&self.metrics);
        let answering = self.route.call(request);
        Box::pin(async move {
            let mut response = answering.await?;
            if let Some(error) = response.extensions_mut().remove::<ApiError>() {
                response = error.render(&method);
            }
            count(&metrics, route, &method, start, &response);
            Ok(response)
        })
    }
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
