//! One client: a token, and operations that carry it and take the reply's.
//!
//! What gets no answer keeps the token that it carried. No answer is an outcome here, never an error.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::keys::{lengthen, shorten};
use crate::{
    Client, Failure, Node, Reply,
    history::{Event, Kind, Operation},
    journal::Journal,
};

/// Longer than a patient store waits for what a token names before it says 503; whoever waits longer has no answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);

/// On how many disks a write is, where a store says it.
const REPLICAS_DURABLE: &str = "x-replicas-durable";

/// What a reply brought, and its number.
#[derive(Clone, Debug)]
struct Token {
    text: Value,
    number: u64,
}

/// A client with its token. A clone is another with the same.
#[derive(Clone)]
pub(super) struct Session {
    /// In the history.
    number: u32,
    client: Client,
    token: Option<Token>,
    journal: Arc<Journal>,
}

impl Session {
    /// The client of this number, without a past.
    pub(super) fn new(number: u32, client: Client, journal: &Arc<Journal>) -> Self {
        Self { number, client, token: None, journal: Arc::clone(journal) }
    }

    /// Forgets its past.
    pub(super) fn forget(&mut self) {
        self.token = None;
    }

    /// Goes on with the past of another in place of its own.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.token.clone_from(&other.token);
    }

    pub(super) async fn get(&mut self, node: &Node, key: &str) -> Operation {
        let mut client = self.carrier();
        self.record(Kind::Get, node, key, None, false, client.get(&node.url, key)).await
    }

    /// Reads when all is said and done, as a stranger.
    pub(super) async fn get_last(&mut self, node: &Node, key: &str) -> Operation {
        self.forget();
        let mut client = self.carrier();
        self.record(Kind::Get, node, key, None, true, client.get(&node.url, key)).await
    }

    /// `value` must be one that nobody has written.
    pub(super) async fn put(&mut self, node: &Node, key: &str, value: String) -> Operation {
        let mut client = self.carrier();
        let reply = client.put(&node.url, key, lengthen(key, &value));
        self.record(Kind::Put, node, key, Some(value.clone()), false, reply).await
    }

    pub(super) async fn delete(&mut self, node: &Node, key: &str) -> Operation {
        let mut client = self.carrier();
        self.record(Kind::Delete, node, key, None, false, client.delete(&node.url, key)).await
    }

    /// Counts the keys of a shard when all is said and done.
    pub(super) async fn count_last(&mut self, node: &Node, shard: &str) -> Operation {
        self.forget();
        let (client, path) = (self.carrier(), format!("key-count/{shard}"));
        self.record(Kind::Count, node, shard, None, true, client.shard(&node.url, &path)).await
    }

    fn carrier(&self) -> Client {
        match &self.token {
            Some(token) => self.client.with_token(token.text.clone()),
            None => self.client.without_token(),
        }
    }

    async fn record(
        &mut self,
        kind: Kind,
        node: &Node,
        key: &str,
        written: Option<String>,
        last: bool,
        reply: impl Future<Output = Result<Reply, Failure>>,
    ) -> Operation {
        let start_us = self.journal.now_us();
        let reply = tokio::time::timeout(ANSWER_LIMIT, reply).await.ok().and_then(Result::ok);
        let mut operation = Operation {
            client: self.number,
            node: node.name.clone(),
            kind,
            key: key.to_owned(),
            value: written,
            token_in: self.token.as_ref().map(|token| token.number),
            token_out: None,
            status: reply.as_ref().map(|reply| reply.status),
            start_us,
            end_us: start_us,
            durable: None,
            last,
        };
        if let Some(reply) = reply.filter(|_| operation.is_answered()) {
            operation.durable = reply.header(REPLICAS_DURABLE).ok().and_then(|count| count.parse().ok());
            operation.value = operation.value.or_else(|| self.seen(kind, &reply));
            if let Some(token) = reply.json.get("causal-metadata") {
                let token = Token { text: token.clone(), number: self.journal.number_token() };
                operation.token_out = Some(token.number);
                self.token = Some(token);
            }
        }
        self.journal.add(|end_us| {
            operation.end_us = end_us;
            Event::Operation(operation.clone())
        });
        operation
    }

    /// What a read or a count was answered.
    fn seen(&self, kind: Kind, reply: &Reply) -> Option<String> {
        let field = match kind {
            Kind::Get => "value",
            Kind::Count => self.client.dialect().key_count_field(),
            Kind::Put | Kind::Delete => return None,
        };
        reply
            .json
            .get(field)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), |text| shorten(text).to_owned()))
    }
}
