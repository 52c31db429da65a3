//! A data directory: what is durable in it, and the batches on their way to it. A crash loses a suffix of those.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use node_core::{Boot, Change, Dot, Frontier, Members, Placement, Record, Recovered, SlotId, SlotMeta};

use crate::{
    random::Random,
    violation::{Checked, Violation},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct StoredSlot {
    pub(crate) meta: Option<SlotMeta>,
    pub(crate) records: BTreeMap<String, Arc<Record>>,
}

struct Batch {
    number: u64,
    changes: Vec<Change>,
}

pub(crate) struct Disk {
    pub(crate) uuid: u64,
    boot: Option<Boot>,
    placement: Option<Arc<Placement>>,
    members: Option<Members>,
    pub(crate) slots: BTreeMap<SlotId, StoredSlot>,
    /// Everything that was ever durable here, dropped slots too.
    ever: BTreeMap<SlotId, Frontier>,
    pending: VecDeque<Batch>,
    fail_next: bool,
    /// When the last batch under way is due, for they complete in order.
    last_due_ms: u64,
}

/// What a batch has changed, for those who check.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) slots: BTreeSet<SlotId>,
    pub(crate) dropped: BTreeSet<SlotId>,
    pub(crate) records: Vec<Arc<Record>>,
    /// Whether a placement was among the changes.
    pub(crate) placed: bool,
}

impl Disk {
    pub(crate) fn empty(uuid: u64) -> Self {
        Self {
            uuid,
            boot: None,
            placement: None,
            members: None,
            slots: BTreeMap::new(),
            ever: BTreeMap::new(),
            pending: VecDeque::new(),
            fail_next: false,
            last_due_ms: 0,
        }
    }

    pub(crate) fn recovered(&self) -> Recovered {
        Recovered {
            uuid: self.uuid,
            boot: self.boot,
            placement: self.placement.clone(),
            members: self.members.clone(),
            slots: self
                .slots
                .iter()
                .filter_map(|(slot, stored)| {
                    let meta = stored.meta.clone()?;
                    Some((*slot, meta, stored.records.values().cloned().collect()))
                })
                .collect(),
        }
    }

    /// Takes a batch to be synced, and says when it will be.
    pub(crate) fn submit(&mut self, number: u64, changes: Vec<Change>, due_ms: u64) -> u64 {
        self.last_due_ms = self.last_due_ms.max(due_ms);
        self.pending.push_back(Batch { number, changes });
        self.last_due_ms
    }

    /// Whether a crash now would lose something.
    pub(crate) fn is_busy(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The next sync fails: what it was for is on the disk in part, or not at all.
    pub(crate) fn fail_next_sync(&mut self) {
        self.fail_next = true;
    }

    /// Whether the sync that is due now fails.
    pub(crate) fn takes_failure(&mut self) -> bool {
        std::mem::take(&mut self.fail_next)
    }

    /// The sync of the oldest batch is done.
    pub(crate) fn sync(&mut self, number: u64) -> Checked<Applied> {
        match self.pending.pop_front() {
            Some(batch) if batch.number == number => self.apply(batch.changes),
            _ => Err(Violation::new(format!("batch {number} was not submitted in order"))),
        }
    }

    /// The process is gone: of the batches under way some first ones have reached the disk, the others never will.
    pub(crate) fn crash(&mut self, random: &mut Random) -> Checked<Vec<Applied>> {
        let kept = random.index(self.pending.len() + 1);
        self.cut_after(kept)
    }

    /// The same, and of the first batch that has not reached the disk a part has. Recovery cuts it off, unless it `keeps` it.
    pub(crate) fn crash_tearing(&mut self, random: &mut Random, keeps: bool) -> Checked<Vec<Applied>> {
        let kept = random.index(self.pending.len());
        if !keeps {
            return self.cut_after(kept);
        }
        if let Some(torn) = self.pending.get_mut(kept) {
            let part = random.index(torn.changes.len());
            torn.changes.truncate(part);
        }
        self.cut_after(kept + 1)
    }

    fn cut_after(&mut self, kept: usize) -> Checked<Vec<Applied>> {
        let pending = std::mem::take(&mut self.pending);
        self.last_due_ms = 0;
        self.fail_next = false;
        pending.into_iter().take(kept).map(|batch| self.apply(batch.changes)).collect()
    }

    fn apply(&mut self, changes: Vec<Change>) -> Checked<Applied> {
        let mut applied = Applied::default();
        for change in changes {
            match change {
                Change::Boot(boot) => self.boot = Some(boot),
                Change::Placement(placement) => {
                    self.placement = Some(placement);
                    applied.placed = true;
                }
                Change::Members(members) => self.members = Some(members),
                Change::Slot(slot, meta) => {
                    self.replace_meta(slot, meta)?;
                    applied.slots.insert(slot);
                }
                Change::Record(record) => {
                    let slot = record.dot.slot;
                    let records = &mut self.slots.entry(slot).or_default().records;
                    records.insert(record.key().to_owned(), Arc::clone(&record));
                    applied.slots.insert(slot);
                    applied.records.push(record);
                }
                Change::RemoveRecord(record) => {
                    self.slots.entry(record.dot.slot).or_default().records.remove(record.key());
                    applied.slots.insert(record.dot.slot);
                }
                Change::DropSlot(slot) => {
                    self.slots.remove(&slot);
                    applied.dropped.insert(slot);
                }
            }
        }
        for slot in &applied.slots {
            let stored = self.slots.get(slot);
            if stored.is_some_and(|stored| stored.meta.is_none() && !stored.records.is_empty()) {
                return Err(Violation::of(*slot, "records on disk without their slot: lost at a restart"));
            }
        }
        Ok(applied)
    }

    fn replace_meta(&mut self, slot: SlotId, meta: SlotMeta) -> Checked {
        let stored = self.slots.entry(slot).or_default();
        if let Some(old) = &stored.meta {
            if !meta.frontier.covers(&old.frontier) {
                return Err(Violation::of(
                    slot,
                    format!("invariant 2: a frontier shrank from {:?} to {:?}", old.frontier, meta.frontier),
                ));
            }
            if meta.clock < old.clock {
                return Err(Violation::of(slot, "rule 13: a slot's clock went back"));
            }
        }
        self.ever.entry(slot).or_default().merge(&meta.frontier);
        stored.meta = Some(meta);
        Ok(())
    }

    /// The durable frontier, when the slot is held.
    pub(crate) fn frontier(&self, slot: SlotId) -> Option<&Frontier> {
        self.slots.get(&slot)?.meta.as_ref().map(|meta| &meta.frontier)
    }

    pub(crate) fn holds(&self, dot: Dot) -> bool {
        self.frontier(dot.slot).is_some_and(|frontier| frontier.get(dot.origin) >= dot.seq)
    }

    /// Whether it was ever durable here.
    pub(crate) fn has_held(&self, dot: Dot) -> bool {
        self.ever.get(&dot.slot).is_some_and(|frontier| frontier.get(dot.origin) >= dot.seq)
    }
}
