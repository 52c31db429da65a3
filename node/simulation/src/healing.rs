//! After the faults: the cluster must come to rest by itself, and then everything must be right.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use node_core::{Core, Dot, Holding, Key, Record, Reply, Request, ShardId, SlotId};

use crate::{
    cluster::{Cluster, address},
    ledger::Fate,
    oracle::{Context, Kind},
    run::Run,
    sweep::OPERATIONS_MIN,
    violation::{Checked, Violation},
};

/// Virtual milliseconds that clients go on after the faults.
const AFTERMATH_MS: u64 = 2_500;
/// How long they go on at most, when they have done too little.
const AFTERMATH_LIMIT_MS: u64 = 90_000;
/// How long the last replies may take.
const LAST_REPLY_MS: u64 = 11_000;
/// How long it takes until all have heard of a change of the members.
const NEWS_MS: u64 = 2_000;
/// How long everything may take to come to rest.
const REST_LIMIT_MS: u64 = 60_000;
/// When an operator would reshard, if disks were destroyed and nodes are still not ready.
const HELP_AFTER_MS: u64 = 25_000;
const POLL_MS: u64 = 500;

/// Heals and checks. Says whether an operator had to help.
pub(crate) fn heal(run: &mut Run) -> Checked<bool> {
    run.faults.heal(&mut run.cluster)?;
    let healed_ms = run.cluster.now_ms;
    run.until(healed_ms + AFTERMATH_MS)?;
    while run.clients.operations < OPERATIONS_MIN && run.cluster.now_ms < healed_ms + AFTERMATH_LIMIT_MS {
        run.until(run.cluster.now_ms + POLL_MS)?;
    }
    run.clients.stopped = true;
    run.until(run.cluster.now_ms + LAST_REPLY_MS)?;
    take_back(run)?;
    run.until(run.cluster.now_ms + NEWS_MS)?;
    let helped = come_to_rest(run)?;
    let keys = run.clients.keys().to_vec();
    let contexts: Vec<Context> = run.clients.contexts().cloned().collect();
    everything_is_right(run, &keys, contexts)?;
    Ok(helped)
}

/// At rest: reads, counts, and what was acknowledged.
pub(crate) fn everything_is_right(run: &mut Run, keys: &[Key], contexts: Vec<Context>) -> Checked {
    run.cluster.journal.rests();
    let values = read_everything(run, keys, contexts)?;
    count_keys(run, &values)?;
    nothing_acknowledged_is_lost(run, &values)?;
    match unrest(&run.cluster) {
        None => Ok(()),
        Some(trouble) => {
            run.cluster.found(Violation::new(format!("reading and counting has caused unrest: {trouble}")))
        }
    }
}

/// Nodes that were removed from the view are added again.
fn take_back(run: &mut Run) -> Checked {
    for node in 0..run.cluster.nodes.len() {
        if !run.cluster.removed[node] {
            continue;
        }
        let via = (node + 1) % run.cluster.nodes.len();
        let id = run.cluster.administer(via, Request::AddToView(address(node)));
        let reply = run.reply(id)?;
        if !matches!(reply, Some(Reply::Done | Reply::AlreadyThere)) {
            run.cluster.found(Violation::new(format!("adding node{} to the view was answered {reply:?}", node + 1)))?;
        }
        run.cluster.taken_back(node);
    }
    Ok(())
}

pub(crate) fn come_to_rest(run: &mut Run) -> Checked<bool> {
    let from_ms = run.cluster.now_ms;
    let mut helped = false;
    while let Some(trouble) = unrest(&run.cluster) {
        if run.cluster.now_ms > from_ms + REST_LIMIT_MS {
            let now_ms = run.cluster.now_ms;
            run.cluster.journal.never_rests(from_ms, now_ms, || trouble.to_string());
            let what = format!("no rest after {REST_LIMIT_MS} ms: {trouble}");
            run.cluster.found(Violation { slot: trouble.slot, what })?;
            break;
        }
        if !helped && run.cluster.now_ms > from_ms + HELP_AFTER_MS && run.cluster.has_wiped() {
            helped = true;
            let shard_count = run.cluster.nodes.len() as u32 / 2;
            run.cluster.administer(0, Request::Reshard { shard_count });
        }
        run.until(run.cluster.now_ms + POLL_MS)?;
    }
    Ok(helped)
}

