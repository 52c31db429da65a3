//! One slot at this node: its records, what they cover, and what this node may do with them.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use super::log::Log;
use crate::{
    Change, Frontier, Hlc, Holding, Origin, Record, SlotId, SlotMeta, SlotState,
    planted::{Bug, Planted},
};

/// The announcement with which every start begins, and which tells what was recovered.
pub(super) const FIRST_ANNOUNCEMENT: u64 = 1;

/// The state of one slot. Changes go to the caller's list of [`Change`]s in the same call.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: SlotId,
    planted: Planted,
    /// What this node may do with it. Changed by the completion and placement rules only.
    pub(super) holding: Holding,
    records: BTreeSet<ByKey>,
    /// What is applied, synced or not.
    pub(super) frontier: Frontier,
    /// What every owner and server is known to have synced (rule 2). Only grows.
    pub(super) stable: Frontier,
    /// Above every clock ever held, collected tombstones included (rule 13).
    pub(super) clock: Hlc,
    pub(super) log: Log,
    keys: u64,
    digest: u64,
    /// The origin of this node's own writes; `None` until the first, and after the slot was deleted (rule 11).
    pub(super) origin: Option<Origin>,
    /// Origins of this node below this epoch write to the slot no more: they have written to an earlier life of it (rule 11).
    pub(super) least_epoch: u32,
    /// Whether it changed since the last batch was closed.
    pub(super) dirty: bool,
    /// The batch that holds the newest change.
    pub(super) last_batch: u64,
    /// What the others are told (rule 1).
    pub(super) durable: SlotState,
    /// States that wait for the sync of their batch.
    undurable: VecDeque<(u64, SlotState)>,
    /// The announcement that first told of `durable`.
    pub(super) announced_in: u64,
    /// Since when `holding` is what it is, in monotonic milliseconds.
    pub(super) since_ms: u64,
}

impl Slot {
    /// A slot of a node whose next origin has the epoch `epoch`.
    pub(super) fn new(id: SlotId, epoch: u32, planted: Planted) -> Self {
        Self {
            id,
            planted,
            holding: Holding::Absent,
            records: BTreeSet::new(),
            frontier: Frontier::new(),
            stable: Frontier::new(),
            clock: Hlc::default(),
            log: Log::default(),
            keys: 0,
            digest: 0,
            origin: None,
            least_epoch: epoch,
            dirty: false,
            last_batch: 0,
            durable: SlotState::default(),
            undurable: VecDeque::new(),
            announced_in: 0,
            since_ms: 0,
        }
    }

    /// Takes over what storage had.
    pub(super) fn recover(&mut self, meta: SlotMeta, records: Vec<Arc<Record>>) {
        self.holding = meta.holding;
        self.frontier = meta.frontier;
        self.stable = meta.stable;
        self.clock = meta.clock;
        for record in records {
            self.put(record);
        }
        self.durable = self.state();
        self.announced_in = FIRST_ANNOUNCEMENT;
    }

    pub(super) fn get(&self, key: &str) -> Option<&Arc<Record>> {
        self.records.get(key.as_bytes()).map(|ByKey(record)| record)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.records.iter().map(|ByKey(record)| record)
    }

    pub(super) fn tombstones(&self) -> u64 {
        self.records.len() as u64 - self.keys
    }

    pub(super) fn keys(&self) -> u64 {
        self.keys
    }

    /// The present state, synced or not.
    pub(super) fn state(&self) -> SlotState {
        SlotState {
            holding: self.holding,
            frontier: self.frontier.clone(),
            stable: self.known_stable(),
            clock: self.clock,
            epoch: self.least_epoch,
            keys: self.keys,
            digest: self.digest,
        }
    }

    /// The stable part of what is here: what is stored and told. What else was once stable may be lost (rule 12), and word of it
    /// must not go round for ever.
    pub(super) fn known_stable(&self) -> Frontier {
        self.stable.meet(&self.frontier)
    }

    /// Applies the next write of its origin; says whether it was the next. Never leaves a gap (invariant 2).
    pub(super) fn apply(&mut self, record: &Arc<Record>, changes: &mut Vec<Change>) -> bool {
        let dot = record.dot;
        let new = dot.seq.saturating_sub(self.frontier.get(dot.origin));
        if new != 1 && !(self.planted.is(Bug::ApplyWithGap) && new > 1) {
            return false;
        }
        self.frontier.raise(dot.origin, dot.seq);
        self.clock = self.clock.max(record.hlc);
        if self.get(record.key()).is_none_or(|old| record.rank() > old.rank()) {
            self.put(record.clone());
            changes.push(Change::Record(record.clone()));
        }
        self.log.push(record.clone());
        self.dirty = true;
        true
    }

