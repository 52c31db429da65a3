//! Requests that were not answered as they should be, and what came instead.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Older ones make room: when everything fails, it fails alike.
const KEPT: usize = 100;
/// Of a body: a large value tells no more than its beginning.
const BODY_KEPT_BYTES: usize = 4096;

/// A request, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// When it was asked, since the load began.
    pub at: Duration,
    /// Which client asked, counted from 1.
    pub client: usize,
    /// Method and URL.
    pub request: String,
    /// The request's body.
    pub body: String,
    /// Status and body of the reply, or why there is none.
    pub reply: Result<(u16, String), String>,
    /// From asking until that was known.
    pub took: Duration,
}

impl Exchange {
    /// In a word or three, by which failures are counted.
    pub(crate) fn error(&self) -> String {
        match &self.reply {
            Ok((status, _)) => format!("HTTP {status}"),
            Err(error) => error.clone(),
        }
    }
}

/// As much of a body as is kept.
pub(crate) fn text(body: &[u8]) -> String {
    match body.get(..BODY_KEPT_BYTES) {
        Some(begin) => format!("{}… ({} bytes)", String::from_utf8_lossy(begin), body.len()),
        None => String::from_utf8_lossy(body).into_owned(),
    }
}

/// The last of all clients.
#[derive(Default)]
pub(crate) struct Exchanges(Mutex<VecDeque<Exchange>>);

impl Exchanges {
    pub(crate) fn add(&self, exchange: Exchange) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(exchange);
    }

    /// In the order in which they ended.
    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_kept_and_of_a_body_the_beginning() {
        let exchanges = Exchanges::default();
        for client in 1..=KEPT + 2 {
            let reply = Ok((503, text(&[b'x'; 5000])));
            let (request, body) = ("GET http://127.0.0.1:8082/kvs/key7".to_owned(), text(b"{}"));
            exchanges.add(Exchange { at: Duration::ZERO, client, request, body, reply, took: Duration::ZERO });
        }
        let kept = exchanges.all();
        assert_eq!((kept.len(), kept[0].client, kept[0].body.as_str()), (KEPT, 3, "{}"));
        assert_eq!(kept[0].error(), "HTTP 503");
        assert!(kept[0].reply.as_ref().is_ok_and(|(_, body)| body.ends_with("x… (5000 bytes)") && body.len() < 4200));
    }
}
