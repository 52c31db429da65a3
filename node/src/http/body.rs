//! Request bodies: read within the limit, and parsed once.

use std::{fmt::Display, ops::Deref, sync::Arc, time::Duration};

use axum::http::{
    Request,
    header::{CONTENT_LENGTH, EXPECT, HeaderName},
};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use node_core::{Address, Request as StoreRequest, Token};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{api::Api, error::ApiError};

/// Bodies of all requests together; with more, a request is refused.
const BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A body that takes longer than this is given up.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// A body that is refused is read up to here and thrown away: a client that is still sending would miss the answer.
const DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The same, in time.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// The body of a key-value request, or of any other; unknown fields are ignored.
#[derive(Default, Deserialize)]
pub(super) struct Fields<'a> {
    /// The text of any JSON value, null included.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) value: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "causal-metadata")]
    causal_metadata: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "socket-address", deserialize_with = "present")]
    socket_address: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "shard-count", deserialize_with = "present")]
    shard_count: Option<&'a RawValue>,
}

/// Keeps a null apart from an absent field.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What the bodies that are read or being answered may hold together, at one node.
pub(super) struct Budget {
    /// One permit a byte.
    bytes: Arc<Semaphore>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { bytes: Arc::new(Semaphore::new(BODIES_BYTES_MAX)) }
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let permits = u32::try_from(bytes).ok().and_then(|bytes| self.bytes.clone().try_acquire_many_owned(bytes).ok());
        permits.ok_or_else(|| ApiError::Unavailable("too much is being sent to this node".to_owned()))
    }
}

/// A body that was read, and its part of the budget until it is dropped.
pub(super) struct Received {
    bytes: Bytes,
    held: OwnedSemaphorePermit,
}

impl Received {
    /// Frees the body. What was made of it takes its part of the budget, and more where it is larger, until this is dropped.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when other requests hold too much.
    pub(super) fn give_way_to(self, made: &StoreRequest, budget: &Budget) -> Result<OwnedSemaphorePermit, ApiError> {
        let Self { bytes, mut held } = self;
        held.merge(budget.take(made.memory_bytes().saturating_sub(bytes.len()))?);
        Ok(held)
    }
}

impl Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads the body of a request.
///
/// # Errors
/// [`ApiError::BodyTooLarge`], [`ApiError::Malformed`] when it ends early or does not come, [`ApiError::Unavailable`] when
/// other requests hold too much.
pub(super) async fn read<B>(request: Request<B>, api: &Api) -> Result<Received, ApiError>
where
    B: Body<Data = Bytes, Error: Display> + Unpin + Send,
{
    let limit = api.body_limit_bytes;
    let announced: Option<u64> = header(&request, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let asks_first = header(&request, &EXPECT).is_some();
    let mut body = request.into_body();
    if announced.is_some_and(|length| length > limit as u64) {
        if !asks_first {
            Box::pin(drain(body)).await;
        }
        return Err(ApiError::BodyTooLarge { limit });
    }
    // Most come with their head, and need neither a timer nor the memory to wait.
    let first = match body.frame().now_or_never() {
        Some(None) => return Ok(Received { bytes: Bytes::new(), held: api.bodies.take(0)? }),
        Some(Some(Ok(frame))) if body.is_end_stream() && frame.data_ref().is_some_and(|data| data.len() <= limit) => {
            let bytes = frame.into_data().unwrap_or_default();
            return Ok(Received { held: api.bodies.take(bytes.len())?, bytes });
        }
        first => first.flatten(),
    };
    let late = |_| ApiError::Malformed(format!("The request body did not arrive within {} s", BODY_TIME_MAX.as_secs()));
    Box::pin(timeout(BODY_TIME_MAX, read_on(first, body, limit, &api.bodies))).await.map_err(late)?
}

/// Reads a body to its end, of which the first frame may have come.
async fn read_on<B>(
    first: Option<Result<Frame<Bytes>, B::Error>>,
    mut body: B,
    limit: usize,
    budget: &Budget,
) -> Result<Received, ApiError>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let mut held = budget.take(0)?;
    let mut bytes = BytesMut::new();
    let mut next = match first {
        None => body.frame().await,
        first => first,
    };
    while let Some(frame) = next {
        let frame = frame.map_err(|error| ApiError::Malformed(format!("The request body cannot be read: {error}")))?;
        if let Ok(data) = frame.into_data() {
            let fits = bytes.len() + data.len() <= limit;
            match if fits { budget.take(data.len()) } else { Err(ApiError::BodyTooLarge { limit }) } {
                Ok(share) => held.merge(share),
                Err(refusal) => {
                    drop((bytes, held));
                    drain(body).await;
                    return Err(refusal);
                }
            }
            bytes.extend_from_slice(&data);
        }
        next = body.frame().await;
    }
    Ok(Received { bytes: bytes.freeze(), held })
}

