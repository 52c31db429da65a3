//! What is asked: how an operation becomes a request, and what a reply says.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, header::CONTENT_TYPE, header::HOST};
use serde::{Deserialize, Serialize};

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is read.
    Get,
    /// It is written.
    Put,
    /// It is deleted.
    Delete,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Get, Self::Put, Self::Delete];

    /// Its name in a [`Mix`](crate::Mix).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

/// One thing to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// What is done.
    pub kind: Kind,
    /// The number of the key.
    pub key: u64,
    /// What is written, if anything is.
    pub value: &'a str,
}

/// One client's view of a service.
pub trait Service: Send {
    /// `host:port`, which it connects to.
    fn authority(&self) -> &str;

    /// The request for an operation.
    fn request(&mut self, operation: &Operation<'_>) -> Request<Full<Bytes>>;

    /// Takes from a reply what the next request needs; whether it is what the operation should lead to.
    fn accept(&mut self, kind: Kind, status: u16, body: &[u8]) -> bool;

    /// How large the causal token is by now, where there is any.
    fn token_bytes(&self) -> Option<usize> {
        None
    }
}

/// A client of the store, with its causal token.
#[derive(Clone, Debug)]
pub struct Store {
    authority: String,
    /// What a key's path begins with: `/key-value-store/`, or `/kvs/`.
    prefix: String,
    /// Whether it sends back what the last reply gave it.
    carries: bool,
    token: Option<String>,
}

impl Store {
    /// A client of the node at `authority`; one that does not carry its token asks for no order among its operations.
    #[must_use]
    pub fn new(authority: impl Into<String>, prefix: impl Into<String>, carries: bool) -> Self {
        Self { authority: authority.into(), prefix: prefix.into(), carries, token: None }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(rename = "causal-metadata", skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "causal-metadata", borrow)]
    token: Option<Cow<'a, str>>,
}

impl Service for Store {
    fn authority(&self) -> &str {
        &self.authority
    }

    fn request(&mut self, operation: &Operation<'_>) -> Request<Full<Bytes>> {
        let (method, value) = match operation.kind {
            Kind::Get => (Method::GET, None),
            Kind::Put => (Method::PUT, Some(operation.value)),
            Kind::Delete => (Method::DELETE, None),
        };
        let body = Body { value, token: self.token.as_deref() };
        // Two texts are always JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        // A prefix that is no path is refused by the service.
        *request.uri_mut() = format!("{}key{}", self.prefix, operation.key).parse().unwrap_or_default();
        request.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
        if let Ok(host) = self.authority.parse() {
            request.headers_mut().insert(HOST, host);
        }
        request
    }

    fn accept(&mut self, kind: Kind, status: u16, body: &[u8]) -> bool {
        if self.carries
            && let Ok(Answer { token: Some(token) }) = serde_json::from_slice(body)
        {
            match &mut self.token {
                Some(own) => token.as_ref().clone_into(own),
                None => self.token = Some(token.into_owned()),
            }
        }
        match kind {
            Kind::Put => matches!(status, 200 | 201),
            // Another client may have deleted it.
            Kind::Get | Kind::Delete => matches!(status, 200 | 404),
        }
    }

    fn token_bytes(&self) -> Option<usize> {
        self.token.as_ref().map(String::len)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn sent(store: &mut Store, kind: Kind) -> String {
        let request = store.request(&Operation { kind, key: 7, value: "v" });
        let (parts, body) = request.into_parts();
        let body = body.collect().await.expect("bytes").to_bytes();
        format!("{} {} {}", parts.method, parts.uri, String::from_utf8_lossy(&body))
    }

    #[tokio::test]
    async fn the_token_of_a_reply_is_in_the_next_request() {
        let mut store = Store::new("127.0.0.1:8082", "/key-value-store/", true);
        assert_eq!(sent(&mut store, Kind::Put).await, r#"PUT /key-value-store/key7 {"value":"v"}"#);
        assert!(store.accept(Kind::Put, 201, br#"{"message":"x","causal-metadata":"abc"}"#));
        assert_eq!(store.token_bytes(), Some(3));
        assert_eq!(sent(&mut store, Kind::Get).await, r#"GET /key-value-store/key7 {"causal-metadata":"abc"}"#);
        // An error keeps the old one.
        assert!(!store.accept(Kind::Get, 503, br#"{"error":"x"}"#));
        assert_eq!(sent(&mut store, Kind::Delete).await, r#"DELETE /key-value-store/key7 {"causal-metadata":"abc"}"#);
        let mut independent = Store::new("127.0.0.1:8082", "/kvs/", false);
        assert!(independent.accept(Kind::Get, 404, br#"{"causal-metadata":"abc"}"#));
        assert_eq!(sent(&mut independent, Kind::Get).await, "GET /kvs/key7 {}");
    }
}
