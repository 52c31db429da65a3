//! One client of the load: its token, and the number by which the history knows it. What it asks is written down.

use std::{sync::Arc, time::Duration};

use crate::{
    Client, Failure, Reply,
    history::{Event, Kind, Operation},
    journal::Journal,
};

/// An answer that takes longer is none.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A client with its token. A clone is another with the same.
#[derive(Clone)]
pub(super) struct Session {
    /// In the history.
    number: u32,
    client: Client,
    /// The number of the token that the client carries.
    token: Option<u64>,
    journal: Arc<Journal>,
}

impl Session {
    /// The client of this number, without a past.
    pub(super) fn new(number: u32, client: Client, journal: &Arc<Journal>) -> Self {
        Self { number, client, token: None, journal: Arc::clone(journal) }
    }

    pub(super) async fn get(&mut self, url: &str, key: &str, last: bool) -> Result<Reply, Failure> {
        let operation = Operation { last, ..self.sent(Kind::Get, url, key) };
        let reply = answer(self.client.get(url, key)).await;
        self.record(operation, reply)
    }

    /// `value` must be one that nobody has written.
    pub(super) async fn put(&mut self, url: &str, key: &str, value: &str) -> Result<Reply, Failure> {
        let operation = Operation { value: Some(value.to_owned()), ..self.sent(Kind::Put, url, key) };
        let reply = answer(self.client.put(url, key, value)).await;
        self.record(operation, reply)
    }

    pub(super) async fn delete(&mut self, url: &str, key: &str) -> Result<Reply, Failure> {
        let operation = self.sent(Kind::Delete, url, key);
        let reply = answer(self.client.delete(url, key)).await;
        self.record(operation, reply)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    fn sent(&self, kind: Kind, url: &str, key: &str) -> Operation {
        let now_us = self.journal.now_us();
        Operation {
            client: self.number,
            node: url.to_owned(),
            kind,
            key: key.to_owned(),
            value: None,
            token_in: self.token,
            token_out: None,
            status: None,
            start_us: now_us,
            end_us: now_us,
            durable: None,
            last: false,
        }
    }

    fn record(&mut self, mut operation: Operation, reply: Result<Reply, Failure>) -> Result<Reply, Failure> {
        if let Ok(reply) = &reply {
            operation.status = Some(reply.status);
            if operation.kind == Kind::Get && reply.status == 200 {
                operation.value = Some(reply.text("value")?.to_owned());
            }
            // The client carries whatever token has come.
            if reply.json.get("causal-metadata").is_some() {
                self.token = Some(self.journal.number_token());
                operation.token_out = self.token;
            }
        }
        // What nobody has seen did not happen.
        if !reply.as_ref().is_err_and(Failure::is_unsent) {
            self.journal.add(|end_us| Event::Operation(Operation { end_us, ..operation }));
        }
        reply
    }
}

async fn answer(reply: impl Future<Output = Result<Reply, Failure>>) -> Result<Reply, Failure> {
    let reply = tokio::time::timeout(ANSWER_LIMIT, reply).await;
    reply.unwrap_or_else(|_| Err(Failure::new(format!("an answer within {ANSWER_LIMIT:?}"))))
}
