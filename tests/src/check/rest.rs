//! When all is healed and quiet: every node must give the same answers, and count what it gives.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Pattern,
    account::{Account, Id, Seen},
    evidence::Evidence,
    graph::{Edge, Why},
};
use crate::history::Kind;

/// Keys of which two last reads differ. What these reads say of the order of writes says nothing more.
pub(super) fn divergences(account: &Account, seen: &[Seen]) -> Vec<(Evidence, Vec<Id>)> {
    let mut found = Vec::new();
    for (name, key) in &account.keys {
        let Some((first, others)) = key.last_reads.split_first() else { continue };
        let value =
            |read: &Id| account.operations[*read].value.as_deref().filter(|_| account.seen[*read] != Seen::Nothing);
        let Some(other) = others.iter().find(|other| value(other) != value(first)) else { continue };
        let way = |read: Id| match seen[read] {
            Seen::Write(from) => Some(vec![Edge { from, to: read, why: Why::Read }]),
            _ => None,
        };
        let ways = [*first, *other].into_iter().filter_map(way).collect();
        let so = format!("the nodes differ on {name} when all is healed");
        let evidence = Evidence { ways, ..Evidence::new(Pattern::Divergence, vec![*first, *other], so) };
        found.push((evidence, key.last_reads.clone()));
    }
    found
}

/// Nodes that count other than they read. Only whoever answered everything can be held to it.
pub(super) fn wrong_counts(account: &Account) -> Vec<Evidence> {
    let mut nodes: BTreeMap<&str, Told> = BTreeMap::new();
    for (id, operation) in account.operations.iter().enumerate().filter(|(_, operation)| operation.last) {
        let told = nodes.entry(&operation.node).or_default();
        match (operation.kind, operation.status) {
            (Kind::Get, Some(200 | 404)) => {
                told.read.insert(&operation.key, operation.status == Some(200));
            }
            (Kind::Count, Some(200)) => {
                told.counts.insert(&operation.key, id);
            }
            _ => told.silent = true,
        }
    }
    let written: BTreeSet<&str> = account.written().collect();
    nodes.into_iter().filter_map(|(node, told)| told.judge(account, node, &written)).collect()
}

/// What one node told.
#[derive(Default)]
struct Told<'a> {
    /// Which keys have a value.
    read: BTreeMap<&'a str, bool>,
    /// The count of each shard.
    counts: BTreeMap<&'a str, Id>,
    /// Whether something was not answered.
    silent: bool,
}

impl Told<'_> {
    fn judge(self, account: &Account, node: &str, written: &BTreeSet<&str>) -> Option<Evidence> {
        if self.silent || self.counts.is_empty() || !written.iter().all(|key| self.read.contains_key(key)) {
            return None;
        }
        let count = |id: &Id| account.operations[*id].value.as_deref()?.parse::<usize>().ok();
        let counted: usize = self.counts.values().map(count).sum::<Option<_>>()?;
        let found = self.read.values().filter(|found| **found).count();
        let so = format!("{node} counts {counted} keys when all is healed, and its reads find {found}");
        (counted != found).then(|| Evidence::new(Pattern::WrongCount, self.counts.into_values().collect(), so))
    }
}
