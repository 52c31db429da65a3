//! Circles of conflicts: reads that put the writes to a key in an order that no clock can have given them.

use std::collections::HashSet;

use super::{
    Pattern,
    account::{Account, Id},
    circle,
    evidence::Evidence,
    graph::{Direction, Edge, Graph, Why},
    words,
};

/// The circles in the causal order and the order that these conflicts make, but for those that come from `wrong` reads.
pub(super) fn find(account: &Account, graph: &Graph, conflicts: &[Edge], wrong: &HashSet<Id>) -> Vec<Evidence> {
    let right = |edge: &&Edge| !matches!(edge.why, Why::Conflict(read) if wrong.contains(&read));
    let mut conflicts: Vec<Edge> = conflicts.iter().filter(right).copied().collect();
    conflicts.sort_unstable();
    conflicts.dedup_by_key(|edge| (edge.from, edge.to));
    let edges = graph.edges.iter().chain(&conflicts).copied().collect();
    let (_, circles) = circle::cut(Graph::new(graph.nodes(), edges), |edge| matches!(edge.why, Why::Conflict(_)));
    circles.into_iter().map(|circle| explain(account, graph, circle)).collect()
}

fn explain(account: &Account, graph: &Graph, mut circle: Vec<Edge>) -> Evidence {
    let mut ways = Vec::new();
    let mut claims = Vec::new();
    // The way between two conflicts is one claim, however long it is.
    let conflict = circle.iter().position(|edge| matches!(edge.why, Why::Conflict(_)));
    circle.rotate_left(conflict.unwrap_or_default());
    for edges in circle.chunk_by(|left, right| [left, right].iter().all(|edge| !matches!(edge.why, Why::Conflict(_)))) {
        let (from, to) = (edges[0].from, edges[edges.len() - 1].to);
        let [earlier, later] = [from, to].map(|write| words::short(account.operations[write]));
        if let Why::Conflict(read) = edges[0].why {
            let reader = account.operations[read].client;
            claims.push(format!("client {reader}'s read puts {earlier} before {later}"));
            ways.push(graph.reach(read, Direction::Backward).way(from));
            ways.push(vec![Edge { from: to, to: read, why: Why::Read }]);
        } else {
            claims.push(format!("{earlier} was there before {later}"));
        }
        ways.push(edges.to_vec());
    }
    Evidence { ways, ..Evidence::new(Pattern::ConflictCircle, Vec::new(), claims.join(", and ")) }
}
