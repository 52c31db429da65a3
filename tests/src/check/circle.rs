//! Circles: where what came before came after. Shortest first, as many as are worth telling.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    account::Id,
    graph::{Direction, Edge, Graph},
};

/// How many circles are looked for.
const CIRCLES_MAX: usize = 10;
/// From how many edges a shorter circle is looked for.
const STARTS_MAX: usize = 2_000;

/// Removes edges that `may_go` until no circle is left; gives a shortest circle for each time.
pub(super) fn cut(mut graph: Graph, may_go: impl Fn(&Edge) -> bool) -> (Graph, Vec<Vec<Edge>>) {
    let nodes = graph.nodes();
    let mut circles = Vec::new();
    loop {
        let tangle = Tangle::of(&graph);
        if tangle.nodes.is_empty() {
            return (graph, circles);
        }
        let within = |edge: &Edge| tangle.nodes.contains(&edge.from) && tangle.nodes.contains(&edge.to);
        let circle = if circles.len() < CIRCLES_MAX { tangle.shortest(&graph, &may_go) } else { None };
        let removed: HashSet<Edge> = match &circle {
            Some(circle) => circle.iter().filter(|edge| may_go(edge)).copied().collect(),
            None => graph.edges.iter().filter(|edge| within(edge)).copied().collect(),
        };
        circles.extend(circle);
        graph = Graph::new(nodes, graph.edges.into_iter().filter(|edge| !removed.contains(edge)).collect());
    }
}

/// The nodes on circles and between them.
struct Tangle {
    nodes: HashSet<Id>,
}

impl Tangle {
    fn of(graph: &Graph) -> Self {
        let ahead: HashSet<Id> = graph.order(Direction::Forward).into_iter().collect();
        if ahead.len() == graph.nodes() {
            return Self { nodes: HashSet::new() };
        }
        let behind: HashSet<Id> = graph.order(Direction::Backward).into_iter().collect();
        Self { nodes: (0..graph.nodes()).filter(|node| !ahead.contains(node) && !behind.contains(node)).collect() }
    }

    /// A shortest circle through one of the edges that `through` picks.
    fn shortest(&self, graph: &Graph, through: impl Fn(&Edge) -> bool) -> Option<Vec<Edge>> {
        let mut best: Option<Vec<Edge>> = None;
        let starts = graph.edges.iter().filter(|edge| through(edge) && self.nodes.contains(&edge.from));
        for (tried, edge) in starts.filter(|edge| self.nodes.contains(&edge.to)).enumerate() {
            if tried >= STARTS_MAX && best.is_some() {
                break;
            }
            let limit = best.as_ref().map_or(usize::MAX, |best| best.len() - 1);
            if let Some(way) = self.way_back(graph, edge, limit) {
                best = Some([vec![*edge], way].concat());
            }
        }
        best
    }

    /// From the end of `edge` to its beginning, in fewer than `limit` edges.
    fn way_back(&self, graph: &Graph, edge: &Edge, limit: usize) -> Option<Vec<Edge>> {
        let mut reached: HashMap<Id, Edge> = HashMap::new();
        let mut queue = VecDeque::from([(edge.to, 1)]);
        while let Some((node, length)) = queue.pop_front() {
            if length >= limit {
                return None;
            }
            for next in graph.edges_after(node).filter(|next| self.nodes.contains(&next.to)) {
                if next.to == edge.to || reached.contains_key(&next.to) {
                    continue;
                }
                reached.insert(next.to, *next);
                if next.to == edge.from {
                    return Some(retrace(&reached, edge.to, edge.from));
                }
                queue.push_back((next.to, length + 1));
            }
        }
        None
    }
}

fn retrace(reached: &HashMap<Id, Edge>, from: Id, to: Id) -> Vec<Edge> {
    let mut way = Vec::new();
    let mut node = to;
    while node != from {
        let edge = reached[&node];
        way.push(edge);
        node = edge.from;
    }
    way.reverse();
    way
}
