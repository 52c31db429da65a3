//! Whether a cluster is as it is thought to be: broken where it was broken, and whole where it was not.

use std::time::Duration;

use crate::{Client, Failure, Node, ensure, eventually, standing};

/// For what is so at once on a machine that is not busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// A node that moves answers within this time at some point of the patience above.
const SILENCE: Duration = Duration::from_millis(500);

/// Waits until a node refuses connections, or breaks them off.
pub(super) async fn is_down(client: &Client, node: &Node) -> Result<(), Failure> {
    eventually(PATIENCE, &format!("{} is down", node.name), || async {
        match tokio::time::timeout(SILENCE, client.view(&node.url)).await {
            Ok(Err(_)) => Ok(()),
            Ok(Ok(reply)) => Err(reply.contradicts("no reply")),
            Err(_) => Err(Failure::new("no connection, rather than silence")),
        }
    })
    .await
}

/// Waits until a node leaves a request without an answer for a while.
pub(super) async fn is_silent(client: &Client, node: &Node) -> Result<(), Failure> {
    eventually(PATIENCE, &format!("{} is silent", node.name), || async {
        match tokio::time::timeout(SILENCE, client.view(&node.url)).await {
            Ok(Ok(reply)) => Err(reply.contradicts("no reply")),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Ok(()),
        }
    })
    .await
}

/// Waits until a node answers.
pub(super) async fn answers(client: &Client, node: &Node) -> Result<(), Failure> {
    eventually(PATIENCE, &format!("{} answers", node.name), || async {
        client.view(&node.url).await?.must_succeed().map(|_| ())
    })
    .await
}

/// Every node must see all, and serve all that it is there for: as it says itself, or else by answering for these keys.
pub(super) async fn whole(client: &Client, nodes: &[Node], keys: &[String]) -> Result<(), Failure> {
    let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    for node in nodes {
        standing::sees(client, &node.url, addresses.clone()).await?;
    }
    for node in nodes {
        if !standing::says_ready(client, &node.url).await? {
            for key in keys {
                let reply = client.without_token().get(&node.url, key).await?;
                ensure(matches!(reply.status, 200 | 404), || "every key to be answered for")
                    .map_err(|failure| failure.with(reply))?;
            }
        }
    }
    Ok(())
}
