//! A small store that is causally convergent: replicas that lag, the last writer by a hybrid clock wins, tokens are sets of
//! writes. Whatever the plan asks for, it does wrong.

use std::collections::{BTreeMap, BTreeSet};

use conformance::history::{End, Event, Fault, History, Kind, Operation, Phase};

use crate::plan::{Ask, Carried, Fate, Flaw, KEYS, NODES, Plan, Step};

/// Between two steps.
const STEP_US: u64 = 10;

type Token = BTreeSet<usize>;

struct Write {
    key: usize,
    value: Option<String>,
    /// Ties are broken by the node.
    clock: (u64, usize),
    /// Itself and what it depends on.
    past: Token,
}

struct Store {
    flaw: Flaw,
    writes: Vec<Write>,
    replicas: Vec<BTreeSet<usize>>,
    /// Writes that are carried out late: where, and what.
    late: Vec<(usize, usize)>,
    operations: Vec<Operation>,
    tokens: BTreeMap<u64, Token>,
    faults: Vec<Fault>,
}

/// What a client gets.
struct Reply {
    status: u16,
    value: Option<String>,
    token: Token,
    durable: Option<u32>,
}

/// Carries a plan out, heals, and asks every node for everything.
pub(crate) fn run(plan: &Plan) -> History {
    let mut store = Store {
        flaw: plan.flaw,
        writes: Vec::new(),
        replicas: vec![BTreeSet::new(); NODES],
        late: Vec::new(),
        operations: Vec::new(),
        tokens: BTreeMap::new(),
        faults: Vec::new(),
    };
    for (step, number) in plan.steps.iter().zip(10..) {
        match step {
            Step::Ask(ask) => store.ask(ask, number * STEP_US),
            Step::Exchange { from, to } => store.exchange(*from, *to),
            Step::Wipe { node } => store.wipe(*node, number * STEP_US),
        }
    }
    let spoiled = plan.steps.iter().any(|step| matches!(step, Step::Ask(Ask { spoiled: true, .. })));
    store.heal(spoiled);
    store.read_all(1_000_000, spoiled);
    store.history()
}

impl Store {
    fn ask(&mut self, ask: &Ask, now_us: u64) {
        let start_us = now_us - ask.lead_us;
        let carried = self.carried(ask, start_us);
        let token = carried.map(|number| self.tokens[&number].clone()).unwrap_or_default();
        let number = self.operations.len() as u64;
        let written = (ask.kind == Kind::Put).then(|| format!("v{number}"));
        let reply = match (ask.kind, ask.fate) {
            (_, Fate::Dropped) | (Kind::Get, Fate::Late) => None,
            (_, Fate::Late) => {
                let write = self.make(ask, written.clone(), &token);
                self.late.push((ask.node, write));
                None
            }
            (Kind::Get, _) => Some(self.read(ask, &token)),
            (Kind::Put, _) => Some(self.write(ask, written.clone(), &token)),
            _ => Some(self.delete(ask, &token)),
        };
        let reply = reply.filter(|_| ask.fate == Fate::Answered);
        let mut operation = Operation {
            client: ask.client as u32 + 1,
            node: node(ask.node),
            kind: ask.kind,
            key: key(ask.key),
            value: written,
            token_in: carried,
            token_out: None,
            status: None,
            start_us,
            end_us: now_us + ask.lag_us,
            durable: None,
            last: false,
        };
        if let Some(reply) = reply {
            (operation.status, operation.durable) = (Some(reply.status), reply.durable);
            operation.value = operation.value.or(reply.value);
            operation.token_out = (reply.status != 503).then_some(number);
            self.tokens.insert(number, reply.token);
        }
        self.operations.push(operation);
    }

    /// A token that had come before the operation was sent.
    fn carried(&self, ask: &Ask, start_us: u64) -> Option<u64> {
        let client = ask.client as u32 + 1;
        let had = self.operations.iter().rev().filter(|operation| operation.end_us <= start_us);
        let mut tokens = had.filter_map(|operation| Some((operation.client, operation.token_out?)));
        match ask.token {
            Carried::Nothing => None,
            Carried::Own => tokens.find(|(owner, _)| *owner == client).map(|(_, token)| token),
            Carried::Other(back) => tokens.nth(back).map(|(_, token)| token),
        }
    }

    /// Whether the node has what the token names of the key, and is not lost; it asks the others if it can.
    fn covers(&mut self, ask: &Ask, token: &Token) -> bool {
        if !self.has(ask, token) && !ask.isolated {
            (0..NODES).for_each(|other| self.exchange(other, ask.node));
        }
        self.has(ask, token)
    }

    fn has(&self, ask: &Ask, token: &Token) -> bool {
        let concerns = |write: &&usize| self.writes[**write].key == ask.key;
        let exists = |write: &&usize| self.replicas.iter().any(|replica| replica.contains(*write));
        token.iter().filter(concerns).filter(exists).all(|write| self.replicas[ask.node].contains(write))
    }

    fn newest(&self, node: usize, key: usize) -> Option<usize> {
        let of_key = self.replicas[node].iter().copied().filter(|write| self.writes[*write].key == key);
        of_key.max_by_key(|write| self.writes[*write].clock)
    }

