//! Speaks to a running node over HTTP: the view and shard operations of the contract, in every dialect.

mod heard;
mod reply;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use conformance::Exchange;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

pub(crate) use heard::Heard;
use reply::{integer, list, text};

/// A node that has not answered after this time is asked again.
const PATIENCE: Duration = Duration::from_secs(3);

/// Of a reply that is no JSON, in a message; and of any reply, in evidence.
const TOLD_CHARS: usize = 200;
const HEARD_CHARS: usize = 4000;

/// The gauge of slots with data that too few others have.
const SLOTS_AT_RISK: &str = "node_store_slots_at_risk ";

/// Why a node did not say what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection, or no reply in time.
    #[error("{0}")]
    Silent(String),
    /// A reply that is not the wanted one.
    #[error("HTTP {status}: {message}")]
    Refused { status: u16, message: String },
}

impl ClientError {
    /// The status of a refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Silent(_) => None,
        }
    }
}

/// One node, seen from the host.
#[derive(Debug, Clone)]
pub(crate) struct NodeClient {
    http: reqwest::Client,
    base: String,
    pub(crate) heard: Heard,
}

impl NodeClient {
    /// A client for the node at `base`, such as `http://127.0.0.1:8082`.
    pub(crate) fn new(base: &str) -> Self {
        // A proxy of the environment does not know 127.0.0.1. Without TLS and proxies the builder cannot fail, and the
        // default client is the same but for those.
        let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        Self { http, base: base.to_owned(), heard: Heard::default() }
    }

    /// The addresses of the view, sorted.
    pub(crate) async fn view(&self) -> Result<Vec<String>, ClientError> {
        let reply = self.get(&["/key-value-store-view", "/view"]).await?;
        let mut view = list(&reply, &["view"]).ok_or_else(|| odd(&reply))?;
        view.sort();
        Ok(view)
    }

    /// The ids of all shards.
    pub(crate) async fn shard_ids(&self) -> Result<Vec<String>, ClientError> {
        let reply = self.get(&["/key-value-store-shard/shard-ids", "/shard/ids"]).await?;
        list(&reply, &["shard-ids"]).ok_or_else(|| odd(&reply))
    }

    /// The node's own shard; `None` for an ungrouped node.
    pub(crate) async fn node_shard_id(&self) -> Result<Option<String>, ClientError> {
        let reply = self.get(&["/key-value-store-shard/node-shard-id", "/shard/node-shard-id"]).await?;
        Ok(text(&reply, &["shard-id", "node-shard-id"]).filter(|id| !id.is_empty()))
    }

    /// The addresses of a shard's members.
    pub(crate) async fn members(&self, shard: &str) -> Result<Vec<String>, ClientError> {
        let paths = [format!("/key-value-store-shard/shard-id-members/{shard}"), format!("/shard/members/{shard}")];
        let reply = self.get(&paths).await?;
        list(&reply, &["shard-id-members", "shard-members"]).ok_or_else(|| odd(&reply))
    }

    /// How many keys a shard has.
    pub(crate) async fn key_count(&self, shard: &str) -> Result<u64, ClientError> {
        let paths = [format!("/key-value-store-shard/shard-id-key-count/{shard}"), format!("/shard/key-count/{shard}")];
        let reply = self.get(&paths).await?;
        integer(&reply, &["shard-id-key-count", "shard-key-count"]).ok_or_else(|| odd(&reply))
    }

    /// Makes the node at `socket` a member of a shard; answered when it holds the shard's keys.
    pub(crate) async fn add_member(&self, shard: &str, socket: &str, patience: Duration) -> Result<Value, ClientError> {
        let paths = [format!("/key-value-store-shard/add-member/{shard}"), format!("/shard/add-member/{shard}")];
        self.call(&Method::PUT, &paths, Some(json!({"socket-address": socket})), patience).await
    }

    /// Takes the node at `socket` out of the view.
    pub(crate) async fn remove_from_view(&self, socket: &str) -> Result<Value, ClientError> {
        let paths = ["/key-value-store-view", "/view"];
        self.call(&Method::DELETE, &paths, Some(json!({"socket-address": socket})), PATIENCE).await
    }

    /// Changes the number of shards; answered when every key is where it belongs.
    pub(crate) async fn reshard(&self, shards: u32, patience: Duration) -> Result<Value, ClientError> {
        let paths = ["/key-value-store-shard/reshard", "/shard/reshard"];
        self.call(&Method::PUT, &paths, Some(json!({"shard-count": shards})), patience).await
    }

