//! What clients are told, and what they say: JSON both ways.

use std::fmt::Display;

use axum::{
    Json,
    body::Bytes,
    extract::rejection::BytesRejection,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

pub(crate) struct Reply(pub(crate) StatusCode, pub(crate) Value);

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self(StatusCode::OK, body)
    }

    pub(crate) fn error(status: StatusCode, method: &Method, error: impl Display) -> Self {
        Self(status, json!({ "error": error.to_string(), "message": format!("Error in {method}") }))
    }

    pub(crate) fn bad_request(method: &Method, error: impl Display) -> Self {
        Self::error(StatusCode::BAD_REQUEST, method, error)
    }

    pub(crate) fn unavailable(method: &Method, error: impl Display) -> Self {
        Self::error(StatusCode::SERVICE_UNAVAILABLE, method, error)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.0, Json(self.1)).into_response();
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The fields of a request's body; none when it has no body.
pub(crate) fn fields(method: &Method, body: Result<Bytes, BytesRejection>) -> Result<Map<String, Value>, Reply> {
    let body = body.map_err(|rejection| Reply::error(rejection.status(), method, rejection.body_text()))?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&body)
        .map_err(|error| Reply::bad_request(method, format!("The body is no JSON object: {error}")))
}
