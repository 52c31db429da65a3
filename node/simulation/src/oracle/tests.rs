//! The oracle by itself: hand-made histories, good ones that it must accept and spoiled ones that it must catch.

use std::sync::Arc;

use node_core::{Dot, Hlc, Key, Origin, Record, Reply, ShardId, Token, TokenKey};

use crate::{
    oracle::{Context, Kind, Oracle, Verdict},
    violation::Checked,
};

/// A history on one key, told by what a right or wrong store would have stored and answered.
struct History {
    oracle: Oracle,
    key: Key,
    clock: u64,
}

/// A write that was carried out: what its client carries then, and the reply that it got.
struct Written {
    context: Context,
    record: Arc<Record>,
}

fn origin(uuid: u64) -> Origin {
    Origin { uuid, epoch: 1 }
}

impl History {
    fn new() -> Self {
        Self { oracle: Oracle::new(), key: Key::new("course1").expect("a key"), clock: 100 }
    }

    fn record(&self, operation: usize, kind: Kind, context: &Context, by: (u64, u64), hlc: u64) -> Arc<Record> {
        let key = TokenKey::new(None);
        let dot = Dot { slot: self.key.slot(), origin: origin(by.0), seq: by.1 };
        let mut version = Token::decode(&context.token, &key).expect("a token");
        version.observe(dot);
        version.clock = Hlc(hlc);
        let value = (kind == Kind::Put).then(|| Oracle::value(operation));
        Arc::new(Record::new(&self.key, value.as_deref(), Hlc(hlc), dot, &version.encode(&key)))
    }

    /// A write by the origin and sequence number `by`, with a clock above all before.
    fn write(&mut self, kind: Kind, context: &Context, by: (u64, u64)) -> Checked<Written> {
        self.clock += 1;
        self.write_at(kind, context, by, self.clock)
    }

    fn write_at(&mut self, kind: Kind, context: &Context, by: (u64, u64), hlc: u64) -> Checked<Written> {
        let (operation, _) = self.oracle.begin(kind, &self.key, context)?;
        let record = self.record(operation, kind, context, by, hlc);
        self.oracle.persisted(&record)?;
        let reply = Reply::Written {
            replaced: kind == Kind::Delete,
            version: record.version().into(),
            shard: ShardId(1),
            replicas_durable: 1,
            replicas_written: 1,
        };
        let context = self.oracle.judge(operation, &reply)?.context.expect("a written reply has a token");
        Ok(Written { context, record })
    }

    fn read(&mut self, context: &Context, found: &Arc<Record>, token: &str) -> Checked<Verdict> {
        let (operation, _) = self.oracle.begin(Kind::Get, &self.key, context)?;
        let reply = Reply::Value { record: Arc::clone(found), token: token.into(), shard: ShardId(1) };
        self.oracle.judge(operation, &reply)
    }

    fn find_nothing(&mut self, context: &Context) -> Checked<Verdict> {
        let (operation, _) = self.oracle.begin(Kind::Get, &self.key, context)?;
        let reply = Reply::Missing { token: Arc::clone(&context.token), shard: ShardId(1) };
        self.oracle.judge(operation, &reply)
    }
}

fn must_say(verdict: Checked<Verdict>, words: &str) {
    let violation = verdict.expect_err("a spoiled history is caught");
    assert!(violation.what.contains(words), "{words} is not in: {violation}");
}

#[test]
fn a_right_history_is_accepted() -> Checked {
    let mut history = History::new();
    let nobody = Context::default();
    let first = history.write(Kind::Put, &nobody, (1, 1))?;
    history.read(&nobody, &first.record, first.record.version())?;
    let second = history.write(Kind::Put, &first.context, (2, 1))?;
    let seen = history.read(&first.context, &second.record, second.record.version())?;
    let deletion = history.write(Kind::Delete, &seen.context.expect("a token"), (1, 2))?;
    history.find_nothing(&deletion.context)?;
    history.find_nothing(&nobody)?;
    // Concurrent with everything, and not known to the reader: either may be seen.
    let third = history.write(Kind::Put, &nobody, (3, 1))?;
    history.read(&nobody, &third.record, third.record.version())?;
    history.read(&nobody, &first.record, first.record.version())?;
    Ok(())
}