    /// Whether it speaks HTTP at all, whatever it says.
    pub(crate) async fn answers(&self) -> Result<(), ClientError> {
        let request = self.http.get(format!("{}/key-value-store-view", self.base)).timeout(PATIENCE);
        request.send().await.map(drop).map_err(|error| silent(&error))
    }

    /// Whether it serves its shard; our own image's word for it.
    pub(crate) async fn ready(&self) -> Result<(), ClientError> {
        self.get(&["/readyz"]).await.map(drop)
    }

    /// Slots with data that fewer than two other nodes have, by the metrics of our own image.
    pub(crate) async fn slots_at_risk(&self) -> Result<u64, ClientError> {
        let request = self.http.get(format!("{}/metrics", self.base)).timeout(PATIENCE);
        let response = request.send().await.map_err(|error| silent(&error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| silent(&error))?;
        if !status.is_success() {
            return Err(ClientError::Refused { status: status.as_u16(), message: text });
        }
        let value = |line: &str| line.strip_prefix(SLOTS_AT_RISK)?.trim().parse().ok();
        let told = text.lines().find_map(value);
        told.ok_or_else(|| ClientError::Silent("its metrics do not tell which slots others have".to_owned()))
    }

    async fn get(&self, paths: &[impl AsRef<str>]) -> Result<Value, ClientError> {
        self.call(&Method::GET, paths, None, PATIENCE).await
    }

    /// The first path that is there; generations differ in their paths.
    async fn call(
        &self,
        method: &Method,
        paths: &[impl AsRef<str>],
        body: Option<Value>,
        patience: Duration,
    ) -> Result<Value, ClientError> {
        let mut first = None;
        for path in paths {
            match self.request(method, path.as_ref(), body.as_ref(), patience).await {
                Err(error) if error.status() == Some(404) => {
                    first.get_or_insert(error);
                }
                other => return other,
            }
        }
        Err(first.unwrap_or_else(|| ClientError::Silent("nothing to ask".to_owned())))
    }

    async fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Value, ClientError> {
        let (begin, url) = (SystemTime::now(), format!("{}{path}", self.base));
        let mut request = self.http.request(method.clone(), &url).timeout(patience);
        if let Some(body) = body {
            request = request.json(body);
        }
        let reply = exchange(request).await;
        let exchange = Exchange {
            client: 1,
            request: format!("{method} {url}"),
            body: body.map(Value::to_string).unwrap_or_default(),
            reply: match &reply {
                Ok((status, bytes)) => Ok((status.as_u16(), shortened(bytes, HEARD_CHARS))),
                Err(error) => Err(error.to_string()),
            },
            took: begin.elapsed().unwrap_or_default(),
        };
        self.heard.add(begin, exchange);
        let (status, bytes) = reply?;
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        Err(refused(status, &value, &bytes))
    }
}

async fn exchange(request: RequestBuilder) -> Result<(StatusCode, Bytes), ClientError> {
    let response = request.send().await.map_err(|error| silent(&error))?;
    Ok((response.status(), response.bytes().await.map_err(|error| silent(&error))?))
}

fn shortened(bytes: &[u8], chars: usize) -> String {
    String::from_utf8_lossy(bytes).chars().take(chars).collect()
}

fn refused(status: StatusCode, value: &Value, bytes: &[u8]) -> ClientError {
    // `Error in PUT` says less than the error beside it; other messages say more.
    let word = |field: &str| value[field].as_str().filter(|text| !text.starts_with("Error in "));
    let said: Vec<&str> = ["message", "error"].into_iter().filter_map(word).collect();
    let message = match said.is_empty() {
        true => shortened(bytes, TOLD_CHARS),
        false => said.join(" "),
    };
    ClientError::Refused { status: status.as_u16(), message }
}

fn odd(reply: &Value) -> ClientError {
    let reply: String = reply.to_string().chars().take(200).collect();
    ClientError::Silent(format!("an answer that is not of the contract: {reply}"))
}

/// The innermost cause: `connection refused`, not reqwest's words around it.
fn silent(error: &reqwest::Error) -> ClientError {
    if error.is_timeout() {
        return ClientError::Silent("no answer in time".to_owned());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ClientError::Silent(cause.to_string().to_lowercase())
}
