//! Tiny histories of any answers, lawful or not.

use conformance::history::{End, Event, Fault, History, Kind, Operation, Phase};
use proptest::{collection::vec, prelude::*};

const OPERATIONS_MAX: usize = 6;

/// One operation before it is known what there is to be read.
#[derive(Clone, Debug)]
struct Draft {
    kind: Kind,
    key: usize,
    /// Which of the earlier tokens it carries, and which put it saw, counted around.
    token: Option<usize>,
    saw: Option<usize>,
    status: u8,
    last: bool,
    durable: u32,
    lasts_us: u64,
}

fn draft() -> impl Strategy<Value = Draft> {
    let kind = prop_oneof![4 => Just(Kind::Get), 3 => Just(Kind::Put), 2 => Just(Kind::Delete)];
    let token = proptest::option::weighted(0.6, 0..OPERATIONS_MAX);
    let saw = proptest::option::weighted(0.6, 0..OPERATIONS_MAX);
    let rest = (0..10_u8, proptest::bool::weighted(0.2), 1..3_u32, prop_oneof![3 => Just(5_u64), 1 => Just(25)]);
    (kind, 0..2_usize, token, saw, rest).prop_map(|(kind, key, token, saw, (status, last, durable, lasts_us))| Draft {
        kind,
        // More on one key than on the other.
        key,
        token,
        saw,
        status,
        last,
        durable,
        lasts_us,
    })
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    let wipe = proptest::option::weighted(0.2, 0..OPERATIONS_MAX as u64);
    (vec(draft(), 2..=OPERATIONS_MAX), wipe).prop_map(|(drafts, wipe)| write_out(&drafts, wipe))
}

/// The same with times that contradict tokens and values.
pub(crate) fn nonsense() -> impl Strategy<Value = History> {
    (history(), vec((0..40_u64, 0..40_u64, any::<bool>()), OPERATIONS_MAX)).prop_map(|(mut history, times)| {
        for (event, (start_us, lasts_us, last)) in history.events.iter_mut().zip(times) {
            if let Event::Operation(operation) = event {
                (operation.start_us, operation.end_us, operation.last) = (start_us, start_us + lasts_us, last);
            }
        }
        history
    })
}

fn write_out(drafts: &[Draft], wipe: Option<u64>) -> History {
    let mut operations: Vec<Operation> = Vec::new();
    for (number, draft) in drafts.iter().enumerate() {
        let start_us = number as u64 * 10 + 10;
        let tokens = operations.iter().filter(|operation| operation.end_us <= start_us);
        let tokens: Vec<u64> = tokens.filter_map(|operation| operation.token_out).collect();
        let last = draft.last && draft.kind == Kind::Get;
        let status = status(draft);
        operations.push(Operation {
            client: number as u32,
            node: format!("node{}", number % 2 + 1),
            kind: draft.kind,
            key: ["x", "y"][draft.key].to_owned(),
            value: value(drafts, number, status),
            token_in: draft.token.filter(|_| !tokens.is_empty()).map(|token| tokens[token % tokens.len()]),
            token_out: matches!(status, Some(200 | 404)).then_some(number as u64),
            status,
            start_us: if last { start_us + 1_000 } else { start_us },
            end_us: start_us + draft.lasts_us + if last { 1_000 } else { 0 },
            durable: (draft.kind != Kind::Get).then_some(draft.durable),
            last,
        });
        // Last reads come after everything, and nothing after them.
        if last {
            let read = operations.last_mut().expect("it was just pushed");
            read.token_out = None;
        }
    }
    let wipe = wipe.map(|at| Event::Fault(destruction(at * 10 + 7)));
    let end = Event::End(End { end_us: 10_000 });
    History { events: operations.into_iter().map(Event::Operation).chain(wipe).chain([end]).collect() }
}

fn status(draft: &Draft) -> Option<u16> {
    match (draft.kind, draft.status, draft.saw) {
        (_, 0, _) => None,
        (_, 1, _) => Some(503),
        (Kind::Get, _, None) | (Kind::Delete, 2..4, _) => Some(404),
        _ => Some(200),
    }
}

/// Its own value, or that of one of the puts.
fn value(drafts: &[Draft], number: usize, status: Option<u16>) -> Option<String> {
    let draft = &drafts[number];
    match draft.kind {
        Kind::Put => Some(format!("v{number}")),
        Kind::Get if status == Some(200) => {
            let fits = |id: &usize| drafts[*id].kind == Kind::Put && drafts[*id].key == draft.key;
            let puts: Vec<usize> = (0..drafts.len()).filter(fits).collect();
            let seen = draft.saw.filter(|_| !puts.is_empty()).map(|saw| puts[saw % puts.len()]);
            Some(seen.map_or("nobody's".to_owned(), |put| format!("v{put}")))
        }
        _ => None,
    }
}

fn destruction(at_us: u64) -> Fault {
    Fault {
        number: 1,
        kind: "wipe".to_owned(),
        what: "the disk of node1 is destroyed".to_owned(),
        nodes: vec!["node1".to_owned()],
        destroys: vec!["node1".to_owned()],
        gives_up: Vec::new(),
        phase: Phase::Passes,
        start_us: at_us,
        end_us: at_us,
    }
}
