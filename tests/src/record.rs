//! What was asked, answered and done in one test, in order: the evidence when it fails.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Older entries make room for newer ones; a failure is told by the end.
const ENTRIES_KEPT: usize = 20_000;
/// How much of a body is kept: a value of the size limit is not worth its megabyte.
const BODY_KEPT_BYTES: usize = 4096;

/// A list that the test, its clients and its faults write to. A clone is the same list.
#[derive(Clone, Debug)]
pub struct Record {
    start: Instant,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<Entry>,
    clients: usize,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Since the test began.
    pub at: Duration,
    /// What.
    pub event: Event,
}

/// What can happen in a test.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step of the test, in prose.
    Step(String),
    /// Something done to the cluster.
    Fault(String),
    /// A request and what came of it.
    Exchange(Exchange),
}

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Which of the test's clients asked, counted from 1.
    pub client: usize,
    /// Method and URL.
    pub request: String,
    /// The request's body; empty when it had none.
    pub body: String,
    /// Status and body of the reply, or why there is none.
    pub reply: Result<(u16, String), String>,
    /// From sending to the last byte.
    pub took: Duration,
}

impl Default for Record {
    fn default() -> Self {
        Self { start: Instant::now(), inner: Arc::default() }
    }
}

impl Record {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of one more client.
    pub(crate) fn enrol(&self) -> usize {
        let mut inner = self.inner();
        inner.clients += 1;
        inner.clients
    }

    pub(crate) fn add(&self, event: Event) {
        let entry = Entry { at: self.start.elapsed(), event };
        let mut inner = self.inner();
        if inner.entries.len() == ENTRIES_KEPT {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
    }

    /// All that is kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.inner().entries.iter().cloned().collect()
    }

    /// The step that the test is at.
    #[must_use]
    pub fn last_step(&self) -> Option<String> {
        self.inner().entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Step(text) => Some(text.clone()),
            Event::Fault(_) | Event::Exchange(_) => None,
        })
    }
}

/// As much of a body as is kept.
pub(crate) fn kept(body: &str) -> String {
    if body.len() <= BODY_KEPT_BYTES {
        return body.to_owned();
    }
    let end = (0..=BODY_KEPT_BYTES).rev().find(|end| body.is_char_boundary(*end)).unwrap_or_default();
    format!("{}… ({} bytes)", &body[..end], body.len())
}

impl Entry {
    /// One object for a line of JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let at_ms = self.at.as_millis() as u64;
        match &self.event {
            Event::Step(text) => json!({"at_ms": at_ms, "step": text}),
            Event::Fault(text) => json!({"at_ms": at_ms, "fault": text}),
            Event::Exchange(Exchange { client, request, body, reply, took }) => {
                let mut object = json!({
                    "at_ms": at_ms, "client": client, "request": request, "body": body, "took_ms": took.as_millis() as u64,
                });
                match reply {
                    Ok((status, text)) => {
                        object["status"] = json!(status);
                        object["reply"] = json!(text);
                    }
                    Err(error) => object["error"] = json!(error),
                }
                object
            }
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.3}s  ", self.at.as_secs_f64())?;
        match &self.event {
            Event::Step(text) => write!(f, "{text}"),
            Event::Fault(text) => write!(f, "! {text}"),
            Event::Exchange(Exchange { client, request, body, reply, took }) => {
                let space = if body.is_empty() { "" } else { " " };
                write!(f, "client {client}: {request}{space}{body} → ")?;
                match reply {
                    Ok((status, text)) => write!(f, "{status} {text} ({} ms)", took.as_millis()),
                    Err(error) => write!(f, "no reply: {error} ({} ms)", took.as_millis()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let kept = kept(&"ü".repeat(BODY_KEPT_BYTES));
        assert!(kept.starts_with('ü') && kept.ends_with("ü… (8192 bytes)"), "{kept}");
    }

    #[test]
    fn the_newest_entries_are_kept() {
        let record = Record::default();
        for number in 0..=ENTRIES_KEPT {
            record.add(Event::Step(number.to_string()));
        }
        assert_eq!(record.entries().len(), ENTRIES_KEPT);
        assert_eq!(record.last_step(), Some(ENTRIES_KEPT.to_string()));
    }
}
