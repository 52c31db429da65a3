//! A reply together with the request it answers: whatever is asserted about it, both are shown.

use std::{fmt, time::Duration};

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::Failure;

/// What a node said, and to what.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The request, as a person would write it down.
    pub request: String,
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: HeaderMap,
    /// Body as received.
    pub text: String,
    /// Body as JSON; `Null` when it is none.
    pub json: Value,
    /// From sending to the last byte.
    pub elapsed: Duration,
}

impl Reply {
    /// A failure that shows this exchange.
    #[must_use]
    #[track_caller]
    pub fn contradicts(&self, expected: impl Into<String>) -> Failure {
        Failure::new(expected).with(self)
    }

    /// The status must be this.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn must_be(&self, status: u16) -> Result<&Self, Failure> {
        if self.status == status { Ok(self) } else { Err(self.contradicts(format!("status {status}"))) }
    }

    /// The status must be one of success: for what a test needs and does not judge.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn must_succeed(&self) -> Result<&Self, Failure> {
        if matches!(self.status, 200..=299) { Ok(self) } else { Err(self.contradicts("success")) }
    }

    /// It must say that there is no such key, with its status or in its words: for what a test needs and does not judge.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn must_miss(&self) -> Result<&Self, Failure> {
        let says_so = self.json.get("doesExist") == Some(&Value::Bool(false));
        if self.status == 404 || says_so { Ok(self) } else { Err(self.contradicts("no such key")) }
    }

    /// The field must have exactly this JSON value.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn must_have(&self, field: &str, value: impl Into<Value>) -> Result<&Self, Failure> {
        let value = value.into();
        if self.json.get(field) == Some(&value) {
            Ok(self)
        } else {
            Err(self.contradicts(format!("`{field}` to be {value}")))
        }
    }

    /// The field must be there.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn field(&self, field: &str) -> Result<&Value, Failure> {
        let found = self.json.get(field);
        found.ok_or_else(|| self.contradicts(format!("a field `{field}`")))
    }

    /// The field must be there, and a JSON string.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn text(&self, field: &str) -> Result<&str, Failure> {
        let found = self.field(field)?.as_str();
        found.ok_or_else(|| self.contradicts(format!("`{field}` to be a string")))
    }

    /// The field must be a token or version as the contract has them: a string, not empty, printable ASCII.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn opaque(&self, field: &str) -> Result<&str, Failure> {
        let text = self.text(field)?;
        if !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            Ok(text)
        } else {
            Err(self.contradicts(format!("`{field}` to be printable ASCII and not empty")))
        }
    }

    /// The header's value, as text.
    ///
    /// # Errors
    /// [`Failure`] with the exchange when it is missing.
    #[track_caller]
    pub fn header(&self, name: &str) -> Result<&str, Failure> {
        let found = self.headers.get(name).and_then(|value| value.to_str().ok());
        found.ok_or_else(|| self.contradicts(format!("a header `{name}`")))
    }

    /// It must have come within this time.
    ///
    /// # Errors
    /// [`Failure`] with the exchange.
    #[track_caller]
    pub fn must_come_within(&self, limit: Duration) -> Result<&Self, Failure> {
        if self.elapsed <= limit { Ok(self) } else { Err(self.contradicts(format!("an answer within {limit:?}"))) }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "request: {}", self.request)?;
        write!(f, "reply:   {} after {:?}, {}", self.status, self.elapsed, self.text)?;
        for (name, value) in &self.headers {
            write!(f, "\n         {name}: {}", value.to_str().unwrap_or("?"))?;
        }
        Ok(())
    }
}