fn header<'a, B>(request: &'a Request<B>, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let drained = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > DRAIN_BYTES_MAX {
                break;
            }
        }
    };
    // Whether it ended or not, the client is answered now.
    let _ = timeout(DRAIN_TIME_MAX, drained).await;
}

impl<'a> Fields<'a> {
    /// Parses a body; an empty one has no fields.
    ///
    /// # Errors
    /// [`ApiError::Malformed`] with line and column.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let text = body.trim_ascii_start();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let malformed =
            |error: &serde_json::Error| ApiError::Malformed(format!("The request body is not JSON: {error}"));
        if text.starts_with(b"{") {
            return serde_json::from_slice(body).map_err(|error| malformed(&error));
        }
        // Tells text that is no JSON from JSON that is no object; a derived struct would take an array.
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|error| malformed(&error))?;
        Err(ApiError::Malformed("The request body is not a JSON object".to_owned()))
    }

    /// What the client has observed: `causal-metadata`, which may be absent, null, empty, or a token.
    pub(super) fn token(&self, api: &Api) -> Result<Token, ApiError> {
        let Some(raw) = self.causal_metadata else {
            return Ok(Token::default());
        };
        let text: String = serde_json::from_str(raw.get())
            .map_err(|_| ApiError::Malformed("causal-metadata is not a string".to_owned()))?;
        // Some clients send the JSON that they got, as text.
        let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let token = unquoted.unwrap_or(&text);
        Token::decode(token, &api.token_key).map_err(|error| ApiError::Malformed(format!("causal-metadata is {error}")))
    }

    /// `socket-address`, which must be `ip:port`.
    pub(super) fn socket_address(&self) -> Result<Address, ApiError> {
        let raw = self.socket_address.ok_or_else(|| ApiError::Malformed("socket-address is missing".to_owned()))?;
        let text: Option<String> = serde_json::from_str(raw.get()).ok();
        text.and_then(|text| text.trim().parse().ok())
            .filter(|address: &Address| address.port() > 0)
            .ok_or_else(|| ApiError::Malformed(format!("socket-address is not an \"ip:port\": {}", excerpt(raw))))
    }

    /// `shard-count`, which must be a positive integer. One beyond any number of nodes is as good as the largest.
    pub(super) fn shard_count(&self) -> Result<u32, ApiError> {
        let raw = self.shard_count.ok_or_else(|| ApiError::Malformed("shard-count is missing".to_owned()))?;
        let text = raw.get();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(count) if count > 0 => Ok(count),
            Err(_) if digits => Ok(u32::MAX),
            _ => Err(ApiError::Malformed(format!("shard-count is not a positive integer: {}", excerpt(raw)))),
        }
    }
}

/// The beginning of a value, for an error message.
fn excerpt(raw: &RawValue) -> String {
    const CHARACTERS: usize = 40;
    let mut text: String = raw.get().chars().take(CHARACTERS).collect();
    if text.len() < raw.get().len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
