//! HTTP: what clients say, as requests of the store, and its replies in the words of the contract.
//!
//! Three families of paths lead to the same handlers, which differ only in the [`Shape`] of what they answer. Nothing in
//! here decides anything about data.

mod api;
mod body;
mod edge;
mod error;
mod key_value;
mod path;
mod paths;
mod probes;
mod server;
mod shape;
mod shard;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, put},
};

pub(crate) use self::{api::Api, paths::Paths, server::Server, shape::Shape};
use crate::{
    metrics::Metrics,
    peer::{self, Links},
};

/// Every path that the node serves. `class` shapes the paths of 2019 to spring 2021.
pub(crate) fn paths(api: &Api, class: Shape, metrics: Arc<Metrics>, links: Links) -> Paths {
    let router = router(api, class, Arc::clone(&metrics), links);
    Paths::new(router).key_value("/key-value-store", api.shaped(class), Arc::clone(&metrics)).key_value(
        "/kvs",
        api.shaped(Shape::Fall2021),
        metrics,
    )
}

/// All paths but those of key-value operations.
fn router(api: &Api, class: Shape, metrics: Arc<Metrics>, links: Links) -> Router {
    let probes = probes::Probes { store: api.store.clone(), metrics: Arc::clone(&metrics) };
    class_paths()
        .with_state(api.shaped(class))
        .merge(fall_2021_paths().with_state(api.shaped(Shape::Fall2021)))
        .merge(
            Router::new()
                .route("/healthz", get(probes::healthz))
                .route("/readyz", get(probes::readyz))
                .route("/metrics", get(probes::metrics))
                .with_state(probes),
        )
        .merge(Router::new().route(peer::PATH, get(peer::accept)).with_state(links))
        .fallback(edge::no_such_path)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(from_fn_with_state(metrics, edge::finish))
}

/// 2019, 2020 and spring 2021.
fn class_paths() -> Router<Api> {
    Router::new()
        .route("/key-value-store-view", view())
        .route("/key-value-store-shard/shard-ids", get(shard::ids))
        .route("/key-value-store-shard/node-shard-id", get(shard::of_node))
        .route("/key-value-store-shard/shard-id-members/{id}", get(shard::members))
        .route("/key-value-store-shard/shard-id-key-count/{id}", get(shard::key_count))
        .route("/key-value-store-shard/add-member/{id}", put(shard::add_member))
        .route("/key-value-store-shard/reshard", put(shard::reshard))
}

fn fall_2021_paths() -> Router<Api> {
    Router::new()
        .route("/view", view())
        .route("/shard/ids", get(shard::ids))
        .route("/shard/node-shard-id", get(shard::of_node))
        .route("/shard/members/{id}", get(shard::members))
        .route("/shard/key-count/{id}", get(shard::key_count))
        .route("/shard/add-member/{id}", put(shard::add_member))
        .route("/shard/reshard", put(shard::reshard))
}

fn view() -> MethodRouter<Api> {
    get(view::get).put(view::put).delete(view::delete)
}
