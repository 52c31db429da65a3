//! Who answers a request: the handlers of key-value operations, which nearly all requests are for, or the router.
//!
//! The router takes a dozen allocations to find a route and to call it. This takes none.

use std::{sync::Arc, time::Instant};

use axum::{Router, http::Request, response::Response};
use hyper::body::Incoming;
use tower_service::Service;

use super::{api::Api, edge, key_value};
use crate::metrics::Metrics;

/// Everything that is served.
pub(crate) struct Paths {
    key_values: Vec<KeyValue>,
    router: Router,
}

/// A family of paths, of one key each.
struct KeyValue {
    prefix: &'static str,
    /// For the metrics: without a key, which is served to say that it is empty, and with one.
    routes: [Arc<str>; 2],
    api: Api,
    metrics: Arc<Metrics>,
}

impl Paths {
    /// Serves what `router` does.
    pub(crate) fn new(router: Router) -> Self {
        Self { key_values: Vec::new(), router }
    }

    /// Serves keys behind `prefix` too.
    pub(super) fn key_value(mut self, prefix: &'static str, api: Api, metrics: Arc<Metrics>) -> Self {
        let routes = [prefix.into(), format!("{prefix}/{{key}}").into()];
        self.key_values.push(KeyValue { prefix, routes, api, metrics });
        self
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response {
        let path = request.uri().path();
        let found = self.key_values.iter().find_map(|family| Some((family, family.route(path)?)));
        let Some((family, route)) = found else {
            let mut router = self.router.clone();
            let answered = Box::pin(router.call(request)).await;
            return answered.unwrap_or_else(|never| match never {});
        };
        let start = Instant::now();
        let method = request.method().clone();
        let response = key_value::answer(&family.api, request).await;
        edge::count(&family.metrics, route, &method, start, &response);
        response
    }
}

impl KeyValue {
    /// The route of a path of this family.
    fn route(&self, path: &str) -> Option<Arc<str>> {
        let rest = path.strip_prefix(self.prefix)?;
        let has_key = match rest.strip_prefix('/') {
            Some(key) if !key.is_empty() && !key.contains('/') => true,
            None if rest.is_empty() => false,
            _ => return None,
        };
        Some(Arc::clone(&self.routes[usize::from(has_key)]))
    }
}
