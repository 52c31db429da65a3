//! The causal order of a history: tokens that went from a reply into a request, and values that went from a write to a read.
//!
//! Last reads come after every acknowledged write that cannot be lost: one more node of the graph, the rest, lies between.

use super::{
    account::{Account, Id, Seen},
    circle,
    graph::{Edge, Graph, Why},
    loss::NEVER_US,
    sweep::{Outcome, sweep},
};
use crate::history::Wrote;

/// How often what one read tells is used to find out what another saw.
const ROUNDS_MAX: usize = 16;

/// The causal order, and what follows from it.
pub(super) struct Causality {
    /// Without circles.
    pub(super) graph: Graph,
    /// The circles that were cut.
    pub(super) circles: Vec<Vec<Edge>>,
    /// What each operation saw, as far as it could be found out.
    pub(super) seen: Vec<Seen>,
    pub(super) outcome: Outcome,
}

impl Causality {
    /// A read of nothing that can only have seen one delete has seen it, which may leave others only one.
    pub(super) fn of(account: &Account) -> Self {
        let mut seen = account.seen.clone();
        let mut circles = Vec::new();
        let mut edges = direct(account);
        let mut rounds = 0;
        loop {
            let graph = Graph::new(account.operations.len() + 1, edges);
            let (graph, cut) = circle::cut(graph, |edge| edge.why == Why::Read);
            circles.extend(cut);
            let outcome = sweep(account, &graph, &seen);
            rounds += 1;
            if outcome.decided.is_empty() || rounds == ROUNDS_MAX {
                return Self { graph, circles, seen, outcome };
            }
            edges = graph.edges;
            for (read, delete) in outcome.decided {
                seen[read] = Seen::Write(delete);
                edges.push(Edge { from: delete, to: read, why: Why::Read });
            }
        }
    }
}

fn direct(account: &Account) -> Vec<Edge> {
    let rest = rest(account);
    let mut edges = Vec::new();
    for (to, seen) in account.seen.iter().enumerate() {
        edges.extend(account.givers[to].map(|from| Edge { from, to, why: Why::Token }));
        if let Seen::Write(from) = *seen {
            edges.push(Edge { from, to, why: Why::Read });
        }
    }
    let Some(rest_us) = account.rest_us() else { return edges };
    for key in account.keys.values() {
        for &from in &key.writes {
            let write = account.operations[from];
            if write.wrote() == Wrote::Yes && account.lost_us[from] == NEVER_US && write.end_us <= rest_us {
                edges.push(Edge { from, to: rest, why: Why::Rest });
            }
        }
        edges.extend(key.last_reads.iter().map(|read| Edge { from: rest, to: *read, why: Why::Rest }));
    }
    edges
}

/// The node for "all is healed and quiet".
pub(super) fn rest(account: &Account) -> Id {
    account.operations.len()
}
