//! What a node does by itself: it finds its placement, pings the others, announces itself, and copies what it has missed.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use axum::http::Method;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    holding::{Holding, version},
    node::{Node, PATIENCE},
    rearrange::split,
    setup::{Flaw, Setup},
    version::Version,
};

const PING_INTERVAL: Duration = Duration::from_millis(300);
/// How long nodes without a shard count wait for the last of them before they make one shard.
const GATHERING: Duration = Duration::from_secs(5);

/// Runs for as long as the node does.
pub(crate) async fn beat(node: Arc<Node>, setup: Setup) {
    let start = Instant::now();
    let mut announced = BTreeSet::new();
    loop {
        let unplaced = node.state().holding.version.placement == 0;
        let answers = ping_all(&node).await;
        for (peer, theirs, their_view) in &answers {
            node.state().hear(*peer);
            if unplaced {
                // Some may have joined before this node started again.
                their_view.iter().for_each(|other| node.state().add(*other));
            }
            if announced.insert(*peer) {
                let body = json!({ "socket-address": node.address }).to_string().into_bytes();
                if node.send(*peer, Method::PUT, "/key-value-store-view", body, PATIENCE).await.is_none() {
                    announced.remove(peer);
                }
            }
            if lacks_something_of(&node, *peer, theirs) {
                node.catch_up(*peer).await;
            }
        }
        if node.state().holding.version.placement == 0 && may_begin(&setup, answers.len(), start.elapsed()) {
            let view: Vec<_> = setup.view.iter().copied().collect();
            node.state().holding = Holding::new(1, split(&view, setup.shard_count.unwrap_or(1)));
        }
        sleep(PING_INTERVAL).await;
    }
}

/// Whether the first placement is this node's to make: it was told the number of shards, or nobody else was.
fn may_begin(setup: &Setup, answers: usize, elapsed: Duration) -> bool {
    let others = setup.view.len() - 1;
    setup.shard_count.is_some() || answers == others || answers > 0 && elapsed > GATHERING
}

fn lacks_something_of(node: &Node, peer: SocketAddr, theirs: &Version) -> bool {
    let state = node.state();
    let mine = &state.holding.version;
    if theirs.placement != mine.placement {
        return theirs.placement > mine.placement;
    }
    let same_shard = state.peers(state.shard()).contains(&peer);
    same_shard && node.flaw != Some(Flaw::Stale) && mine.merged(theirs) != *mine
}

/// Asks every known node what it has, and who is in its view; those that answer are up.
async fn ping_all(node: &Arc<Node>) -> Vec<(SocketAddr, Version, Vec<SocketAddr>)> {
    let known = node.state().known();
    let mut pings = JoinSet::new();
    for peer in known.into_iter().filter(|peer| *peer != node.address) {
        let node = Arc::clone(node);
        pings.spawn(async move {
            let (_, mut answer) = node.send(peer, Method::GET, "/internal/ping", Vec::new(), PATIENCE).await?;
            Some((peer, version(&answer)?, serde_json::from_value(answer["view"].take()).ok()?))
        });
    }
    pings.join_all().await.into_iter().flatten().collect()
}