#[test]
fn an_overwritten_value_is_caught() -> Checked {
    let mut history = History::new();
    let first = history.write(Kind::Put, &Context::default(), (1, 1))?;
    let second = history.write(Kind::Put, &first.context, (2, 1))?;
    must_say(history.read(&second.context, &first.record, second.record.version()), "overwrote");
    Ok(())
}

#[test]
fn a_value_that_loses_against_a_known_one_is_caught() -> Checked {
    let mut history = History::new();
    let low = history.write(Kind::Put, &Context::default(), (1, 1))?;
    let high = history.write(Kind::Put, &Context::default(), (2, 1))?;
    let token = {
        let key = TokenKey::new(None);
        let mut token = Token::decode(high.record.version(), &key).expect("a token");
        token.observe(low.record.dot);
        token.encode(&key)
    };
    must_say(history.read(&high.context, &low.record, &token), "loses against");
    Ok(())
}

#[test]
fn nothing_where_something_is_known_is_caught() -> Checked {
    let mut history = History::new();
    let first = history.write(Kind::Put, &Context::default(), (1, 1))?;
    must_say(history.find_nothing(&first.context), "found nothing");
    // A deletion that the known write is above is no excuse.
    let deletion = history.write(Kind::Delete, &first.context, (1, 2))?;
    let again = history.write(Kind::Put, &deletion.context, (2, 1))?;
    must_say(history.find_nothing(&again.context), "found nothing");
    Ok(())
}

#[test]
fn a_deletion_that_was_seen_is_part_of_the_past() -> Checked {
    let mut history = History::new();
    let first = history.write(Kind::Put, &Context::default(), (1, 1))?;
    history.write(Kind::Delete, &first.context, (2, 1))?;
    let seen = history.find_nothing(&first.context)?.context.expect("a token");
    must_say(history.read(&seen, &first.record, first.record.version()), "overwrote");
    Ok(())
}

#[test]
fn a_lost_write_may_be_forgotten() -> Checked {
    let mut history = History::new();
    let first = history.write(Kind::Put, &Context::default(), (1, 1))?;
    history.oracle.ledger.set_lost(first.record.dot);
    history.find_nothing(&first.context)?;
    Ok(())
}

#[test]
fn a_clock_below_a_dependency_is_caught() -> Checked {
    let mut history = History::new();
    let first = history.write(Kind::Put, &Context::default(), (1, 1))?;
    let violation = history.write_at(Kind::Put, &first.context, (2, 1), 7).err().expect("a spoiled history is caught");
    assert!(violation.what.contains("invariant 4"), "{violation}");
    Ok(())
}

#[test]
fn a_token_that_forgets_is_caught() -> Checked {
    let mut history = History::new();
    let first = history.write(Kind::Put, &Context::default(), (1, 1))?;
    let other = history.write(Kind::Put, &Context::default(), (2, 1))?;
    must_say(history.read(&first.context, &other.record, other.record.version()), "invariant 10");
    Ok(())
}

#[test]
fn a_dot_used_twice_is_caught() -> Checked {
    let mut history = History::new();
    history.write(Kind::Put, &Context::default(), (1, 1))?;
    let violation = history.write(Kind::Put, &Context::default(), (1, 1)).err().expect("a spoiled history is caught");
    assert!(violation.what.contains("invariant 1"), "{violation}");
    Ok(())
}

#[test]
fn a_value_from_nowhere_is_caught() -> Checked {
    let mut history = History::new();
    let (operation, _) = history.oracle.begin(Kind::Put, &history.key.clone(), &Context::default())?;
    // On no disk: the write was announced before its sync.
    let record = history.record(operation, Kind::Put, &Context::default(), (1, 1), 200);
    must_say(history.read(&Context::default(), &record, record.version()), "rule 1");
    Ok(())
}
