//! Shard operations.

use axum::{
    Json,
    extract::{Request, State},
    http::Uri,
    response::{IntoResponse, Response},
};
use node_core::{Address, Reply, Request as StoreRequest};

use super::{
    api::Api,
    body::{self, Fields},
    error::ApiError,
    path, view,
};

/// All shards.
pub(super) async fn ids(State(api): State<Api>) -> Result<Response, ApiError> {
    let Reply::ShardIds(shards) = api.ask(StoreRequest::ShardIds).await? else {
        return Err(unexpected());
    };
    let field = ("shard-ids", api.shape.shards(&shards));
    Ok(success(&api, "Shard IDs retrieved successfully", field))
}

/// The shard of this node.
pub(super) async fn of_node(State(api): State<Api>) -> Result<Response, ApiError> {
    let Reply::NodeShard(shard) = api.ask(StoreRequest::NodeShard).await? else {
        return Err(unexpected());
    };
    let message = "Shard ID of the node retrieved successfully";
    let field = (api.shape.node_shard_field(), api.shape.node_shard(shard));
    Ok(success(&api, message, field))
}

/// The members of a shard.
pub(super) async fn members(State(api): State<Api>, uri: Uri) -> Result<Response, ApiError> {
    let shard = path::shard(&uri)?;
    let Reply::ShardMembers(members) = api.ask(StoreRequest::ShardMembers(shard)).await? else {
        return Err(unexpected());
    };
    let message = "Members of shard ID retrieved successfully";
    let field = (api.shape.members_field(), api.shape.addresses(&members));
    Ok(success(&api, message, field))
}

/// The number of keys in a shard.
pub(super) async fn key_count(State(api): State<Api>, uri: Uri) -> Result<Response, ApiError> {
    let shard = path::shard(&uri)?;
    let Reply::KeyCount(count) = api.ask(StoreRequest::KeyCount(shard)).await? else {
        return Err(unexpected());
    };
    let message = "Key count of shard ID retrieved successfully";
    let field = (api.shape.key_count_field(), count.into());
    Ok(success(&api, message, field))
}

/// Makes a node a member of a shard.
pub(super) async fn add_member(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let shard = path::shard(request.uri());
    let given = view::socket_address(&api, request).await?;
    let shard = shard?;
    let address = meant(given, &view::addresses(&api).await?);
    match api.ask(StoreRequest::AddMember { shard, address }).await? {
        Reply::Done => {
            let message = "Member added to the shard successfully";
            let body = api.shape.body(message, Some("node added to shard"), None);
            Ok(Json(body).into_response())
        }
        Reply::AlreadyThere => Err(ApiError::AlreadyInShard),
        _ => Err(unexpected()),
    }
}

/// Distributes keys and nodes over a number of shards.
pub(super) async fn reshard(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let body = body::read(request, &api).await?;
    let shard_count = Fields::parse(&body)?.shard_count()?;
    match api.ask(StoreRequest::Reshard { shard_count }).await? {
        Reply::Done => {
            let message = "Resharding done successfully";
            Ok(Json(api.shape.body(message, Some("resharded"), None)).into_response())
        }
        _ => Err(unexpected()),
    }
}

/// The node that a client means: the class's example gives the port of the host where that of the node belongs, so that
/// an address that is not in the view is the one node there with the same IP.
fn meant(given: Address, view: &[Address]) -> Address {
    if view.contains(&given) {
        return given;
    }
    let mut same_ip = view.iter().filter(|address| address.ip() == given.ip());
    match (same_ip.next(), same_ip.next()) {
        (Some(only), None) => *only,
        _ => given,
    }
}

fn success(api: &Api, message: &'static str, field: (&'static str, serde_json::Value)) -> Response {
    Json(api.shape.body(message, None, Some(field))).into_response()
}

fn unexpected() -> ApiError {
    ApiError::Internal("the store's answer is not one to a shard request")
}

#[cfg(test)]
mod tests {
    use super::meant;
    use node_core::Address;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn an_ip_alone_names_the_one_node_that_has_it() {
        let view = [address("10.10.0.2:8080"), address("10.10.0.8:8080")];
        assert_eq!(meant(address("10.10.0.8:8082"), &view), view[1]);
        assert_eq!(meant(address("10.10.0.8:8080"), &view), view[1]);
        assert_eq!(meant(address("10.10.0.9:8080"), &view), address("10.10.0.9:8080"));
    }

    #[test]
    fn an_ip_that_several_nodes_have_names_none() {
        let view = [address("127.0.0.1:8082"), address("127.0.0.1:8083")];
        assert_eq!(meant(address("127.0.0.1:9"), &view), address("127.0.0.1:9"));
    }
}