/// What is not at rest yet (rules 9 and 16, invariants 5, 8 and 9).
pub(crate) fn unrest(cluster: &Cluster) -> Option<Violation> {
    let nodes = &cluster.nodes;
    let cores: Vec<&Core> = nodes.iter().filter_map(|node| node.core.as_ref()).collect();
    for (index, core) in cores.iter().enumerate() {
        let stats = core.stats();
        let trouble = if !core.is_ready() {
            "is not ready"
        } else if core.placement() != cores[0].placement() {
            "has another placement than node1"
        } else if stats.view != nodes.len() {
            "misses a node in its view"
        } else if stats.slots_draining > 0 {
            "is still draining"
        } else if stats.slots_copying > 0 {
            "is still copying"
        } else if stats.requests_waiting > 0 {
            "still has requests waiting"
        } else {
            continue;
        };
        let slot = SlotId::all().find(|slot| {
            let meta = nodes[index].disk.slots.get(slot).and_then(|stored| stored.meta.as_ref());
            meta.is_some_and(|meta| meta.holding != Holding::Complete)
        });
        let held = slot.map(|slot| held(cluster, slot)).unwrap_or_default();
        return Some(Violation { slot, what: format!("node{} {trouble}: {stats:?}{held}", index + 1) });
    }
    SlotId::all().find_map(|slot| differing(cluster, slot))
}

/// What is on every disk of a slot, to read.
fn held(cluster: &Cluster, slot: SlotId) -> String {
    let disks = cluster.nodes.iter().enumerate();
    let metas = disks.filter_map(|(index, node)| Some((index, node.disk.slots.get(&slot)?.meta.as_ref()?)));
    metas.map(|(index, meta)| format!("\n  node{} {slot:?} {meta:?}", index + 1)).collect()
}

/// Whether the holders of a slot are fewer than two or not equal (invariant 9).
fn differing(cluster: &Cluster, slot: SlotId) -> Option<Violation> {
    let holders: Vec<_> = cluster
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((index, node.disk.slots.get(&slot)?)))
        .filter(|(_, stored)| stored.meta.as_ref().is_some_and(|meta| meta.holding != Holding::Absent))
        .collect();
    if holders.len() < 2 {
        return Some(Violation::of(slot, format!("invariant 8: {slot:?} has {} holders", holders.len())));
    }
    let live = |index: usize| -> BTreeMap<&str, &Arc<Record>> {
        let records = holders[index].1.records.values();
        records.filter(|record| !record.is_tombstone()).map(|record| (record.key(), record)).collect()
    };
    let frontier = |index: usize| holders[index].1.meta.as_ref().map(|meta| &meta.frontier);
    (1..holders.len()).find(|index| live(*index) != live(0) || frontier(*index) != frontier(0)).map(|index| {
        let (one, other) = (holders[0].0 + 1, holders[index].0 + 1);
        Violation::of(
            slot,
            format!(
                "invariant 9: node{one} and node{other} differ in {slot:?}: {:?} {:?}, {:?} {:?}",
                frontier(0),
                live(0),
                frontier(index),
                live(index)
            ),
        )
    })
}

