//! Judges replies by what the client knew when it asked. Works on operations and their causal pasts; the only thing that it
//! takes from the store is which record carries which version.

use std::{collections::BTreeMap, sync::Arc};

use node_core::{Dot, Frontier, Hlc, Key, Origin, Record, Reply, SlotId, Token, TokenKey};

use crate::{
    ledger::{Fate, Ledger},
    past::Past,
    violation::{Checked, Violation},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    Put,
    Delete,
}

/// What a client carries: the token that it was given, and what the oracle knows to be behind it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) token: Arc<str>,
    pub(crate) past: Past,
    /// The operation whose reply brought the token.
    pub(crate) from: Option<usize>,
}

impl Context {
    /// What a client carries that goes by the reply alone.
    pub(crate) fn unjudged(operation: usize, reply: &Reply) -> Option<Self> {
        match reply {
            Reply::Value { token, .. } | Reply::Missing { token, .. } | Reply::Written { version: token, .. } => {
                Some(Self::new(operation, token, Past::default()))
            }
            _ => None,
        }
    }

    fn new(operation: usize, token: &Arc<str>, past: Past) -> Self {
        Self { token: Arc::clone(token), past, from: Some(operation) }
    }
}

pub(crate) struct Operation {
    pub(crate) kind: Kind,
    pub(crate) key: Key,
    /// What it depends on; without itself.
    past: Past,
    token: Token,
    /// The records that it became, as far as is known; more than one when it was carried out more than once.
    dots: Vec<Dot>,
    /// On how many replicas it was durable by its reply.
    pub(crate) acknowledged: Option<u32>,
}

impl Operation {
    pub(crate) fn dots(&self) -> &[Dot] {
        &self.dots
    }
}

/// A reply that is right.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What the client carries from now on; `None` where the reply had no token.
    pub(crate) context: Option<Context>,
    /// What the client's token named and the reply's token leaves out.
    pub(crate) pruned: Vec<(SlotId, Origin, u64)>,
    /// The write acknowledged, and the number of replicas claimed.
    pub(crate) durable: Option<(Dot, u32)>,
}

