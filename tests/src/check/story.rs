//! Tells evidence as a story that is short enough to read: a line for each operation that matters, a line for each way that
//! is too long to tell, and the faults that may have had a part in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    account::{Account, Id},
    causality,
    evidence::Evidence,
    finding::{Arrow, Because, Finding, Line},
    graph::{Edge, Why},
    words,
};
use crate::history::{Fault, Kind};

/// Ways are told in full as long as there are not more operations than this.
const OPERATIONS_MAX: usize = 5;
/// Faults are told as long as there are not more lines than this.
const LINES_MAX: usize = 6;
const FAULTS_MAX: usize = 2;
const COUNTS_MAX: usize = 5;

/// Tells it.
pub(super) fn tell(account: &Account, evidence: &Evidence) -> Finding {
    let mut plot = Plot { account, operations: BTreeSet::new(), links: BTreeMap::new() };
    plot.operations.extend(evidence.operations.iter().take(COUNTS_MAX));
    plot.follow(&evidence.ways);
    Finding { pattern: evidence.pattern, lines: plot.lines(), so: evidence.so.clone(), arrows: plot.arrows() }
}

struct Plot<'a> {
    account: &'a Account<'a>,
    operations: BTreeSet<Id>,
    links: BTreeMap<(Id, Id), Link>,
}

/// How one operation of the story leads to another.
struct Link {
    because: Because,
    /// How what the one did came to the other.
    way: Vec<Edge>,
}

impl Plot<'_> {
    fn follow(&mut self, ways: &[Vec<Edge>]) {
        let rest = causality::rest(self.account);
        let mut ways: Vec<&[Edge]> = ways.iter().flat_map(|way| at_rest(way, rest)).collect();
        ways.sort_by_key(|way| way.len());
        self.operations.extend(ways.iter().flat_map(|way| [way[0].from, way[way.len() - 1].to]));
        for way in ways {
            self.link(way, rest);
        }
    }

    fn link(&mut self, way: &[Edge], rest: Id) {
        let (from, to) = (way[0].from, way[way.len() - 1].to);
        let over_rest = way[0].to == rest;
        let between: BTreeSet<Id> = way.iter().skip(1).map(|edge| edge.from).collect();
        let told = self.operations.union(&between).count();
        if over_rest || way.len() > 1 && told > OPERATIONS_MAX {
            let because = if over_rest { Because::Rest } else { Because::Way(between.len()) };
            self.links.entry((from, to)).or_insert(Link { because, way: way.to_vec() });
            return;
        }
        self.operations.extend(between);
        for edge in way {
            let because = match edge.why {
                Why::Token => Because::Token,
                Why::Read => Because::Read,
                Why::Rest => Because::Rest,
                Why::Conflict(_) => Because::Order,
            };
            self.links.entry((edge.from, edge.to)).or_insert(Link { because, way: vec![*edge] });
        }
    }

    /// A write can be seen as soon as it is sent, a read knows what it saw only when it is answered.
    fn at_us(&self, id: Id) -> u64 {
        let operation = self.account.operations[id];
        match operation.kind {
            Kind::Put | Kind::Delete => operation.start_us,
            Kind::Get | Kind::Count => operation.end_us,
        }
    }

    fn lines(&self) -> Vec<Line> {
        let mut operations: Vec<Id> = self.operations.iter().copied().collect();
        operations.sort_by_key(|id| (self.at_us(*id), *id));
        let mut lines: Vec<Line> = operations.iter().flat_map(|id| self.told(*id)).collect();
        for (event, fault) in self.faults(&operations, LINES_MAX.saturating_sub(lines.len())) {
            let place = lines.iter().position(|line| line.at_us.is_some_and(|at_us| at_us >= fault.start_us));
            // Before the ways to an operation, which have no time of their own.
            let place = place.unwrap_or(lines.len());
            let ways = lines[..place].iter().rev().take_while(|line| line.at_us.is_none()).count();
            let line = Line { event: Some(event), at_us: Some(fault.start_us), text: fault.what.clone() };
            lines.insert(place - ways, line);
        }
        lines
    }

    /// The line of an operation, after those of the ways to it.
    fn told(&self, id: Id) -> Vec<Line> {
        let operations = &self.account.operations;
        let to = self.links.iter().filter(|((_, to), _)| *to == id);
        let ways = to.clone().filter(|(_, link)| matches!(link.because, Because::Way(_)));
        let way =
            |((from, _), link): (&(Id, Id), &Link)| Line { event: None, at_us: None, text: self.way(*from, id, link) };
        let mut lines: Vec<Line> = ways.map(way).collect();
        let token = to.clone().find(|(_, link)| link.because == Because::Token);
        lines.push(Line {
            event: Some(self.account.events[id]),
            at_us: Some(self.at_us(id)),
            text: words::line(operations[id], token.map(|((from, _), _)| operations[*from].client)),
        });
        lines
    }

    fn way(&self, from: Id, to: Id, link: &Link) -> String {
        let [from, to] = [from, to].map(|id| self.account.operations[id]);
        let told = words::short(from);
        let what = if link.way[0].why == Why::Token { format!("the token of {told}") } else { told };
        let steps = link.way.len() - 1;
        let operations = if steps == 1 { "operation" } else { "operations" };
        format!("{what} reached client {} by way of {steps} {operations}", to.client)
    }

    /// Those about nodes of the story in its time, the nearest to its end.
    fn faults(&self, operations: &[Id], room: usize) -> Vec<(usize, &Fault)> {
        let nodes: BTreeSet<&String> = operations.iter().map(|id| &self.account.operations[*id].node).collect();
        let (Some(first), Some(last)) = (operations.first(), operations.last()) else { return Vec::new() };
        let time_us = self.at_us(*first)..=self.at_us(*last);
        let concerned = self.account.faults.iter().filter(|(_, fault)| {
            time_us.contains(&fault.start_us) && fault.nodes.iter().any(|node| nodes.contains(node))
        });
        let mut faults: Vec<_> = concerned.map(|(event, fault)| (*event, *fault)).collect();
        faults.sort_by_key(|(_, fault)| fault.start_us);
        faults.split_off(faults.len().saturating_sub(room.min(FAULTS_MAX)))
    }

    fn arrows(&self) -> Vec<Arrow> {
        let event = |id: Id| self.account.events[id];
        let arrow = |((from, to), link): (&(Id, Id), &Link)| Arrow {
            from: event(*from),
            to: event(*to),
            because: link.because,
        };
        self.links.iter().map(arrow).collect()
    }
}

/// A way in pieces: what leads to the rest and away from it is a piece of its own.
fn at_rest(way: &[Edge], rest: Id) -> impl Iterator<Item = &[Edge]> {
    let touches = move |edge: &Edge| edge.from == rest || edge.to == rest;
    let pieces = way.chunk_by(move |left, right| touches(left) == touches(right));
    pieces.filter(move |piece| piece[0].from != rest && piece[piece.len() - 1].to != rest)
}
