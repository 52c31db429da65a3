//! How a dialler introduces itself, and how it is refused.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONNECTION, HOST, UPGRADE},
};
use blake3::Hash;
use node_core::Address;
use thiserror::Error;

/// Where links are made.
pub(crate) const PATH: &str = "/internal/peer";
/// What the connection becomes.
pub(super) const PROTOCOL: &str = "node-peer";
/// The format of frames and messages; another one is refused.
pub(super) const FORMAT: &str = "2";
const FORMAT_HEADER: HeaderName = HeaderName::from_static("x-peer-format");
const FROM_HEADER: HeaderName = HeaderName::from_static("x-peer-from");
const RUN_HEADER: HeaderName = HeaderName::from_static("x-peer-run");
/// Sent by both sides where there is a secret.
const NONCE_HEADER: HeaderName = HeaderName::from_static("x-peer-nonce");
const PROOF_HEADER: HeaderName = HeaderName::from_static("x-peer-proof");

/// A node, as it introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// Where it listens.
    pub(super) address: Address,
    /// Which start of it this is: random.
    pub(super) run: u64,
}

/// Why there is no link.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    /// Not the protocol at all.
    #[error("not an upgrade to {PROTOCOL}")]
    NotAnUpgrade,
    /// Another version of the store.
    #[error("this node speaks peer format {FORMAT}")]
    Format,
    /// No sender address, or no run.
    #[error("the sender does not say who it is")]
    Anonymous,
    /// Meant for another node.
    #[error("meant for another node than {0}")]
    Misdirected(Address),
    /// A link that takes precedence exists.
    #[error("there is a link already")]
    Duplicate,
    /// A proof is wanted first: this node's own, and its nonce.
    #[error("prove that you know CLUSTER_SECRET")]
    Unproven(Box<HeaderMap>),
    /// The dialler has no secret, or another one.
    #[error("CLUSTER_SECRET differs from that of this node")]
    SecretDiffers,
    /// The dialler has a secret, and this node has none.
    #[error("this node has no CLUSTER_SECRET")]
    SecretUnknown,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotAnUpgrade | Self::Format => StatusCode::UPGRADE_REQUIRED,
            Self::Anonymous => StatusCode::BAD_REQUEST,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Duplicate => StatusCode::CONFLICT,
            Self::Unproven(_) | Self::SecretDiffers | Self::SecretUnknown => StatusCode::UNAUTHORIZED,
        }
    }

    /// What every refusal says of this side's protocol.
    pub(super) fn headers() -> [(HeaderName, HeaderValue); 2] {
        [(UPGRADE, HeaderValue::from_static(PROTOCOL)), (FORMAT_HEADER, HeaderValue::from_static(FORMAT))]
    }
}

impl Hello {
    /// The request that asks `to` for a link.
    pub(super) fn request<B: Default>(self, to: Address) -> Request<B> {
        let mut request = Request::new(B::default());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = axum::http::Uri::from_static(PATH);
        self.introduce(request.headers_mut());
        if let Ok(host) = HeaderValue::from_str(&to.to_string()) {
            request.headers_mut().insert(HOST, host);
        }
        request
    }

    /// The request that asks a node with a secret to prove itself.
    pub(super) fn asking<B: Default>(self, to: Address, nonce: Hash) -> Request<B> {
        let mut request = self.request(to);
        insert_hash(request.headers_mut(), NONCE_HEADER, nonce);
        request
    }

    /// The request that proves this node, and makes the link.
    pub(super) fn proving<B: Default>(self, to: Address, proof: Hash) -> Request<B> {
        let mut request = self.request(to);
        insert_hash(request.headers_mut(), PROOF_HEADER, proof);
        request
    }

    /// What proves this node to a dialler, and asks for the dialler's proof.
    pub(super) fn challenging(self, nonce: Hash, proof: Hash) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.introduce(&mut headers);
        // The connection stays what it is until the dialler's proof.
        headers.remove(CONNECTION);
        insert_hash(&mut headers, NONCE_HEADER, nonce);
        insert_hash(&mut headers, PROOF_HEADER, proof);
        headers
    }

    /// The response that makes the link.
    pub(super) fn response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        self.introduce(response.headers_mut());
        response
    }

    /// Reads a dialler's request at the node `own`.
    pub(super) fn of_request(headers: &HeaderMap, own: Address) -> Result<Self, Refusal> {
        let hello = Self::of_headers(headers)?;
        if parsed(headers, &HOST) != Some(own) {
            return Err(Refusal::Misdirected(own));
        }
        Ok(hello)
    }

    /// Reads how either side introduces itself.
    pub(super) fn of_headers(headers: &HeaderMap) -> Result<Self, Refusal> {
        if text(headers, &UPGRADE) != Some(PROTOCOL) {
            return Err(Refusal::NotAnUpgrade);
        }
        if text(headers, &FORMAT_HEADER) != Some(FORMAT) {
            return Err(Refusal::Format);
        }
        Ok(Self {
            address: parsed(headers, &FROM_HEADER).ok_or(Refusal::Anonymous)?,
            run: parsed(headers, &RUN_HEADER).ok_or(Refusal::Anonymous)?,
        })
    }

    fn introduce(self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.extend(Refusal::headers().map(|(name, value)| (Some(name), value)));
        headers.insert(RUN_HEADER, HeaderValue::from(self.run));
        if let Ok(address) = HeaderValue::from_str(&self.address.to_string()) {
            headers.insert(FROM_HEADER, address);
        }
    }
}

/// The nonce of the other side.
pub(super) fn nonce_of(headers: &HeaderMap) -> Option<Hash> {
    parsed(headers, &NONCE_HEADER)
}

/// The proof of the other side.
pub(super) fn proof_of(headers: &HeaderMap) -> Option<Hash> {
    parsed(headers, &PROOF_HEADER)
}

fn insert_hash(headers: &mut HeaderMap, name: HeaderName, hash: Hash) {
    // Hexadecimal digits are a header's value.
    if let Ok(value) = HeaderValue::from_str(&hash.to_hex()) {
        headers.insert(name, value);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn parsed<T: std::str::FromStr>(headers: &HeaderMap, name: &HeaderName) -> Option<T> {
    text(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{FORMAT_HEADER, FROM_HEADER, Hello, Refusal, UPGRADE};
    use axum::http::HeaderValue;

    fn hello() -> Hello {
        Hello { address: "10.10.0.2:8080".parse().unwrap(), run: u64::MAX }
    }

    #[test]
    fn the_acceptor_reads_what_the_dialler_says() {
        let to = "10.10.0.3:8080".parse().unwrap();
        let request = hello().request::<String>(to);
        assert_eq!(Hello::of_request(request.headers(), to).unwrap(), hello());
        assert_eq!(Hello::of_headers(hello().response::<String>().headers()).unwrap(), hello());
    }

    #[test]
    fn what_is_not_for_this_node_or_this_version_is_refused() {
        let to = "10.10.0.3:8080".parse().unwrap();
        let refusal = |name, value| {
            let mut request = hello().request::<String>(to);
            request.headers_mut().insert(name, HeaderValue::from_static(value));
            Hello::of_request(request.headers(), to).unwrap_err()
        };
        assert!(matches!(refusal(UPGRADE, "websocket"), Refusal::NotAnUpgrade));
        assert!(matches!(refusal(FORMAT_HEADER, "1"), Refusal::Format));
        assert!(matches!(refusal(FROM_HEADER, "node2:8080"), Refusal::Anonymous));
        assert!(matches!(refusal(super::HOST, "10.10.0.4:8080"), Refusal::Misdirected(_)));
    }
}
