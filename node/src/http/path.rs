//! Keys and shard ids, as they stand in a path.

use std::borrow::Cow;

use axum::http::Uri;
use node_core::ShardId;
use percent_encoding::percent_decode_str;

use super::error::ApiError;

/// The path without one trailing slash, where it has one.
pub(super) fn without_trailing_slash(path: &str) -> Option<&str> {
    path.strip_suffix('/').filter(|rest| !rest.is_empty())
}

/// The percent-decoded text of the key in `/<prefix>/<key>`; empty where there is none.
pub(super) fn key(uri: &Uri) -> Result<Cow<'_, str>, ApiError> {
    let encoded = uri.path()[1..].split_once('/').map_or("", |(_, key)| key);
    if let Some(position) = malformed_escape(encoded) {
        return Err(ApiError::Malformed(format!(
            "Key is not percent-encoded: no two hexadecimal digits follow the % at its byte {position}"
        )));
    }
    percent_decode_str(encoded).decode_utf8().map_err(|error| {
        ApiError::Malformed(format!("Key is not UTF-8 after percent-decoding, from its byte {}", error.valid_up_to()))
    })
}

/// The shard at the end of the path. Only its own spelling names it: clients compare ids as strings.
pub(super) fn shard(uri: &Uri) -> Result<ShardId, ApiError> {
    let text = uri.path().rsplit('/').next().unwrap_or_default();
    text.parse().ok().map(ShardId).filter(|shard| shard.to_string() == text).ok_or(ApiError::NoSuchShard)
}

/// The position of the first `%` that two hexadecimal digits do not follow.
fn malformed_escape(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    escapes.map(|(position, _)| position).find(|position| {
        let digits = bytes.get(position + 1..position + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::{key, shard, without_trailing_slash};
    use crate::http::error::ApiError;
    use node_core::ShardId;

    fn decoded(path: &'static str) -> Result<String, ApiError> {
        key(&path.parse().unwrap()).map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn keys_are_percent_decoded() {
        assert_eq!(decoded("/kvs/a%2Fb%20c").unwrap(), "a/b c");
        assert_eq!(decoded("/key-value-store/%F0%9F%A6%80%C3%A9").unwrap(), "🦀é");
        assert_eq!(decoded("/kvs/a+b").unwrap(), "a+b");
        assert_eq!(decoded("/kvs/100%25").unwrap(), "100%");
        assert_eq!(decoded("/kvs").unwrap(), "");
    }

    #[test]
    fn what_does_not_decode_is_named() {
        for path in ["/kvs/%", "/kvs/%4", "/kvs/%zz", "/kvs/a%2", "/kvs/%25%"] {
            let ApiError::Malformed(reason) = decoded(path).unwrap_err() else {
                panic!("{path}");
            };
            assert!(reason.starts_with("Key is not percent-encoded"), "{reason}");
        }
        let ApiError::Malformed(reason) = decoded("/kvs/ab%FF").unwrap_err() else {
            panic!();
        };
        assert_eq!(reason, "Key is not UTF-8 after percent-decoding, from its byte 2");
    }

    #[test]
    fn a_shard_has_one_spelling() {
        let read = |path: &'static str| shard(&path.parse().unwrap());
        assert_eq!(read("/shard/members/12"), Ok(ShardId(12)));
        for path in ["/shard/members/012", "/shard/members/+1", "/shard/members/x", "/shard/members/99999999999"] {
            assert_eq!(read(path), Err(ApiError::NoSuchShard));
        }
    }

    #[test]
    fn one_trailing_slash_is_dropped() {
        assert_eq!(without_trailing_slash("/kvs/a/"), Some("/kvs/a"));
        assert_eq!(without_trailing_slash("/kvs/a"), None);
        assert_eq!(without_trailing_slash("/"), None);
    }
}
