//! Key-value operations.

use axum::{
    http::{
        HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
        header::{ALLOW, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use hyper::body::Incoming;
use node_core::{Key, KeyError, Reply, Request as StoreRequest, ShardId, Token};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    api::Api,
    body::{self, Fields},
    error::ApiError,
    path,
};

/// On how many replicas a write was durable when it was answered.
const REPLICAS_DURABLE: HeaderName = HeaderName::from_static("x-replicas-durable");
const REPLICAS_WRITTEN: HeaderName = HeaderName::from_static("x-replicas-written");

/// The body of a success.
#[derive(Serialize)]
struct Success<'a> {
    #[serde(rename = "doesExist", skip_serializing_if = "Option::is_none")]
    does_exist: Option<bool>,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a RawValue>,
    version: &'a str,
    #[serde(rename = "causal-metadata")]
    causal_metadata: &'a str,
    #[serde(rename = "shard-id")]
    shard: String,
}

/// What can be done with a key.
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,PUT,DELETE");

/// Answers a request for the key at the end of its path.
pub(super) async fn answer(api: &Api, request: Request<Incoming>) -> Response {
    let method = request.method().clone();
    let answered = match method {
        // The body of an answer to HEAD is left out where it is sent.
        Method::GET | Method::HEAD => get(api, request).await,
        Method::PUT => put(api, request).await,
        Method::DELETE => delete(api, request).await,
        _ => {
            let mut refusal = ApiError::MethodNotAllowed.render(&method);
            refusal.headers_mut().insert(ALLOW, METHODS);
            Ok(refusal)
        }
    };
    answered.unwrap_or_else(|error| error.render(&method))
}

impl Success<'_> {
    fn into_response(self, status: StatusCode) -> Result<Response, ApiError> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let value_bytes = self.value.map_or(0, |value| value.get().len());
        // All names and messages together take less than 200 bytes.
        let mut body = Vec::with_capacity(200 + value_bytes + self.version.len() + self.causal_metadata.len());
        serde_json::to_writer(&mut body, &self).map_err(|_| ApiError::Internal("a success is not JSON"))?;
        Ok((status, [(CONTENT_TYPE, JSON)], body).into_response())
    }
}

/// The value of a key.
async fn get(api: &Api, request: Request<Incoming>) -> Result<Response, ApiError> {
    let key = key_or_impossible(request.uri())?;
    let body = body::read(request, api).await?;
    let token = Fields::parse(&body)?.token(api)?;
    let Some(key) = key else {
        return Err(never_written(api, &token));
    };
    let get = StoreRequest::Get { key, token };
    let _held = body.give_way_to(&get, &api.bodies)?;
    match api.ask(get).await? {
        Reply::Value { record, token, shard } => {
            let value = record.value().unwrap_or_default();
            let value = serde_json::from_slice(value).map_err(|_| ApiError::Internal("a stored value is not JSON"))?;
            let success = Success {
                does_exist: Some(true),
                message: "Retrieved successfully",
                replaced: None,
                result: api.shape.result("found"),
                value: Some(value),
                version: record.version(),
                causal_metadata: &token,
                shard: shard.to_string(),
            };
            success.into_response(StatusCode::OK)
        }
        reply => Err(unexpected(reply)),
    }
}

/// A new value for a key.
async fn put(api: &Api, request: Request<Incoming>) -> Result<Response, ApiError> {
    let key = key(request.uri())?;
    let body = body::read(request, api).await?;
    let fields = Fields::parse(&body)?;
    let value = fields.value.ok_or_else(|| ApiError::Malformed("Value is missing".to_owned()))?;
    let put = StoreRequest::Put { key, value: value.get().as_bytes().into(), token: fields.token(api)? };
    let _held = body.give_way_to(&put, &api.bodies)?;
    let reply = api.ask(put).await?;
    written(reply, |replaced| {
        let (status, message, result) = if replaced {
            (StatusCode::OK, "Updated successfully", "replaced")
        } else {
            (StatusCode::CREATED, "Added successfully", "created")
        };
        Written { status, message, result: api.shape.result(result), does_exist: None, replaced: Some(replaced) }
    })
}

/// The end of a key.
async fn delete(api: &Api, request: Request<Incoming>) -> Result<Response, ApiError> {
    let key = key_or_impossible(request.uri())?;
    let body = body::read(request, api).await?;
    let token = Fields::parse(&body)?.token(api)?;
    let Some(key) = key else {
        return Err(never_written(api, &token));
    };
    let delete = StoreRequest::Delete { key, token };
    let _held = body.give_way_to(&delete, &api.bodies)?;
    let reply = api.ask(delete).await?;
    written(reply, |_| Written {
        status: StatusCode::OK,
        message: "Deleted successfully",
        result: api.shape.result("deleted"),
        does_exist: Some(true),
        replaced: None,
    })
}

/// How a write is reported.
struct Written {
    status: StatusCode,
    message: &'static str,
    result: Option<&'static str>,
    does_exist: Option<bool>,
    replaced: Option<bool>,
}

fn written(reply: Reply, report: impl FnOnce(bool) -> Written) -> Result<Response, ApiError> {
    let Reply::Written { replaced, version, shard, replicas_durable, replicas_written } = reply else {
        return Err(unexpected(reply));
    };
    let report = report(replaced);
    let success = Success {
        does_exist: report.does_exist,
        message: report.message,
        replaced: report.replaced,
        result: report.result,
        value: None,
        version: &version,
        causal_metadata: &version,
        shard: shard.to_string(),
    };
    let mut response = success.into_response(report.status)?;
    response.headers_mut().insert(REPLICAS_DURABLE, count(replicas_durable));
    response.headers_mut().insert(REPLICAS_WRITTEN, count(replicas_written));
    Ok(response)
}

/// A number of replicas, which is small.
fn count(replicas: u32) -> HeaderValue {
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    DIGITS.get(replicas as usize).map_or_else(|| replicas.into(), |digit| HeaderValue::from_static(digit))
}

fn unexpected(reply: Reply) -> ApiError {
    match reply {
        Reply::Missing { token, shard } => missing(&token, Some(shard)),
        _ => ApiError::Internal("the store's answer is not one to a key-value request"),
    }
}

fn missing(token: &str, shard: Option<ShardId>) -> ApiError {
    ApiError::KeyDoesNotExist { token: token.to_owned(), shard }
}

/// The answer for a key that no PUT can write: it does not exist, and the client has observed nothing new.
fn never_written(api: &Api, token: &Token) -> ApiError {
    missing(&token.encode(&api.token_key), None)
}

/// The key of a request that may create it.
fn key(uri: &Uri) -> Result<Key, ApiError> {
    Key::new(&path::key(uri)?).map_err(|error| ApiError::Malformed(error.to_string()))
}

/// The key of a request that may not; `None` when it is too long to have been written.
fn key_or_impossible(uri: &Uri) -> Result<Option<Key>, ApiError> {
    match Key::new(&path::key(uri)?) {
        Ok(key) => Ok(Some(key)),
        Err(KeyError::TooLong) => Ok(None),
        Err(error) => Err(ApiError::Malformed(error.to_string())),
    }
}
