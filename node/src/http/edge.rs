//! Where every answer passes on its way out: errors get their body here, and requests are counted.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, header::ALLOW},
    response::Response,
};
use tower_layer::Layer;
use tower_service::Service;

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

/// Finishes the answers of everything that it is laid around.
#[derive(Clone)]
pub(super) struct Finish(pub(super) Arc<Metrics>);

/// One service that [`Finish`] is laid around.
#[derive(Clone)]
pub(super) struct Finished<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S> Layer<S> for Finish {
    type Service = Finished<S>;

    fn layer(&self, inner: S) -> Finished<S> {
        Finished { inner, metrics: Arc::clone(&self.0) }
    }
}

impl<S> Service<Request> for Finished<S>
where
    S: Service<Request, Response = Response, Future: Send + 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let start = Instant::now();
        let method = request.method().clone();
        let route =
            request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".into(), |path| path.as_str().into());
        let metrics = Arc::clone(&self.metrics);
        let answering = self.inner.call(request);
        Box::pin(async move {
            let mut response = answering.await?;
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
            Ok(response)
        })
    }
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