pub(crate) struct Oracle {
    pub(crate) ledger: Ledger,
    operations: Vec<Operation>,
    by_key: BTreeMap<Key, Vec<usize>>,
    key: TokenKey,
    forgiving: bool,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            operations: Vec::new(),
            by_key: BTreeMap::new(),
            key: TokenKey::new(None),
            forgiving: false,
        }
    }

    /// Notes that a client asks. The number returned names the operation, and is in the value that it writes.
    pub(crate) fn begin(&mut self, kind: Kind, key: &Key, context: &Context) -> Checked<(usize, Token)> {
        let token = self.decode(&context.token)?;
        let operation = self.operations.len();
        self.operations.push(Operation {
            kind,
            key: key.clone(),
            past: context.past.clone(),
            token: token.clone(),
            dots: Vec::new(),
            acknowledged: None,
        });
        if kind != Kind::Get {
            self.by_key.entry(key.clone()).or_default().push(operation);
        }
        Ok((operation, token))
    }

    /// The value that the operation writes: no two are the same.
    pub(crate) fn value(operation: usize) -> Arc<[u8]> {
        format!("\"operation {operation}\"").into_bytes().into()
    }

    fn writer(value: &[u8]) -> Option<usize> {
        std::str::from_utf8(value).ok()?.strip_prefix("\"operation ")?.strip_suffix('"')?.parse().ok()
    }

    pub(crate) fn operation(&self, operation: usize) -> &Operation {
        &self.operations[operation]
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = (usize, &Operation)> {
        self.operations.iter().enumerate()
    }

    /// A record became durable on a disk. Says whether it is the first time.
    pub(crate) fn persisted(&mut self, record: &Arc<Record>) -> Checked<bool> {
        if !self.ledger.persisted(record)? {
            return Ok(false);
        }
        let version = self.decode(record.version())?;
        if version.clock != record.hlc || !covers_dot(&version, record.dot) {
            return Err(Violation::of(
                record.dot.slot,
                format!("the version of {:?} is not its context: {version:?}", record.dot),
            ));
        }
        if let Some(value) = record.value() {
            let writer = Self::writer(value).filter(|writer| {
                self.operations
                    .get(*writer)
                    .is_some_and(|put| put.kind == Kind::Put && put.key.as_str() == record.key())
            });
            let Some(writer) = writer else {
                return Err(Violation::of(
                    record.dot.slot,
                    format!("{:?} holds a value that nobody wrote to {}", record.dot, record.key()),
                ));
            };
            if let Some(first) = self.operations[writer].dots.first() {
                let what = format!("operation {writer} was carried out twice, as {first:?} and {:?}", record.dot);
                return Err(Violation::of(record.dot.slot, what));
            }
            self.operations[writer].dots.push(record.dot);
        }
        Ok(true)
    }

    /// Forgives reads with pruned tokens for a while: a node that was removed from the view and does not know it yet was not
    /// waited for when they were pruned.
    pub(crate) fn forgive_pruned(&mut self, forgiving: bool) {
        self.forgiving = forgiving;
    }

    /// Judges a reply to a key-value operation.
    pub(crate) fn judge(&mut self, operation: usize, reply: &Reply) -> Checked<Verdict> {
        let kind = self.operations[operation].kind;
        let slot = self.operations[operation].key.slot();
        match (kind, reply) {
            (_, Reply::Unavailable { .. }) => Ok(Verdict { context: None, pruned: Vec::new(), durable: None }),
            (Kind::Get, Reply::Value { record, token, .. }) => self.judge_value(operation, record, token),
            (Kind::Get | Kind::Delete, Reply::Missing { token, .. }) => self.judge_missing(operation, token),
            (Kind::Put, Reply::Written { version, replicas_durable, .. })
            | (Kind::Delete, Reply::Written { version, replicas_durable, replaced: true, .. }) => {
                self.judge_written(operation, version, *replicas_durable)
            }
            _ => Err(Violation::of(slot, format!("{kind:?} was answered {reply:?}"))),
        }
    }

    fn judge_value(&mut self, operation: usize, told: &Record, token: &Arc<str>) -> Checked<Verdict> {
        let (value, version) = (told.value().unwrap_or_default(), told.version());
        let read = &self.operations[operation];
        let wrong =
            |what: String| Violation::of(read.key.slot(), format!("GET {} (operation {operation}): {what}", read.key));
        let record = self.ledger.by_version(version);
        let Some(record) = record.filter(|record| record.key() == read.key.as_str() && record.value() == Some(value))
        else {
            return Err(wrong(format!("rule 1: version {version} is not of this value on any disk")));
        };
        if read.token == Token::default() && **token != *version {
            return Err(wrong("without a token, the version and the token differ".into()));
        }
        let writer = Self::writer(value).ok_or_else(|| wrong("nobody wrote the value".into()))?;
        let may_stand = self.ledger.may_stand(record.dot);
        for known in self.known_writes(operation).into_iter().filter(|_| !may_stand) {
            if self.operations[known].past.contains(writer) {
                return Err(wrong(format!(
                    "operation {writer} was read, which operation {known} of the token's past overwrote"
                )));
            }
            if self.ranks(known).any(|rank| rank > record.rank()) && known != writer {
                return Err(wrong(format!(
                    "operation {writer} was read, which loses against operation {known} of the token's past"
                )));
            }
        }
        let mut past = read.past.clone();
        past.merge(&self.operations[writer].past);
        past.insert(writer);
        let pruned = self.check_token(operation, token)?;
        let (out, version) = (self.decode(token)?, self.decode(version)?);
        if !out.pruned && !covers(&out, &version) {
            return Err(wrong("the token does not cover the version".into()));
        }
        Ok(Verdict { context: Some(Context::new(operation, token, past)), pruned, durable: None })
    }

    fn judge_missing(&mut self, operation: usize, token: &Arc<str>) -> Checked<Verdict> {
        let read = &self.operations[operation];
        let mut past = read.past.clone();
        let known = self.known_writes(operation);
        if known.iter().any(|known| self.operations[*known].kind == Kind::Put) {
            // Some deletion is the reason: one that nothing in the token's past is above.
            let mut reasons =
                self.ledger.of_key(read.key.as_str()).filter(|record| record.is_tombstone()).filter(|tombstone| {
                    let deletion = self.deletion(tombstone.dot);
                    known.iter().all(|known| {
                        let overwritten = deletion.is_some_and(|deletion| {
                            self.operations[*known].kind == Kind::Put && self.operations[*known].past.contains(deletion)
                        });
                        !overwritten && self.ranks(*known).all(|rank| rank <= tombstone.rank())
                    })
                });
            let Some(first) = reasons.next() else {
                return Err(Violation::of(
                    read.key.slot(),
                    format!(
                        "{:?} {} (operation {operation}) found nothing, but the token's past has operations {known:?}",
                        read.kind, read.key
                    ),
                ));
            };
            // What all possible reasons have in common is known from now on (rule 4).
            let mut common = self.closure(first.dot);
            for reason in reasons {
                common.intersect(&self.closure(reason.dot));
            }
            past.merge(&common);
        }
        let pruned = self.check_token(operation, token)?;
        Ok(Verdict { context: Some(Context::new(operation, token, past)), pruned, durable: None })
    }

    fn judge_written(&mut self, operation: usize, version: &Arc<str>, replicas_durable: u32) -> Checked<Verdict> {
        let write = &self.operations[operation];
        let wrong = |what: String| {
            Violation::of(write.key.slot(), format!("{:?} {} (operation {operation}): {what}", write.kind, write.key))
        };
        let record = self.ledger.by_version(version).filter(|record| {
            record.key() == write.key.as_str() && record.is_tombstone() == (write.kind == Kind::Delete)
        });
        let Some(record) = record else {
            return Err(wrong(format!("invariant 6: acknowledged as version {version}, which is on no disk")));
        };
        let dependencies = (0..self.operations.len())
            .filter(|other| write.past.contains(*other))
            .flat_map(|other| self.operations[other].dots.iter())
            .filter_map(|dot| self.ledger.record(*dot));
        if let Some(highest) = dependencies.max_by_key(|dependency| dependency.hlc)
            && record.hlc <= highest.hlc
        {
            return Err(wrong(format!("invariant 4: {record:?} is not above {highest:?}, which it depends on")));
        }
        if record.hlc <= write.token.clock {
            return Err(wrong(format!(
                "invariant 4: {record:?} is not above its token's clock {:?}",
                write.token.clock
            )));
        }
        let dot = record.dot;
        let mut past = write.past.clone();
        past.insert(operation);
        let pruned = self.check_token(operation, version)?;
        let write = &mut self.operations[operation];
        write.acknowledged = Some(replicas_durable);
        if !write.dots.contains(&dot) {
            write.dots.push(dot);
        }
        Ok(Verdict {
            context: Some(Context::new(operation, version, past)),
            pruned,
            durable: Some((dot, replicas_durable)),
        })
    }

    /// The writes to the operation's key in its past, without those that may be forgotten (rule 12).
    fn known_writes(&self, operation: usize) -> Vec<usize> {
        let Operation { key, past, token, .. } = &self.operations[operation];
        if self.forgiving && token.pruned {
            return Vec::new();
        }
        let writes = self.by_key.get(key).into_iter().flatten().copied();
        writes.filter(|write| past.contains(*write) && !self.is_given_up(*write)).collect()
    }

    fn is_given_up(&self, write: usize) -> bool {
        let dots = &self.operations[write].dots;
        !dots.is_empty() && dots.iter().any(|dot| self.ledger.fate(*dot) != Fate::Kept)
    }

    /// The rank of a write; none when it was carried out twice, for either may be the one that was seen.
    fn ranks(&self, write: usize) -> impl Iterator<Item = (Hlc, Origin)> + '_ {
        let dots = &self.operations[write].dots;
        let single = if dots.len() == 1 { dots.as_slice() } else { &[] };
        single.iter().filter_map(|dot| self.ledger.record(*dot)).map(|record| record.rank())
    }

    /// The operation that made a tombstone, where a reply has told.
    fn deletion(&self, dot: Dot) -> Option<usize> {
        self.operations.iter().position(|operation| operation.kind == Kind::Delete && operation.dots.contains(&dot))
    }

    fn closure(&self, dot: Dot) -> Past {
        let mut past = Past::default();
        if let Some(deletion) = self.deletion(dot) {
            past = self.operations[deletion].past.clone();
            past.insert(deletion);
        }
        past
    }

    /// Invariant 10. Returns what was pruned on the way.
    fn check_token(&self, operation: usize, out: &str) -> Checked<Vec<(SlotId, Origin, u64)>> {
        let slot = self.operations[operation].key.slot();
        let (presented, out) = (&self.operations[operation].token, self.decode(out)?);
        let missing: Vec<_> = presented
            .slots()
            .flat_map(|(slot, frontier)| frontier.iter().map(move |(origin, seq)| (slot, origin, seq)))
            .filter(|(slot, origin, seq)| out.slot(*slot).is_none_or(|frontier| frontier.get(*origin) < *seq))
            .collect();
        if out.clock < presented.clock || (presented.pruned && !out.pruned) || (!out.pruned && !missing.is_empty()) {
            return Err(Violation::of(
                slot,
                format!("invariant 10: token {out:?} does not cover {presented:?} (operation {operation})"),
            ));
        }
        Ok(missing)
    }

    fn decode(&self, text: &str) -> Checked<Token> {
        Token::decode(text, &self.key).map_err(|error| Violation::new(format!("the token {text:?} is {error}")))
    }
}

fn covers(token: &Token, other: &Token) -> bool {
    let empty = Frontier::new();
    other.slots().all(|(slot, frontier)| token.slot(slot).unwrap_or(&empty).covers(frontier))
}

fn covers_dot(token: &Token, dot: Dot) -> bool {
    token.slot(dot.slot).is_some_and(|frontier| frontier.get(dot.origin) >= dot.seq)
}

#[cfg(test)]
mod tests;
