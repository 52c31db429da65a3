//! What a node holds of the store, and its JSON between nodes.
//!
//! Invariant: `version` covers every entry that another node of the shard has acknowledged to this one.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::{Map, Value, json};

use crate::version::Version;

/// One key. A deleted one stays, without a value, so that an older write cannot bring it back.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) version: Version,
    pub(crate) value: Option<Value>,
}

impl Entry {
    pub(crate) fn to_json(&self) -> Value {
        // A list of one or none: `null` is a value like any other.
        json!({ "version": self.version.to_string(), "value": Vec::from_iter(&self.value) })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        Some(Self { version: version(json)?, value: json["value"].as_array()?.first().cloned() })
    }
}

/// The placement, the writes that have arrived, and the entries of one shard.
#[derive(Clone, Default)]
pub(crate) struct Holding {
    /// Placement 0: nobody has said yet which nodes make which shard.
    pub(crate) version: Version,
    /// Shard 1 is the first.
    pub(crate) shards: Vec<Vec<SocketAddr>>,
    pub(crate) entries: BTreeMap<String, Entry>,
}

impl Holding {
    pub(crate) fn new(placement: u64, shards: Vec<Vec<SocketAddr>>) -> Self {
        Self { version: Version { placement, ..Version::default() }, shards, entries: BTreeMap::new() }
    }

    /// Keeps the newer one of what is there and what comes.
    pub(crate) fn keep(&mut self, key: &str, entry: Entry) {
        if self.entries.get(key).is_none_or(|present| entry.version.is_newer_than(&present.version)) {
            self.entries.insert(key.to_owned(), entry);
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let entries: Map<_, _> = self.entries.iter().map(|(key, entry)| (key.clone(), entry.to_json())).collect();
        json!({ "version": self.version.to_string(), "shards": self.shards, "entries": entries })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let entries = json["entries"].as_object()?.iter();
        let entries =
            entries.map(|(key, entry)| Some((key.clone(), Entry::from_json(entry)?))).collect::<Option<_>>()?;
        Some(Self { version: version(json)?, shards: serde_json::from_value(json["shards"].clone()).ok()?, entries })
    }
}

/// The `version` of any message.
pub(crate) fn version(json: &Value) -> Option<Version> {
    json["version"].as_str()?.parse().ok()
}
