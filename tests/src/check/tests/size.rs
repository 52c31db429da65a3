//! Long histories.

use std::collections::BTreeMap;

use super::lines::history;
use crate::{
    check::{Pattern, Verdict, check},
    history::{End, Event, Fault, History, Kind, Operation, Phase},
};

/// A chain of writes to one key, each with the token of the last, and reads of each at the end.
fn chain(writes: u64, read: u64) -> Vec<Event> {
    let line = |number: u64, text: String| -> Operation {
        let one = history(&[&text]);
        let mut operation = one.operations().next().expect("one operation").clone();
        (operation.start_us, operation.end_us, operation.token_out) = (number * 10, number * 10 + 5, Some(number));
        operation
    };
    let write = |number: u64| Operation { token_in: number.checked_sub(1), ..line(number, format!("put x={number}")) };
    let mut operations: Vec<Operation> = (0..writes).map(write).collect();
    operations.push(Operation { token_in: Some(writes - 1), ..line(writes, format!("get x={read}")) });
    operations.push(line(writes + 1, format!("get x={} last", writes - 1)));
    operations.into_iter().map(Event::Operation).chain([Event::End(End { end_us: u64::MAX })]).collect()
}

#[test]
fn a_key_with_more_writes_than_are_treated_at_once_is_judged() {
    let judge = |read| check(&History { events: chain(5_000, read) });
    assert_eq!(judge(4_999), Verdict::Valid);
    for read in [0, 4_095, 4_096, 4_998] {
        assert!(matches!(judge(read), Verdict::Invalid(findings) if findings.len() == 1), "{read}");
    }
}

/// A fixed sequence that mixes well enough.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What a store of one copy answers to clients who do not get every reply, while disks are destroyed that nobody needs.
fn long(operations: u64, keys: u64) -> History {
    const CLIENTS: u64 = 32;
    let (mut values, mut tokens) = (BTreeMap::new(), BTreeMap::new());
    let (mut events, mut dice) = (Vec::new(), Dice(1));
    for number in 0..operations {
        let (client, key) = (dice.below(CLIENTS), format!("key{}", dice.below(keys)));
        let silent = dice.below(50) == 0;
        let owner = if dice.below(8) == 0 { dice.below(CLIENTS) } else { client };
        let kind = [Kind::Get, Kind::Get, Kind::Put, Kind::Put, Kind::Delete][dice.below(5) as usize];
        let before = values.get(&key).cloned();
        let written = (kind == Kind::Put).then(|| number.to_string());
        match (kind, &written) {
            (Kind::Put, Some(value)) => drop(values.insert(key.clone(), value.clone())),
            (Kind::Delete, _) => drop(values.remove(&key)),
            _ => {}
        }
        let mut operation = operation(kind, key, if before.is_some() || kind == Kind::Put { 200 } else { 404 });
        operation.value = written.or(before.filter(|_| kind == Kind::Get && !silent));
        operation.token_in = tokens.get(&owner).copied();
        (operation.client, operation.start_us, operation.end_us) = (client as u32, number * 10, number * 10 + 5);
        if silent {
            operation.status = None;
        } else {
            operation.token_out = Some(number);
            tokens.insert(client, number);
        }
        events.push(Event::Operation(operation));
        if number % (operations / 10) == 0 {
            events.push(Event::Fault(destruction(number % 3, number * 10)));
        }
    }
    for key in (0..keys).map(|number| format!("key{number}")) {
        let value = values.remove(&key);
        let read = operation(Kind::Get, key, if value.is_some() { 200 } else { 404 });
        let (start_us, end_us) = (operations * 10, operations * 10 + 5);
        events.push(Event::Operation(Operation { value, start_us, end_us, last: true, ..read }));
    }
    events.push(Event::End(End { end_us: u64::MAX }));
    History { events }
}

fn operation(kind: Kind, key: String, status: u16) -> Operation {
    Operation {
        client: 1,
        node: "node1".to_owned(),
        kind,
        key,
        value: None,
        token_in: None,
        token_out: None,
        status: Some(status),
        start_us: 0,
        end_us: 0,
        durable: matches!(kind, Kind::Put | Kind::Delete).then_some(2),
        last: false,
    }
}

fn destruction(node: u64, at_us: u64) -> Fault {
    let nodes = vec![format!("node{node}")];
    let what = format!("the disk of node{node} is destroyed");
    let destroys = nodes.clone();
    Fault {
        number: 1,
        kind: "wipe".into(),
        what,
        nodes,
        destroys,
        gives_up: Vec::new(),
        phase: Phase::Passes,
        start_us: at_us,
        end_us: at_us,
    }
}

#[test]
fn a_long_history_is_judged_and_one_old_answer_in_it_found() {
    let mut history = long(10_000, 20);
    assert_eq!(check(&history), Verdict::Valid);
    let (mut oldest, mut spoiled) = (BTreeMap::new(), false);
    for event in &mut history.events {
        let Event::Operation(operation) = event else { continue };
        let Some(value) = &operation.value else { continue };
        if operation.kind == Kind::Put {
            oldest.entry(operation.key.clone()).or_insert(value.clone());
        } else if !spoiled && operation.start_us > 90_000 && operation.token_in.is_some() {
            (operation.value, spoiled) = (oldest.get(&operation.key).cloned(), true);
        }
    }
    let Verdict::Invalid(findings) = check(&history) else { panic!("an old value is lawful") };
    assert_eq!(findings[0].pattern, Pattern::OverwrittenRead);
}
