//! A client of the store: asks any node, in any dialect, and carries its token from reply to request.

use std::time::{Duration, Instant};

use reqwest::{Method, Request, RequestBuilder, header::HeaderMap};
use serde_json::{Map, Value, json};

use crate::{
    Dialect, Failure, Reply,
    record::{Event, Exchange, Record, kept},
};

/// Longer than any answer may take but those that move data.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Longer than a connection takes whose first packet is lost. An address that nobody has any more says nothing at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Longer than an answer may take that comes when the data is where it belongs: a reshard has 60 s.
const MOVE_LIMIT: Duration = Duration::from_secs(65);

/// No reply of the contract is as long: a value has at most one megabyte.
const REPLY_LIMIT_BYTES: usize = 4 << 20;

/// One person with one token. A clone is the same client with a copy of the token, as when a token is handed on.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    dialect: Dialect,
    token: Option<Value>,
    record: Record,
    /// In the record.
    number: usize,
}

impl Client {
    /// A client without a past, whose requests go on `record`. It connects anew for each request, as the class's scripts
    /// do: a kept connection to a node that is killed and started again could be found dead only by using it.
    ///
    /// # Panics
    /// When the system has no source of randomness, without which no HTTP client can be made.
    #[must_use]
    pub fn new(dialect: Dialect, record: &Record) -> Self {
        let http = builder().pool_max_idle_per_host(0).build();
        Self {
            http: http.expect("the options are valid"),
            dialect,
            token: None,
            record: record.clone(),
            number: record.enrol(),
        }
    }

    /// A client without a past that keeps its connections, for load on nodes that nobody kills.
    ///
    /// # Panics
    /// See [`new`](Self::new).
    #[must_use]
    pub fn keeping_connections(dialect: Dialect, record: &Record) -> Self {
        let http = builder().build().expect("the options are valid");
        Self { http, ..Self::new(dialect, record) }
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
        self.exchange(Method::PUT, url, &path, Some(body.to_string()), MOVE_LIMIT).await
    }

    /// Distributes the keys over `shard_count` shards.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn reshard(&self, url: &str, shard_count: impl Into<Value>) -> Result<Reply, Failure> {
        let path = self.dialect.shard_path("reshard");
        let body = json!({ "shard-count": shard_count.into() });
        self.exchange(Method::PUT, url, &path, Some(body.to_string()), MOVE_LIMIT).await
    }

    /// Any request with a JSON body or none.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn send(&self, method: Method, url: &str, path: &str, body: Option<Value>) -> Result<Reply, Failure> {
        self.exchange(method, url, path, body.map(|body| body.to_string()), ANSWER_LIMIT).await
    }

    /// Any request with any bytes as its body, and no `Content-Type`.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn send_text(&self, method: Method, url: &str, path: &str, body: &str) -> Result<Reply, Failure> {
        let request = self.http.request(method, format!("{url}{path}")).body(body.to_owned());
        self.recorded(request, body, ANSWER_LIMIT).await
    }

    /// Any request with any bytes as its body, which it says are JSON.
    ///
    /// # Errors
    /// See [`get`](Self::get).
    pub async fn send_as_json(&self, method: Method, url: &str, path: &str, body: &str) -> Result<Reply, Failure> {
        self.exchange(method, url, path, Some(body.to_owned()), ANSWER_LIMIT).await
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        path: &str,
        body: Option<String>,
        limit: Duration,
    ) -> Result<Reply, Failure> {
        let request = self.http.request(method, format!("{url}{path}"));
        match body {
            None => self.recorded(request, "", limit).await,
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.clone());
                self.recorded(request, &body, limit).await
            }
        }
    }

    async fn recorded(&self, request: RequestBuilder, body: &str, limit: Duration) -> Result<Reply, Failure> {
        let (http, request) = request.timeout(limit).build_split();
        let request = request.map_err(|error| Failure::new("a valid request").with(error))?;
        let line = format!("{} {}", request.method(), request.url());
        let body = kept(body);
        let start = Instant::now();
        let received = receive(&http, request).await;
        let took = start.elapsed();
        let reply = match &received {
            Ok((status, _, text)) => Ok((*status, kept(text))),
            Err(unanswered) => Err(unanswered.why.clone()),
        };
        let exchange = Exchange { client: self.number, request: line.clone(), body: body.clone(), reply, took };
        self.record.add(Event::Exchange(exchange));
        let request = format!("{line} {body}");
        match received {
            Ok((status, headers, text)) => {
                let json = serde_json::from_str(&text).unwrap_or(Value::Null);
                Ok(Reply { request, status, headers, text, json, elapsed: took })
            }
            Err(Unanswered { why, unsent }) => {
                let failure = Failure::new("an HTTP reply")
                    .with(format!("request: {request}"))
                    .with(format!("error:   {why} (after {} ms)", took.as_millis()));
                Err(if unsent { failure.unsent() } else { failure })
            }
        }
    }
}

/// What all clients have in common: the reply that is judged is the node's own, not a proxy's, nor that of another node to
/// which it points.
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT_LIMIT)
}

/// Why there is no reply, and whether the node has seen nothing of the request.
struct Unanswered {
    why: String,
    unsent: bool,
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        Self { why: causes(&error), unsent: error.is_connect() }
    }
}

async fn receive(http: &reqwest::Client, request: Request) -> Result<(u16, HeaderMap, String), Unanswered> {
    let mut response = http.execute(request).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > REPLY_LIMIT_BYTES {
            let why = format!("status {status}, and a body of more than {REPLY_LIMIT_BYTES} bytes");
            return Err(Unanswered { why, unsent: false });
        }
    }
    Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
}

/// The error with what caused it, which is where reqwest says what happened.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
