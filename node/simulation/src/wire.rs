//! Messages as bytes and as words: a sample goes through the wire format, and the trace needs them short.

use node_core::{Body, Change, Envelope, Request, SlotId};

use crate::violation::{Checked, Violation};

/// Encodes, decodes and compares.
pub(crate) fn round_trip(envelope: &Envelope) -> Checked<Vec<u8>> {
    let bytes = postcard::to_stdvec(envelope)
        .map_err(|error| Violation::new(format!("cannot encode {envelope:?}: {error}")))?;
    let decoded: Envelope =
        postcard::from_bytes(&bytes).map_err(|error| Violation::new(format!("cannot decode {envelope:?}: {error}")))?;
    if &decoded == envelope {
        Ok(bytes)
    } else {
        Err(Violation::new(format!("decoding {envelope:?} gives {decoded:?}")))
    }
}

/// The slots that a message is about.
pub(crate) fn slots(body: &Body) -> Vec<SlotId> {
    match body {
        Body::Ping(ping) => ping.announcement.slots.iter().map(|(slot, _)| *slot).collect(),
        Body::Replicate { slot, .. }
        | Body::Pull { slot, .. }
        | Body::LogRange { slot, .. }
        | Body::SnapshotRequest { slot, .. } => vec![*slot],
        Body::SnapshotChunk(chunk) => vec![chunk.slot],
        Body::Acks(acks) => acks.iter().map(|(slot, _, _)| *slot).collect(),
        Body::Forward {
            request: Request::Get { key, .. } | Request::Put { key, .. } | Request::Delete { key, .. },
            ..
        } => vec![key.slot()],
        Body::Counted { slots, .. } => slots.iter().map(|(slot, _, _)| *slot).collect(),
        _ => Vec::new(),
    }
}

/// One line; announcements only in numbers.
pub(crate) fn describe(envelope: &Envelope) -> String {
    let placement = envelope.placement.number;
    match &envelope.body {
        Body::Ping(ping) => {
            let announcement = &ping.announcement;
            let states: Vec<String> = announcement
                .slots
                .iter()
                .filter(|(_, state)| announcement.slots.len() <= 4 || !state.frontier.is_empty())
                .map(|(slot, state)| {
                    let frontier: Vec<_> = state
                        .frontier
                        .iter()
                        .map(|(origin, seq)| format!("{:04x}.{}:{seq}", origin.uuid >> 48, origin.epoch))
                        .collect();
                    format!("{}={:?}[{}]", slot.0, state.holding, frontier.join(" "))
                })
                .take(12)
                .collect();
            format!("p{placement} Ping {}..{} {}", announcement.since, announcement.number, states.join(" "))
        }
        Body::Placement(placement) => {
            format!("p{} Placement {placement:?}", envelope.placement.number).chars().take(300).collect()
        }
        body => format!("p{placement} {body:?}").chars().take(900).collect(),
    }
}

pub(crate) fn changed_slots(changes: &[Change]) -> Vec<SlotId> {
    changes
        .iter()
        .filter_map(|change| match change {
            Change::Slot(slot, _) | Change::DropSlot(slot) => Some(*slot),
            Change::Record(record) | Change::RemoveRecord(record) => Some(record.dot.slot),
            _ => None,
        })
        .collect()
}

pub(crate) fn describe_changes(changes: &[Change]) -> String {
    let some: Vec<String> = changes
        .iter()
        .take(6)
        .map(|change| match change {
            Change::Placement(_) => "Placement".into(),
            Change::Members(_) => "Members".into(),
            other => format!("{other:?}"),
        })
        .collect();
    format!("{} changes, {}", changes.len(), some.join(", "))
}
