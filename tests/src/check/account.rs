//! A history sorted for judging: operations by number, keys by number, and what each operation wrote and saw.
//!
//! It judges nothing. What it cannot make sense of at all (a token that nobody got, a value that two puts wrote) it tells as
//! reasons for which nothing can be known.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use super::loss::Losses;
use crate::history::{Event, Fault, History, Kind, Operation, Wrote};

/// An operation, by its place among the operations of the history.
pub(super) type Id = usize;

/// How many reasons are worth reading.
const REASONS_MAX: usize = 10;

/// What an operation saw of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It did not look, or was not answered.
    Unasked,
    /// The value of this put.
    Write(Id),
    /// A value that no put can have left there, or that there is one.
    ThinAir,
    /// That there is no value.
    Nothing,
}

/// What concerns one key.
#[derive(Default)]
pub(super) struct OfKey {
    /// Puts and deletes that took effect, or may have.
    pub(super) writes: Vec<Id>,
    /// The answered reads after healing.
    pub(super) last_reads: Vec<Id>,
}

/// A history, sorted.
pub(super) struct Account<'a> {
    pub(super) operations: Vec<&'a Operation>,
    /// Where in the history each operation is.
    pub(super) events: Vec<usize>,
    /// The faults, each with its place in the history.
    pub(super) faults: Vec<(usize, &'a Fault)>,
    /// By name, so that numbers of keys follow their names.
    pub(super) keys: BTreeMap<&'a str, OfKey>,
    pub(super) seen: Vec<Seen>,
    /// The put that wrote a value, whatever came of it.
    pub(super) writers: HashMap<&'a str, Id>,
    /// Who got the token that an operation carried, where its reply could name a write.
    pub(super) givers: Vec<Option<Id>>,
    /// From when on a write may be lost with the disks that had it.
    pub(super) lost_us: Vec<u64>,
    /// Why the history cannot be judged.
    pub(super) reasons: Vec<String>,
}

impl<'a> Account<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let (mut operations, mut events, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (event, line) in history.events.iter().enumerate() {
            match line {
                Event::Operation(operation) => {
                    operations.push(operation);
                    events.push(event);
                }
                Event::Fault(fault) => faults.push((event, fault)),
                Event::Run(_) | Event::Unrest(_) | Event::End(_) => {}
            }
        }
        let losses = Losses::of(history);
        let lost_us = operations.iter().map(|operation| losses.lost_from_us(operation)).collect();
        let mut account = Self {
            seen: vec![Seen::Unasked; operations.len()],
            givers: vec![None; operations.len()],
            keys: BTreeMap::new(),
            writers: HashMap::new(),
            reasons: Vec::new(),
            operations,
            events,
            faults,
            lost_us,
        };
        account.follow_tokens();
        account.sort_by_key();
        account.resolve_reads(history.is_whole());
        account.reasons.truncate(REASONS_MAX);
        account
    }

    /// Only tokens order operations; that the same client sent them does not.
    fn follow_tokens(&mut self) {
        let mut owners = HashMap::new();
        for (id, operation) in self.operations.iter().enumerate() {
            if let Some(token) = operation.token_out
                && owners.insert(token, id).is_some()
            {
                self.reasons.push(format!("two replies brought token {token}"));
            }
        }
        for (id, operation) in self.operations.iter().enumerate() {
            let Some(token) = operation.token_in else { continue };
            match owners.get(&token) {
                None => self.reasons.push(format!("nobody got token {token}, which client {} sent", operation.client)),
                // Clocks are read a moment after the reply; before the request nobody has its token.
                Some(giver) if *giver == id || self.operations[*giver].start_us > operation.start_us => {
                    self.reasons.push(format!("token {token} was sent before it was asked for"));
                }
                // A refusal names no write, whatever token comes with it.
                Some(giver) => self.givers[id] = self.operations[*giver].is_answered().then_some(*giver),
            }
        }
    }

    fn sort_by_key(&mut self) {
        for (id, operation) in self.operations.iter().enumerate() {
            if operation.kind == Kind::Count {
                continue;
            }
            let key = self.keys.entry(&operation.key).or_default();
            if operation.wrote() != Wrote::No {
                key.writes.push(id);
            }
            if operation.kind == Kind::Get && operation.last && operation.is_answered() {
                key.last_reads.push(id);
            }
            if operation.kind == Kind::Put {
                match operation.value.as_deref().map(|value| self.writers.entry(value)) {
                    Some(Entry::Vacant(vacant)) => {
                        vacant.insert(id);
                    }
                    Some(Entry::Occupied(taken)) => self.reasons.push(format!("two puts write {:?}", taken.key())),
                    None => {
                        self.reasons.push(format!("client {} puts no value to {}", operation.client, operation.key));
                    }
                }
            }
        }
    }

    /// Of a history that was cut off, writes may be missing that were read before they ended.
    fn resolve_reads(&mut self, whole: bool) {
        for (id, operation) in self.operations.iter().enumerate() {
            self.seen[id] = match (operation.kind, operation.status) {
                (Kind::Get | Kind::Delete, Some(404)) if whole => Seen::Nothing,
                (Kind::Delete, Some(200)) if whole && !self.may_exist(operation) => Seen::ThinAir,
                (Kind::Get, Some(200)) => match &operation.value {
                    Some(value) if whole || self.writers.contains_key(value.as_str()) => {
                        self.writer(operation, value).map_or(Seen::ThinAir, Seen::Write)
                    }
                    Some(_) => Seen::Unasked,
                    None => {
                        self.reasons
                            .push(format!("what client {} read of {} is missing", operation.client, operation.key));
                        Seen::Unasked
                    }
                },
                _ => Seen::Unasked,
            };
        }
    }

    /// The put that can have left `value` where `read` found it.
    fn writer(&self, read: &Operation, value: &str) -> Option<Id> {
        let writer = *self.writers.get(value)?;
        let write = self.operations[writer];
        let lawful = write.key == read.key && write.wrote() != Wrote::No && write.start_us <= read.end_us;
        lawful.then_some(writer)
    }

    /// Whether a delete can have found anything. More is not asked of it: like a put it may decide before it has caught up.
    fn may_exist(&self, delete: &Operation) -> bool {
        let mut writes = self.keys[delete.key.as_str()].writes.iter().map(|write| self.operations[*write]);
        writes.any(|write| write.kind == Kind::Put && write.start_us <= delete.end_us)
    }

    pub(super) fn of_key(&self, id: Id) -> &OfKey {
        &self.keys[self.operations[id].key.as_str()]
    }

    /// Whether a write that is in the past of `read` must still be there for it.
    pub(super) fn binds(&self, write: Id, read: Id) -> bool {
        self.operations[read].end_us < self.lost_us[write]
    }

    pub(super) fn is_delete(&self, id: Id) -> bool {
        self.operations[id].kind == Kind::Delete
    }

    /// When the last reads begin, if there are any.
    pub(super) fn rest_us(&self) -> Option<u64> {
        self.operations.iter().filter(|operation| operation.last).map(|operation| operation.start_us).min()
    }

    /// Keys that were written and whose last value nobody knows.
    pub(super) fn unread(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.keys.iter().filter_map(|(name, key)| {
            let written = key.writes.iter().any(|write| self.operations[*write].wrote() == Wrote::Yes);
            (written && key.last_reads.is_empty()).then_some(*name)
        })
    }

    /// All keys that may have a value.
    pub(super) fn written(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.keys.iter().filter_map(|(name, key)| (!key.writes.is_empty()).then_some(*name))
    }
}
