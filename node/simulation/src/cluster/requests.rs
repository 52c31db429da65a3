//! What clients and operators ask of nodes, until it is answered, given up or broken off.

use node_core::{Key, Request, RequestId, ShardId, SlotId};

use super::{Asked, Cluster, Happening, Notice};
use crate::{
    journal::{self, name},
    node::Input,
    oracle::{Context, Kind, Oracle},
    violation::Checked,
};

/// Milliseconds within which a node must answer while it is neither stopped nor paused. A write that was passed on to a node
/// that is slow but heard is heard out, since its outcome would be unknown.
const READ_LIMIT_MS: u64 = 3_600;
const WRITE_LIMIT_MS: u64 = 10_500;
const ADMIN_LIMIT_MS: u64 = 65_500;

impl Cluster {
    /// A client asks for a key at a node.
    pub(crate) fn operate(
        &mut self,
        client: u32,
        node: usize,
        kind: Kind,
        key: &Key,
        context: &Context,
    ) -> Checked<RequestId> {
        let (operation, token) = self.oracle.begin(kind, key, context)?;
        let key = key.clone();
        let request = match kind {
            Kind::Get => Request::Get { key: key.clone(), token },
            Kind::Put => Request::Put { key: key.clone(), value: Oracle::value(operation), token },
            Kind::Delete => Request::Delete { key: key.clone(), token },
        };
        let id = self.submit(node, request, Some(operation));
        self.journal.asked(id, || history::Operation {
            value: (kind == Kind::Put).then(|| journal::text(&Oracle::value(operation))),
            token_in: context.from.map(|operation| operation as u64),
            ..journal::sent(self.now_ms, client, node, kind.into(), key.to_string())
        });
        Ok(id)
    }

    /// A client asks for the number of keys of a shard.
    pub(crate) fn count(&mut self, client: u32, node: usize, shard: ShardId) -> RequestId {
        let id = self.submit(node, Request::KeyCount(shard), None);
        let kind = history::Kind::Count;
        self.journal.asked(id, || journal::sent(self.now_ms, client, node, kind, shard.to_string()));
        id
    }

    /// An operator asks.
    pub(crate) fn administer(&mut self, node: usize, request: Request) -> RequestId {
        match &request {
            Request::RemoveFromView(address) => self.remove(*address),
            Request::Reshard { shard_count } => self.journal.passes(self.now_ms, "reshard", &[node], || {
                format!("{} is asked for {shard_count} shards", name(node))
            }),
            Request::AddMember { shard, address } => self.journal.passes(self.now_ms, "add-member", &[node], || {
                format!("{} is asked to put {address} into shard {shard}", name(node))
            }),
            _ => {}
        }
        self.submit(node, request, None)
    }

    fn submit(&mut self, node: usize, request: Request, operation: Option<usize>) -> RequestId {
        self.sequence += 1;
        let id = RequestId(self.sequence);
        let limit_ms = match request {
            Request::AddMember { .. } | Request::Reshard { .. } => ADMIN_LIMIT_MS,
            Request::Put { .. } | Request::Delete { .. } => WRITE_LIMIT_MS,
            _ => READ_LIMIT_MS,
        };
        self.trace.note_slots(self.now_ms, slot_of(&request), || format!("{id:?} to node{}: {request:?}", node + 1));
        self.asked.insert(id, Asked { node, operation, asked_ms: self.now_ms + 1, limit_ms, cancelled: false });
        let request = match &mut self.tamper {
            Some(tamper) => tamper.request(request),
            None => request,
        };
        self.schedule(1, Happening::Request { node, id, request });
        id
    }

    /// The client stops waiting.
    pub(crate) fn give_up(&mut self, id: RequestId) -> Checked {
        let Some(asked) = self.asked.get_mut(&id) else {
            return Ok(());
        };
        asked.cancelled = true;
        let node = asked.node;
        self.journal.unanswered(self.now_ms, id);
        self.input(node, Input::Cancel(id))
    }

    /// The connection breaks, or there is none.
    pub(super) fn refuse(&mut self, id: RequestId) {
        if self.asked.remove(&id).is_some() {
            self.journal.unanswered(self.now_ms, id);
            self.notices.push_back(Notice::Refused { id });
        }
    }
}

fn slot_of(request: &Request) -> Vec<SlotId> {
    match request {
        Request::Get { key, .. } | Request::Put { key, .. } | Request::Delete { key, .. } => {
            vec![key.slot()]
        }
        _ => Vec::new(),
    }
}
