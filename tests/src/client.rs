//! A client of the store: asks any node, in any dialect, and carries its token from reply to request.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{Dialect, Failure, Reply};

/// Longer than any answer may take: a reshard has 60 s.
const TIMEOUT: Duration = Duration::from_secs(70);

/// One person with one token. A clone is the same client with a copy of the token, as when a token is handed on.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    dialect: Dialect,
    token: Option<Value>,
}

impl Client {
    /// A client without a past. It connects anew for each request, as the class's scripts do: a kept connection to a node
    /// that is killed and started again could be found dead only by using it.
    ///
    /// # Panics
    /// When the system has no source of randomness, without which no HTTP client can be made.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("the options are valid");
        Self { http, dialect, token: None }
    }

    /// A client without a past that keeps its connections, for load on nodes that nobody kills.
    #[must_use]
    pub fn keeping_connections(dialect: Dialect) -> Self {
        Self { http: reqwest::Client::new(), dialect, token: None }
    }

    /// The same connections, without a past.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same connections, with the token of another.
    #[must_use]
    pub fn with_token(&self, token: impl Into<Value>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// How it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The token as it came, if one has come.
    #[must_use]
    pub fn token(&self) -> Option<&Value> {
        self.token.as_ref()
    }

    /// Reads a key; takes the reply's token.
    ///
    /// # Errors
    /// [`Failure`] when no HTTP reply comes; so for all that follow.
    pub async fn get(&mut self, url: &str, key: &str) -> Result<Reply, Failure> {
        let body = self.token.as_ref().map(|_| self.body(None));
        self.operate(Method::GET, url, key, body).await
    }

    /// Writes a key; takes the reply's token.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn put(&mut self, url: &str, key: &str, value: impl Into<Value>) -> Result<Reply, Failure> {
        let body = Some(self.body(Some(value.into())));
        self.operate(Method::PUT, url, key, body).await
    }

    /// Deletes a key; takes the reply's token.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn delete(&mut self, url: &str, key: &str) -> Result<Reply, Failure> {
        let body = Some(self.body(None));
        self.operate(Method::DELETE, url, key, body).await
    }

    async fn operate(&mut self, method: Method, url: &str, key: &str, body: Option<Value>) -> Result<Reply, Failure> {
        let path = self.dialect.key_path(key);
        let reply = self.send(method, url, &path, body).await?;
        if let Some(token) = reply.json.get("causal-metadata") {
            self.token = Some(token.clone());
        }
        Ok(reply)
    }

    fn body(&self, value: Option<Value>) -> Value {
        let token = self.token.clone().unwrap_or_else(|| json!(""));
        let mut body = Map::from_iter([("causal-metadata".to_owned(), token)]);
        body.extend(value.map(|value| ("value".to_owned(), value)));
        body.into()
    }

    /// Reads the view.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn view(&self, url: &str) -> Result<Reply, Failure> {
        self.send(Method::GET, url, self.dialect.view_path(), None).await
    }

    /// Adds a node to the view.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn put_view(&self, url: &str, address: &str) -> Result<Reply, Failure> {
        let body = json!({ "socket-address": address });
        self.send(Method::PUT, url, self.dialect.view_path(), Some(body)).await
    }

    /// Takes a node out of the view.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn delete_view(&self, url: &str, address: &str) -> Result<Reply, Failure> {
        let body = json!({ "socket-address": address });
        self.send(Method::DELETE, url, self.dialect.view_path(), Some(body)).await
    }

    /// Reads `ids`, `node-shard-id`, `members/<id>` or `key-count/<id>`, named as in fall 2021 whatever the dialect.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn shard(&self, url: &str, operation: &str) -> Result<Reply, Failure> {
        let path = self.dialect.shard_path(operation);
        self.send(Method::GET, url, &path, None).await
    }

    /// Makes a node a member of a shard.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn add_member(&self, url: &str, shard: &str, address: &str) -> Result<Reply, Failure> {
        let path = self.dialect.shard_path(&format!("add-member/{shard}"));
        let body = json!({ "socket-address": address });
        self.send(Method::PUT, url, &path, Some(body)).await
    }

    /// Distributes the keys over `shard_count` shards.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn reshard(&self, url: &str, shard_count: impl Into<Value>) -> Result<Reply, Failure> {
        let path = self.dialect.shard_path("reshard");
        let body = json!({ "shard-count": shard_count.into() });
        self.send(Method::PUT, url, &path, Some(body)).await
    }

    /// Any request with a JSON body or none.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn send(&self, method: Method, url: &str, path: &str, body: Option<Value>) -> Result<Reply, Failure> {
        let request = self.http.request(method, format!("{url}{path}"));
        let Some(body) = body else {
            return exchange(request, String::new()).await;
        };
        let request = request.header("content-type", "application/json");
        exchange(request, body.to_string()).await
    }

    /// Any request with any bytes as its body, and no `Content-Type`.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn send_text(&self, method: Method, url: &str, path: &str, body: &str) -> Result<Reply, Failure> {
        let request = self.http.request(method, format!("{url}{path}"));
        exchange(request, body.to_owned()).await
    }
}

/// How much of a request's body is worth showing.
const BODY_SHOWN_CHARS: usize = 600;

async fn exchange(request: reqwest::RequestBuilder, body: String) -> Result<Reply, Failure> {
    let shown: String = body.chars().take(BODY_SHOWN_CHARS).collect();
    let request = if body.is_empty() { request } else { request.body(body) };
    let (http, request) = request.timeout(TIMEOUT).build_split();
    let request = request.map_err(|error| Failure::new("a valid request").with(error))?;
    let request_line = format!("{} {} {shown}", request.method(), request.url());
    let no_reply = |error: reqwest::Error| {
        Failure::new("an HTTP reply").with(format!("request: {request_line}")).with(format!("error:   {error:?}"))
    };
    let start = Instant::now();
    let response = http.execute(request).await.map_err(no_reply)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.map_err(no_reply)?;
    Ok(Reply {
        elapsed: start.elapsed(),
        json: serde_json::from_str(&text).unwrap_or(Value::Null),
        request: request_line.clone(),
        status,
        headers,
        text,
    })
}
