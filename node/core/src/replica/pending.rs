//! Requests in flight at this node, whoever asked.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::limits::ANSWERED_MAX;
use crate::{
    Address, Dot, Frontier, Identity, PlacementChange, PlacementId, Reply, Request, RequestId, ShardId, SlotId,
};

/// Names a request in flight; unique at this node, and what peers see of a forwarded one.
pub(super) type Ticket = u64;

/// Who gets the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    Client(RequestId),
    Peer { address: Address, id: u64 },
}

/// A request on its way to its one reply.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) asker: Asker,
    /// Shared, so that it can be looked at while the rest changes.
    pub(super) request: Arc<Request>,
    /// How often it was forwarded before it came here.
    pub(super) hops: u8,
    /// Monotonic milliseconds.
    pub(super) started_ms: u64,
    pub(super) stage: Stage,
}

/// What the request waits for.
#[derive(Debug)]
pub(super) enum Stage {
    /// A state of this replica, or of the cluster, in which it can go on.
    Waiting {
        /// Nodes that were tried and fell silent.
        tried: BTreeSet<Address>,
    },
    /// The sync here, and an acknowledgement.
    Writing(Writing),
    /// The reply of another node.
    Forwarded {
        to: Address,
        /// Who was there: another start of that node does not know of the request.
        identity: Option<Identity>,
        /// When it was last sent, in monotonic milliseconds.
        sent_ms: u64,
        /// Nodes that were tried and fell silent.
        tried: BTreeSet<Address>,
    },
    /// The counts of the other nodes.
    Counting(Counting),
    /// A placement, and then the data where it says.
    Placing(Placing),
}

/// A write that is applied here.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) dot: Dot,
    /// The batch with the write.
    pub(super) batch: u64,
    /// When it was applied, in monotonic milliseconds.
    pub(super) applied_ms: u64,
    /// Other nodes that have synced it.
    pub(super) acknowledged: BTreeSet<Address>,
    pub(super) replaced: bool,
    pub(super) version: Arc<str>,
    pub(super) shard: ShardId,
}

/// A question to all replicas of a shard.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) slots: Vec<SlotId>,
    /// Monotonic milliseconds.
    pub(super) asked_ms: u64,
    pub(super) asked: BTreeSet<Address>,
    pub(super) answers: BTreeMap<Address, Vec<(SlotId, Frontier, u64)>>,
}

/// A change of the placement.
#[derive(Debug)]
pub(super) struct Placing {
    pub(super) change: PlacementChange,
    /// When the proposer was last asked, in monotonic milliseconds.
    pub(super) proposed_ms: Option<u64>,
    /// The placement that is to be completed.
    pub(super) target: Option<PlacementId>,
    /// Whether another placement overtook the first proposal.
    pub(super) overtaken: bool,
}

impl Pending {
    /// The slot of a key-value request.
    pub(super) fn slot(&self) -> Option<SlotId> {
        match &*self.request {
            Request::Get { key, .. } | Request::Put { key, .. } | Request::Delete { key, .. } => Some(key.slot()),
            _ => None,
        }
    }
}

/// Forwarded writes that are over: a doubled or repeated message must not write twice, and gets the same answer again.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// `None` until the sync that the answer waits for.
    replies: BTreeMap<Asker, Option<Reply>>,
    oldest_first: VecDeque<Asker>,
}

impl Answered {
    pub(super) fn get(&self, asker: Asker) -> Option<&Option<Reply>> {
        self.replies.get(&asker)
    }

    /// The write is applied.
    pub(super) fn begin(&mut self, asker: Asker) {
        if self.replies.insert(asker, None).is_none() {
            self.oldest_first.push_back(asker);
        }
        if self.oldest_first.len() > ANSWERED_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.replies.remove(&oldest);
        }
    }

    /// The write is answered.
    pub(super) fn finish(&mut self, asker: Asker, reply: &Reply) {
        if let Some(answer) = self.replies.get_mut(&asker) {
            *answer = Some(reply.clone());
        }
    }
}

/// Replies that wait for a sync.
#[derive(Debug, Default)]
pub(super) struct Parked(BTreeMap<u64, Vec<(Asker, Reply)>>);

impl Parked {
    pub(super) fn park(&mut self, batch: u64, asker: Asker, reply: Reply) {
        self.0.entry(batch).or_default().push((asker, reply));
    }

    /// The replies that depend on nothing later than `batch`.
    pub(super) fn release(&mut self, batch: u64) -> Vec<(Asker, Reply)> {
        let later = self.0.split_off(&(batch + 1));
        std::mem::replace(&mut self.0, later).into_values().flatten().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}
