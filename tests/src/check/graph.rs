//! What came before what, as a graph: its order, its ways and its circles.
//!
//! It does not know what its nodes are. Every answer depends on the order of the edges only.

use std::collections::{HashSet, VecDeque};

use super::account::Id;

/// Why one came before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Why {
    /// The later carried the token that the earlier got.
    Token,
    /// The later saw what the earlier wrote.
    Read,
    /// All was healed and quiet in between.
    Rest,
    /// This read saw the later, though it knew of the earlier.
    Conflict(Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: Id,
    pub(super) to: Id,
    pub(super) why: Why,
}

#[derive(Clone, Copy)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// Edges, and those at each node.
pub(super) struct Graph {
    pub(super) edges: Vec<Edge>,
    out: Incidence,
    into: Incidence,
}

/// The numbers of the edges at each node.
struct Incidence {
    starts: Vec<usize>,
    edges: Vec<usize>,
}

impl Incidence {
    fn new(nodes: usize, ends: impl Iterator<Item = Id> + Clone) -> Self {
        let mut starts = vec![0; nodes + 1];
        ends.clone().for_each(|node| starts[node + 1] += 1);
        (0..nodes).for_each(|node| starts[node + 1] += starts[node]);
        let mut next = starts.clone();
        let mut edges = vec![0; starts[nodes]];
        for (edge, node) in ends.enumerate() {
            edges[next[node]] = edge;
            next[node] += 1;
        }
        Self { starts, edges }
    }

    fn of(&self, node: Id) -> &[usize] {
        &self.edges[self.starts[node]..self.starts[node + 1]]
    }
}

impl Graph {
    pub(super) fn new(nodes: usize, edges: Vec<Edge>) -> Self {
        let out = Incidence::new(nodes, edges.iter().map(|edge| edge.from));
        let into = Incidence::new(nodes, edges.iter().map(|edge| edge.to));
        Self { edges, out, into }
    }

    pub(super) fn nodes(&self) -> usize {
        self.out.starts.len() - 1
    }

    /// What comes directly before `node`.
    pub(super) fn before(&self, node: Id) -> impl Iterator<Item = Id> + '_ {
        self.into.of(node).iter().map(|edge| self.edges[*edge].from)
    }

    /// The edges to what comes directly after `node`.
    pub(super) fn edges_after(&self, node: Id) -> impl Iterator<Item = &Edge> + '_ {
        self.out.of(node).iter().map(|edge| &self.edges[*edge])
    }

    fn at(&self, node: Id, direction: Direction) -> (&[usize], fn(&Edge) -> Id) {
        match direction {
            Direction::Forward => (self.out.of(node), |edge| edge.to),
            Direction::Backward => (self.into.of(node), |edge| edge.from),
        }
    }

    /// The nodes so that each comes after all that are before it; those on circles and behind them are left out.
    pub(super) fn order(&self, direction: Direction) -> Vec<Id> {
        let opposite = match direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let mut waiting: Vec<usize> = (0..self.nodes()).map(|node| self.at(node, opposite).0.len()).collect();
        let mut order: Vec<Id> = (0..self.nodes()).filter(|node| waiting[*node] == 0).collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            let (edges, end) = self.at(node, direction);
            for edge in edges {
                let node = end(&self.edges[*edge]);
                waiting[node] -= 1;
                if waiting[node] == 0 {
                    order.push(node);
                }
            }
        }
        order
    }

    /// What can be reached from `start`, by ways as short as can be.
    pub(super) fn reach(&self, start: Id, direction: Direction) -> Reach<'_> {
        let mut steps = vec![None; self.nodes()];
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, distance)) = queue.pop_front() {
            let (edges, end) = self.at(node, direction);
            for edge in edges.iter().map(|edge| &self.edges[*edge]) {
                let next = end(edge);
                if next != start && steps[next].is_none() {
                    steps[next] = Some((distance + 1, *edge));
                    queue.push_back((next, distance + 1));
                }
            }
        }
        Reach { graph: self, start, direction, steps }
    }
}

/// Shortest ways between one node and others.
pub(super) struct Reach<'a> {
    graph: &'a Graph,
    start: Id,
    direction: Direction,
    /// How far each node is, and the last edge of its way.
    steps: Vec<Option<(usize, Edge)>>,
}

impl Reach<'_> {
    /// How many edges away a node is, if it can be reached. The start cannot.
    pub(super) fn distance(&self, node: Id) -> Option<usize> {
        self.steps[node].map(|(distance, _)| distance)
    }

    /// The way between the start and `node`, in the direction of its edges.
    pub(super) fn way(&self, mut node: Id) -> Vec<Edge> {
        let mut way = Vec::new();
        while node != self.start {
            let Some((_, edge)) = self.steps[node] else { return Vec::new() };
            way.push(edge);
            node = match self.direction {
                Direction::Forward => edge.from,
                Direction::Backward => edge.to,
            };
        }
        if matches!(self.direction, Direction::Forward) {
            way.reverse();
        }
        way
    }

    /// Those of `nodes` from which no other of them lies on a way to the start: the latest. Of what comes before it only.
    pub(super) fn latest(&self, nodes: &HashSet<Id>) -> Vec<Id> {
        let mut followed = vec![false; self.steps.len()];
        for node in self.graph.order(Direction::Backward) {
            let reachable = |edge: &&Edge| self.steps[edge.to].is_some();
            let mut after = self.graph.edges_after(node).filter(reachable);
            followed[node] = after.any(|edge| followed[edge.to] || nodes.contains(&edge.to));
        }
        nodes.iter().copied().filter(|node| self.steps[*node].is_some() && !followed[*node]).collect()
    }
}
