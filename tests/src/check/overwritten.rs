//! Reads that missed a write of their own past, explained: which write, and how the reader came to know of it.
//!
//! When the only way leads over the rest, the write is not missed but lost.

use std::collections::BTreeMap;

use super::{
    Pattern,
    account::{Account, Id},
    evidence::Evidence,
    graph::{Direction, Edge, Graph, Why},
    sweep::Outcome,
    words,
};

/// How many reads are explained, and how many of one key: the first ones.
const EXPLAINED_MAX: usize = 100;
const EXPLAINED_OF_KEY_MAX: usize = 4;

/// Explains what the sweep found.
pub(super) fn explain(account: &Account, graph: &Graph, outcome: &Outcome) -> Vec<Evidence> {
    let missed = outcome.overwritten.iter().map(|(read, write)| (*read, Some(*write)));
    let mut all: Vec<_> = missed.chain(outcome.impossible.iter().map(|read| (*read, None))).collect();
    all.sort_unstable();
    let mut of_key = BTreeMap::new();
    all.retain(|(read, _)| {
        let count = of_key.entry(&account.operations[*read].key).or_insert(0);
        *count += 1;
        *count <= EXPLAINED_OF_KEY_MAX
    });
    let explain = |(read, write): (Id, Option<Id>)| match write {
        Some(write) => overwritten(account, graph, read, write),
        None => impossible(account, graph, read),
    };
    all.into_iter().take(EXPLAINED_MAX).map(explain).collect()
}

/// `read` saw `write`, and a later one is in its past: of these the one with the shortest ways.
fn overwritten(account: &Account, graph: &Graph, read: Id, write: Id) -> Evidence {
    let (past, future) = (graph.reach(read, Direction::Backward), graph.reach(write, Direction::Forward));
    let length = |later: Id| Some(past.distance(later)? + future.distance(later)?);
    let writes = account.of_key(read).writes.iter().copied();
    let later = writes.filter(|later| *later != write && account.binds(*later, read));
    let (_, later) = later.filter_map(|later| Some((length(later)?, later))).min().expect("the sweep saw it");
    let to_read = past.way(later);
    let lost = is_lost(&to_read);
    let told = match (lost, account.is_delete(later)) {
        (true, true) => "an acknowledged delete is lost: what it deleted is there again".to_owned(),
        (true, false) => "an acknowledged write is lost: what it replaced is there again".to_owned(),
        (false, true) => "a value was read, though the reader's token names its deletion".to_owned(),
        (false, false) => {
            let [earlier, later] = [write, later].map(|write| words::short(account.operations[write]));
            format!("{earlier} was read, though the reader's token names {later}, which followed it")
        }
    };
    let ways = vec![future.way(later), to_read, vec![Edge { from: write, to: read, why: Why::Read }]];
    let pattern = if lost { Pattern::LostWrite } else { Pattern::OverwrittenRead };
    Evidence { missed: Some(later), ways, ..Evidence::new(pattern, Vec::new(), told) }
}

/// Nothing was read, and no delete can follow the latest writes of the past: of these the nearest.
fn impossible(account: &Account, graph: &Graph, read: Id) -> Evidence {
    let past = graph.reach(read, Direction::Backward);
    let writes = account.of_key(read).writes.iter().copied();
    let latest = past.latest(&writes.filter(|write| account.binds(*write, read)).collect());
    let nearest = latest.into_iter().min_by_key(|write| (past.distance(*write), *write));
    let missed = nearest.expect("the sweep saw one");
    let way = past.way(missed);
    let (pattern, so) = if is_lost(&way) {
        (Pattern::LostWrite, "an acknowledged write is lost")
    } else if account.is_delete(read) {
        (Pattern::MissedWrite, "a delete found nothing, though its token names the write")
    } else {
        (Pattern::MissedWrite, "nothing was read, though the reader's token names the write")
    };
    Evidence { missed: Some(missed), ways: vec![way], ..Evidence::new(pattern, Vec::new(), so) }
}

fn is_lost(way: &[Edge]) -> bool {
    way.iter().any(|edge| edge.why == Why::Rest)
}