/// Every node gives the same answer for every key, also to those who know the most.
fn read_everything(run: &mut Run, keys: &[Key], mut contexts: Vec<Context>) -> Checked<BTreeMap<Key, Reply>> {
    contexts.push(Context::default());
    let client = run.clients.stranger();
    let mut values = BTreeMap::new();
    for key in keys {
        let mut answers: Vec<Reply> = Vec::new();
        for (index, node) in
            (0..run.cluster.nodes.len()).cycle().take(contexts.len().max(run.cluster.nodes.len())).enumerate()
        {
            for context in [Context::default(), contexts[index % contexts.len()].clone()] {
                let id = run.cluster.operate(client, node, Kind::Get, key, &context)?;
                match run.reply(id)? {
                    Some(reply @ (Reply::Value { .. } | Reply::Missing { .. })) => {
                        answers.push(reply);
                    }
                    other => run.cluster.found(Violation::of(
                        key.slot(),
                        format!(
                            "at rest, GET {key} at node{} with token {:?} was answered {other:?}",
                            node + 1,
                            context.token
                        ),
                    ))?,
                }
            }
        }
        let distinct: BTreeSet<Option<&str>> = answers.iter().map(version).collect();
        if distinct.len() > 1 {
            run.cluster.found(Violation::of(
                key.slot(),
                format!("invariant 9: at rest, {key} has the versions {distinct:?}"),
            ))?;
        }
        values.extend(answers.into_iter().next().map(|answer| (key.clone(), answer)));
    }
    Ok(values)
}

fn version(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Value { record, .. } => Some(record.version()),
        _ => None,
    }
}

/// Counts are exact from every node, and each shard has two members at least.
fn count_keys(run: &mut Run, values: &BTreeMap<Key, Reply>) -> Checked {
    let client = run.clients.stranger();
    for node in 0..run.cluster.nodes.len() {
        let id = run.cluster.administer(node, Request::ShardIds);
        let Some(Reply::ShardIds(shards)) = run.reply(id)? else {
            run.cluster.found(Violation::new(format!("node{} does not tell its shards", node + 1)))?;
            continue;
        };
        for shard in shards {
            let id = run.cluster.count(client, node, shard);
            let counted = run.reply(id)?;
            if counted != Some(Reply::KeyCount(expected(values, shard))) {
                run.cluster.found(Violation::new(format!(
                    "node{} counts {counted:?} keys in shard {shard}, not {}",
                    node + 1,
                    expected(values, shard)
                )))?;
            }
            let id = run.cluster.administer(node, Request::ShardMembers(shard));
            match run.reply(id)? {
                Some(Reply::ShardMembers(members)) if members.len() >= 2 => {}
                other => {
                    run.cluster
                        .found(Violation::new(format!("invariant 8: shard {shard} has the members {other:?}")))?;
                }
            }
        }
    }
    Ok(())
}

fn expected(values: &BTreeMap<Key, Reply>, of: ShardId) -> u64 {
    values.values().filter(|reply| matches!(reply, Reply::Value { shard, .. } if *shard == of)).count() as u64
}

/// What stands at the end is not below anything that was acknowledged and had a disk left.
fn nothing_acknowledged_is_lost(run: &Run, values: &BTreeMap<Key, Reply>) -> Checked {
    let oracle = &run.cluster.oracle;
    for (number, write) in oracle.operations() {
        let Some(claimed) = write.acknowledged else {
            continue;
        };
        // A hand-over leaves it with the members of another shard, who are two at least.
        let enough = claimed.min(2) as usize;
        let wrongly = |dot: &&Dot| run.cluster.holders(**dot).is_empty() && run.cluster.destroyed_with(**dot) < enough;
        if let Some(dot) = write.dots().iter().find(wrongly) {
            let what = format!("operation {number} was durable on {claimed} disks, and is gone with fewer: {dot:?}");
            return Err(Violation::of(dot.slot, what));
        }
        let Some(reply) = values.get(&write.key) else {
            continue;
        };
        let standing = version(reply).and_then(|version| oracle.ledger.by_version(version));
        for record in write
            .dots()
            .iter()
            .filter(|dot| oracle.ledger.fate(**dot) != Fate::Lost)
            .filter_map(|dot| oracle.ledger.record(*dot))
        {
            let kept = match standing {
                Some(standing) => standing.rank() >= record.rank() || oracle.ledger.may_stand(standing.dot),
                None => oracle
                    .ledger
                    .of_key(write.key.as_str())
                    .any(|other| other.is_tombstone() && other.rank() >= record.rank()),
            };
            if !kept {
                return Err(Violation::of(
                    write.key.slot(),
                    format!(
                        "operation {number}, {:?} {}, was acknowledged and is lost: {:?}",
                        write.kind, write.key, record.dot
                    ),
                ));
            }
        }
    }
    Ok(())
}
