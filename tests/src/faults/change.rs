//! Changes that nodes make when they are asked to, while clients and other faults go on: a further member, another number
//! of shards. What came of one is an event of the history; to judge it is for the suites that ask for nothing else.

use std::{sync::Arc, time::Duration};

use crate::{
    Client, Failure, Layout, Node, Reply, eventually,
    history::{Event, Fault, Phase},
    journal::Journal,
};

/// The contract's time for a node to be in every view, and more for a busy machine.
const VIEW_PATIENCE: Duration = Duration::from_secs(20);

/// What is asked for.
pub(super) enum Wish {
    /// That this node becomes a member of the shard with the fewest.
    Member(Node),
    /// That there are so many shards.
    Shards(u32),
}

/// A change, and who is asked for it.
pub(super) struct Change {
    /// Of the fault that it is.
    pub(super) number: u32,
    /// Of the kind of fault.
    pub(super) kind: &'static str,
    pub(super) wish: Wish,
    pub(super) asked: Node,
    pub(super) client: Client,
    pub(super) journal: Arc<Journal>,
}

impl Change {
    /// Asks for it, waits for what comes of it, and writes that down; gives the event.
    pub(super) async fn make(self) -> Fault {
        let start_us = self.journal.now_us();
        let (about, what) = match &self.wish {
            Wish::Member(node) => (node.name.clone(), self.join(node).await),
            Wish::Shards(count) => (self.asked.name.clone(), self.reshard(*count).await),
        };
        let mut fault = Fault {
            number: self.number,
            kind: self.kind.to_owned(),
            what,
            nodes: vec![about],
            destroys: Vec::new(),
            gives_up: Vec::new(),
            phase: Phase::Passes,
            start_us,
            end_us: start_us,
        };
        self.journal.add(|end_us| {
            fault.end_us = end_us;
            Event::Fault(fault.clone())
        });
        fault
    }

    async fn reshard(&self, count: u32) -> String {
        let reply = self.client.reshard(&self.asked.url, count).await;
        format!("{} is asked for {count} shards: {}", self.asked.name, came(reply))
    }

    async fn join(&self, node: &Node) -> String {
        match self.smallest_shard(node).await {
            Ok(shard) => {
                let reply = self.client.add_member(&self.asked.url, &shard, &node.address).await;
                format!(
                    "{} is added, and {} asked to take it into shard {shard}: {}",
                    node.name,
                    self.asked.name,
                    came(reply)
                )
            }
            Err(failure) => format!("{} is added, and into no shard: {failure}", node.name),
        }
    }

    /// As the asked node tells it, once it has the new one in its view.
    async fn smallest_shard(&self, node: &Node) -> Result<String, Failure> {
        eventually(VIEW_PATIENCE, "the new node is in the view", || async {
            let view = self.client.view(&self.asked.url).await?;
            if view.text.contains(&node.address) { Ok(()) } else { Err(view.contradicts("the new node in the view")) }
        })
        .await?;
        let layout = Layout::read(&self.client, &self.asked.url).await?;
        let smallest = layout.members.iter().min_by_key(|(_, members)| members.len());
        smallest.map(|(id, _)| id.clone()).ok_or_else(|| Failure::new("a shard"))
    }
}

fn came(reply: Result<Reply, Failure>) -> String {
    match reply {
        Ok(reply) if reply.status == 200 => "done".to_owned(),
        Ok(reply) => {
            let error = reply.json.get("error").or(reply.json.get("message"));
            format!("{} {}", reply.status, error.and_then(|error| error.as_str()).unwrap_or_default())
        }
        Err(_) => "no reply".to_owned(),
    }
}