    /// Joins a snapshot (rule 5): what one side lacks although it covers its dot was deleted and collected there.
    ///
    /// `present_wins` keeps such records instead, for the repair of a digest mismatch (rule 16).
    pub(super) fn merge(
        &mut self,
        frontier: &Frontier,
        clock: Hlc,
        snapshot: Vec<Arc<Record>>,
        present_wins: bool,
        changes: &mut Vec<Change>,
    ) {
        let present_wins = present_wins || self.planted.is(Bug::MergeWithoutDeletions);
        let theirs: BTreeSet<ByKey> = snapshot.into_iter().map(ByKey).collect();
        if !present_wins {
            let is_collected = |ours: &&Arc<Record>| !theirs.contains(ours.key_bytes()) && covers(frontier, ours);
            let collected: Vec<Arc<Record>> = self.records().filter(is_collected).cloned().collect();
            for record in collected {
                self.remove(record.key(), changes);
            }
        }
        for ByKey(record) in theirs {
            let wanted = match self.get(record.key()) {
                Some(ours) => record.rank() > ours.rank(),
                None => present_wins || !covers(&self.frontier, &record),
            };
            if wanted {
                changes.push(Change::Record(record.clone()));
                self.put(record);
            }
        }
        self.frontier.merge(frontier);
        self.clock = self.clock.max(clock);
        self.dirty = true;
    }

    fn put(&mut self, record: Arc<Record>) {
        if !record.is_tombstone() {
            self.keys += 1;
            self.digest ^= record.digest();
        }
        if let Some(ByKey(old)) = self.records.replace(ByKey(record)) {
            self.forget(&old);
        }
    }

    /// Removes a record that a tombstone collection or a snapshot made superfluous.
    pub(super) fn remove(&mut self, key: &str, changes: &mut Vec<Change>) {
        if let Some(ByKey(old)) = self.records.take(key.as_bytes()) {
            self.forget(&old);
            changes.push(Change::RemoveRecord(old));
            self.dirty = true;
        }
    }

    fn forget(&mut self, old: &Record) {
        if !old.is_tombstone() {
            self.keys -= 1;
            self.digest ^= old.digest();
        }
    }

    pub(super) fn set_holding(&mut self, holding: Holding, now_ms: u64) {
        if self.holding != holding {
            self.holding = holding;
            self.since_ms = now_ms;
            self.dirty = true;
        }
    }

    /// Deletes everything; the next write here takes an origin of an epoch above `epoch` (rule 11).
    pub(super) fn delete(&mut self, epoch: u32, now_ms: u64, changes: &mut Vec<Change>) {
        self.records.clear();
        self.frontier = Frontier::new();
        self.stable = Frontier::new();
        self.log.clear();
        self.keys = 0;
        self.digest = 0;
        self.origin = None;
        self.least_epoch = epoch + 1;
        self.set_holding(Holding::Absent, now_ms);
        self.dirty = true;
        changes.push(Change::DropSlot(self.id));
    }

    /// Adds the slot's meta data to the batch that is being closed.
    pub(super) fn close(&mut self, batch: u64, changes: &mut Vec<Change>) {
        self.dirty = false;
        self.last_batch = batch;
        let mut state = self.state();
        if state.holding != Holding::Absent {
            let SlotState { holding, frontier, stable, clock, .. } = state.clone();
            changes.push(Change::Slot(self.id, SlotMeta { holding, frontier, stable, clock }));
        }
        if self.planted.is(Bug::CountOutsideBatch)
            && let Some((_, before)) = self.undurable.back()
        {
            state.keys = before.keys;
        }
        self.undurable.push_back((batch, state));
    }

    /// Whether the newest change is synced.
    pub(super) fn is_durable(&self) -> bool {
        !self.dirty && self.undurable.is_empty()
    }

    /// Takes note that all batches up to `batch` are synced; says whether [`Self::durable`] changed.
    pub(super) fn synced(&mut self, batch: u64) -> bool {
        let mut changed = false;
        while self.undurable.front().is_some_and(|(number, _)| *number <= batch) {
            if let Some((_, state)) = self.undurable.pop_front() {
                self.durable = state;
                changed = true;
            }
        }
        changed
    }
}

/// A record among others of other keys, in their order.
#[derive(Debug)]
struct ByKey(Arc<Record>);

impl Borrow<[u8]> for ByKey {
    fn borrow(&self) -> &[u8] {
        self.0.key_bytes()
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key_bytes() == other.0.key_bytes()
    }
}

impl Eq for ByKey {}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key_bytes().cmp(other.0.key_bytes())
    }
}

fn covers(frontier: &Frontier, record: &Record) -> bool {
    frontier.get(record.dot.origin) >= record.dot.seq
}