    fn read(&mut self, ask: &Ask, token: &Token) -> Reply {
        let spoiled = |flaw| ask.spoiled && self.flaw == flaw;
        let (careless, denies) = (spoiled(Flaw::IgnoresTokens), spoiled(Flaw::Denies));
        let (undead, mixes) = (spoiled(Flaw::IgnoresDeletes), spoiled(Flaw::MixesKeys));
        if !careless && !self.covers(ask, token) {
            return refusal();
        }
        let mut shown = self.newest(ask.node, if mixes { (ask.key + 1) % KEYS } else { ask.key });
        if undead {
            let values = self.replicas[ask.node].iter().copied();
            shown =
                values.filter(|write| self.writes[*write].key == ask.key && self.writes[*write].value.is_some()).max();
        }
        self.shown(ask, shown.filter(|_| !denies), token)
    }

    fn shown(&self, ask: &Ask, shown: Option<usize>, token: &Token) -> Reply {
        let value = shown.and_then(|write| self.writes[write].value.clone());
        let mut out = token.clone();
        out.extend(shown.iter().flat_map(|write| &self.writes[*write].past));
        if ask.spoiled && self.flaw == Flaw::ForgetsContext {
            out.clear();
        }
        Reply { status: if value.is_some() { 200 } else { 404 }, value, token: out, durable: None }
    }

    fn make(&mut self, ask: &Ask, value: Option<String>, token: &Token) -> usize {
        let id = self.writes.len();
        let known = self.replicas[ask.node].iter().chain(token);
        let past = known.map(|write| self.writes[*write].clock.0).max().unwrap_or_default();
        let clock = if ask.spoiled && self.flaw == Flaw::BreaksClocks { (0, id) } else { (past + 1, ask.node) };
        let mut past = token.clone();
        past.insert(id);
        self.writes.push(Write { key: ask.key, value, clock, past });
        id
    }

    fn write(&mut self, ask: &Ask, value: Option<String>, token: &Token) -> Reply {
        self.covers(ask, token);
        let id = self.make(ask, value, token);
        let token = self.writes[id].past.clone();
        if ask.spoiled && self.flaw == Flaw::LosesWrites {
            return Reply { status: 200, value: None, token, durable: Some(1) };
        }
        self.replicas[ask.node].insert(id);
        if !ask.isolated {
            self.replicas[(ask.node + 1) % NODES].insert(id);
        }
        Reply { status: 200, value: None, token, durable: Some(if ask.isolated { 1 } else { 2 }) }
    }

    fn delete(&mut self, ask: &Ask, token: &Token) -> Reply {
        let covered = self.covers(ask, token);
        let newest = self.newest(ask.node, ask.key);
        match newest.filter(|write| self.writes[*write].value.is_some()) {
            Some(_) => self.write(ask, None, token),
            None if covered => self.shown(ask, newest, token),
            None => refusal(),
        }
    }

    fn exchange(&mut self, from: usize, to: usize) {
        let has = self.replicas[from].clone();
        self.replicas[to].extend(has);
    }

    fn wipe(&mut self, victim: usize, now_us: u64) {
        self.replicas[victim].clear();
        self.faults.push(Fault {
            number: self.faults.len() as u32,
            kind: "wipe".to_owned(),
            what: format!("the disk of {} is destroyed", node(victim)),
            nodes: vec![node(victim)],
            destroys: vec![node(victim)],
            gives_up: Vec::new(),
            phase: Phase::Passes,
            start_us: now_us,
            end_us: now_us,
        });
    }

    fn heal(&mut self, spoiled: bool) {
        for (node, write) in std::mem::take(&mut self.late) {
            self.replicas[node].insert(write);
        }
        let keeps_back = usize::from(spoiled && self.flaw == Flaw::Diverges);
        for to in keeps_back..NODES {
            (0..NODES).for_each(|from| self.exchange(from, to));
        }
    }

    fn read_all(&mut self, start_us: u64, spoiled: bool) {
        for asked in 0..NODES {
            let mut count = usize::from(spoiled && self.flaw == Flaw::Miscounts);
            for of in 0..KEYS {
                let newest = self.newest(asked, of);
                let value = newest.and_then(|write| self.writes[write].value.clone());
                count += usize::from(value.is_some());
                self.last(asked, Kind::Get, key(of), value, start_us);
            }
            self.last(asked, Kind::Count, "1".to_owned(), Some(count.to_string()), start_us);
        }
    }

    fn last(&mut self, asked: usize, kind: Kind, key: String, value: Option<String>, start_us: u64) {
        self.operations.push(Operation {
            client: 99,
            node: node(asked),
            kind,
            key,
            status: Some(if value.is_some() { 200 } else { 404 }),
            value,
            token_in: None,
            token_out: None,
            start_us,
            end_us: start_us + 1,
            durable: None,
            last: true,
        });
    }

    fn history(self) -> History {
        let operations = self.operations.into_iter().map(|operation| (operation.end_us, Event::Operation(operation)));
        let mut events: Vec<_> = operations.collect();
        events.extend(self.faults.into_iter().map(|fault| (fault.end_us, Event::Fault(fault))));
        events.sort_by_key(|(end_us, _)| *end_us);
        let end = Event::End(End { end_us: 2_000_000 });
        History { events: events.into_iter().map(|(_, event)| event).chain([end]).collect() }
    }
}

fn refusal() -> Reply {
    Reply { status: 503, value: None, token: Token::new(), durable: None }
}

fn node(number: usize) -> String {
    format!("node{}", number + 1)
}

fn key(number: usize) -> String {
    ["x", "y", "z"][number].to_owned()
}
