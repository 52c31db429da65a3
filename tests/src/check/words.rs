//! Operations in plain words.

use crate::history::{Kind, Operation};

/// How much of a value is shown.
const VALUE_CHARACTERS_MAX: usize = 24;

/// A value, in quotes.
pub(super) fn value(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// What an operation is called once it was told.
pub(super) fn short(operation: &Operation) -> String {
    match (operation.kind, &operation.value) {
        (Kind::Delete, _) => format!("client {}'s delete", operation.client),
        (Kind::Put, Some(written)) => value(written),
        _ => format!("client {}'s read", operation.client),
    }
}

/// A line of a story; `token_of` is the client whose token it carries, where the story has told of it.
pub(super) fn line(operation: &Operation, token_of: Option<u32>) -> String {
    let Operation { client, node, key, .. } = operation;
    let token = match token_of {
        Some(other) if other == *client => ", with its token,".to_owned(),
        Some(other) => format!(", with client {other}'s token,"),
        None => String::new(),
    };
    let shown = operation.value.as_deref().map(value).unwrap_or_default();
    let status = status(operation);
    let after = if operation.last { ", all being healed" } else { "" };
    match (operation.kind, operation.status) {
        (Kind::Put, _) => format!("client {client}{token} writes {key} = {shown} at {node} ({status})"),
        (Kind::Delete, Some(404)) => {
            format!("client {client}{token} deletes {key} at {node}: nothing there ({status})")
        }
        (Kind::Delete, _) => format!("client {client}{token} deletes {key} at {node} ({status})"),
        (Kind::Get, Some(404)) => format!("client {client}{token} reads {key} at {node}{after}: nothing ({status})"),
        (Kind::Get, _) => format!("client {client}{token} reads {key} at {node}{after}: {shown} ({status})"),
        (Kind::Count, _) => format!("client {client} counts shard {key} at {node}{after}: {shown} ({status})"),
    }
}

fn status(operation: &Operation) -> String {
    match (operation.status, operation.durable) {
        (None, _) => "no reply".to_owned(),
        (Some(status), None) => status.to_string(),
        (Some(status), Some(1)) => format!("{status}, on 1 disk"),
        (Some(status), Some(disks)) => format!("{status}, on {disks} disks"),
    }
}
