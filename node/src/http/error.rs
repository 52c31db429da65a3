//! Everything that goes wrong for a client, and its one translation into HTTP.

use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use node_core::ShardId;
use serde_json::{Value, json};

/// Why a request is not answered with success. Each is a row of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// No such path.
    NoSuchPath,
    /// The path has no such method.
    MethodNotAllowed,
    /// The request is not one that the contract allows: what is wrong, and where.
    Malformed(String),
    /// The body is over the limit.
    BodyTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// No such key.
    KeyDoesNotExist {
        /// What the client has observed.
        token: String,
        /// The key's shard, where it can have one.
        shard: Option<ShardId>,
    },
    /// PUT view: already there.
    AlreadyInView,
    /// The address is not in the view.
    NotInView,
    /// The node already is in the shard.
    AlreadyInShard,
    /// Unknown shard id.
    NoSuchShard,
    /// Fewer than two nodes a shard would be left.
    NotEnoughNodes,
    /// Not now.
    Unavailable(String),
    /// The store has answered something else than what was asked: a bug.
    Internal(&'static str),
}

/// What the class's texts say when there are too few nodes.
const NOT_ENOUGH_NODES: &str = "Not enough nodes to provide fault-tolerance with the given shard count!";

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::NotEnoughNodes => StatusCode::BAD_REQUEST,
            Self::NoSuchPath
            | Self::KeyDoesNotExist { .. }
            | Self::AlreadyInView
            | Self::NotInView
            | Self::AlreadyInShard
            | Self::NoSuchShard => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error(&self) -> String {
        match self {
            Self::NoSuchPath => "No such path; a slash within a key is written %2F".to_owned(),
            Self::MethodNotAllowed => "This method is unsupported".to_owned(),
            Self::Malformed(reason) | Self::Unavailable(reason) => reason.clone(),
            Self::BodyTooLarge { limit } => {
                format!("The request body is larger than the limit of {limit} bytes")
            }
            Self::KeyDoesNotExist { .. } => "Key does not exist".to_owned(),
            Self::AlreadyInView => "Socket address already exists in the view".to_owned(),
            Self::NotInView => "Socket address does not exist in the view".to_owned(),
            Self::AlreadyInShard => "Socket address already exists in the shard".to_owned(),
            Self::NoSuchShard => "Shard ID does not exist".to_owned(),
            Self::NotEnoughNodes => "Every shard needs at least two nodes that are up".to_owned(),
            Self::Internal(what) => format!("Internal error: {what}"),
        }
    }

    fn body(&self, method: &Method) -> Value {
        let message = match self {
            Self::NotEnoughNodes => NOT_ENOUGH_NODES.to_owned(),
            _ => format!("Error in {method}"),
        };
        let Self::KeyDoesNotExist { token, shard } = self else {
            return json!({ "error": self.error(), "message": message });
        };
        let mut body = json!({ "doesExist": false, "error": self.error(), "message": message });
        body["causal-metadata"] = token.as_str().into();
        if let Some(shard) = shard {
            body["shard-id"] = shard.to_string().into();
        }
        body
    }

    /// The answer to a request with this method.
    pub(super) fn render(&self, method: &Method) -> Response {
        let mut response = (self.status(), Json(self.body(method))).into_response();
        if matches!(self, Self::Unavailable(_)) {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// Behind the router: leaves the body to its edge, which knows the method.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;
    use axum::http::{Method, StatusCode, header::RETRY_AFTER};
    use node_core::ShardId;
    use serde_json::json;

    #[test]
    fn a_missing_key_says_so_in_every_field() {
        let error = ApiError::KeyDoesNotExist { token: "t".to_owned(), shard: Some(ShardId(2)) };
        assert_eq!(
            error.body(&Method::GET),
            json!({
                "doesExist": false, "error": "Key does not exist", "message": "Error in GET",
                "causal-metadata": "t", "shard-id": "2",
            })
        );
    }

    #[test]
    fn too_few_nodes_has_the_class_message() {
        let message = &ApiError::NotEnoughNodes.body(&Method::PUT)["message"];
        assert_eq!(message, "Not enough nodes to provide fault-tolerance with the given shard count!");
    }

    #[test]
    fn unavailable_says_when_to_come_back() {
        let response = ApiError::Unavailable("no live member".to_owned()).render(&Method::GET);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }

    #[test]
    fn the_limit_is_named() {
        let body = ApiError::BodyTooLarge { limit: 1_048_576 }.body(&Method::PUT);
        assert!(body["error"].as_str().unwrap().contains("1048576 bytes"), "{body}");
    }
}
