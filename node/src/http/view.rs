//! View operations.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use node_core::{Address, Reply, Request as StoreRequest};

use super::{
    api::Api,
    body::{self, Fields},
    error::ApiError,
    shape::Shape,
};

/// The nodes that are up.
pub(super) async fn get(State(api): State<Api>) -> Result<Response, ApiError> {
    let view = addresses(&api).await?;
    let field = ("view", api.shape.addresses(&view));
    let body = api.shape.body("View retrieved successfully", None, Some(field));
    Ok(Json(body).into_response())
}

/// Adds a node.
pub(super) async fn put(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let address = socket_address(&api, request).await?;
    let (status, message, result) = match api.ask(StoreRequest::AddToView(address)).await? {
        Reply::Done => (StatusCode::CREATED, "Replica added successfully to the view", "added"),
        Reply::AlreadyThere if api.shape == Shape::Fall2021 => {
            (StatusCode::OK, "Socket address already exists in the view", "already present")
        }
        Reply::AlreadyThere => return Err(ApiError::AlreadyInView),
        _ => return Err(unexpected()),
    };
    let body = api.shape.body(message, Some(result), None);
    Ok((status, Json(body)).into_response())
}

/// Takes a node out.
pub(super) async fn delete(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let address = socket_address(&api, request).await?;
    match api.ask(StoreRequest::RemoveFromView(address)).await? {
        Reply::Done => {
            let message = "Replica deleted successfully from the view";
            Ok(Json(api.shape.body(message, Some("deleted"), None)).into_response())
        }
        _ => Err(unexpected()),
    }
}

/// The view as addresses, in numeric order.
pub(super) async fn addresses(api: &Api) -> Result<Vec<Address>, ApiError> {
    match api.ask(StoreRequest::View).await? {
        Reply::View(view) => Ok(view),
        _ => Err(unexpected()),
    }
}

/// The `socket-address` of a request's body.
pub(super) async fn socket_address(api: &Api, request: Request) -> Result<Address, ApiError> {
    let body = body::read(request, api).await?;
    Fields::parse(&body)?.socket_address()
}

fn unexpected() -> ApiError {
    ApiError::Internal("the store's answer is not one to a view request")
}
