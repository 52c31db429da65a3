//! What comes when all is healed: waiting until the cluster is at rest, and the last reads, by which it is judged whether
//! everything that was acknowledged is everywhere.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use super::{keys::Keys, proof, session::Session};
use crate::{Client, Failure, Node, ensure, eventually, journal::Journal, layout::shard_ids};

/// Longer than a right store needs to come to rest after anything.
const LIMIT: Duration = Duration::from_secs(60);
/// Keys that are written at rest: enough for each of a few shards to have some.
const LAST_KEYS: usize = 8;
/// Keys that are compared at the same time: of a store that takes its time there is none left for one after the other.
const KEYS_AT_ONCE: usize = 16;

/// A cluster in which nothing is broken any more, and clients that are done.
pub(super) struct Ending<'a> {
    pub(super) client: &'a Client,
    pub(super) journal: &'a Arc<Journal>,
    pub(super) nodes: &'a [Node],
    /// The keys of the clients.
    pub(super) keys: &'a Keys,
    /// The clients with the tokens that they have.
    pub(super) sessions: Vec<Session>,
}

impl Ending<'_> {
    /// Waits until every node sees all and has everything, takes new writes and shows them, answers to every token that a
    /// client has, and tells the same of every key as all others.
    ///
    /// # Errors
    /// [`Failure`] with what does not come.
    pub(super) async fn await_rest(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + LIMIT;
        let left = || deadline.saturating_duration_since(Instant::now());
        eventually(left(), "every node sees all and has everything", || {
            proof::whole(self.client, self.nodes, self.keys.hot())
        })
        .await?;
        let writer = &mut self.stranger(0);
        let mut written = Vec::new();
        for (index, key) in last_keys().into_iter().enumerate() {
            let node = &self.nodes[index % self.nodes.len()];
            let mut attempt = 0;
            let value = eventually(left(), "a write is taken", || {
                attempt += 1;
                let (mut writer, value) = (writer.clone(), format!("last-{index}-{attempt}"));
                let key = &key;
                async move {
                    let put = writer.put(node, key, value.clone()).await;
                    ensure(matches!(put.status, Some(200 | 201)), || {
                        format!("{} to take {key}, got {:?}", node.name, put.status)
                    })?;
                    Ok((writer, value))
                }
            })
            .await?;
            *writer = value.0;
            written.push((key, value.1));
        }
        for node in self.nodes {
            self.shows(node, writer, &written, left()).await?;
        }
        for (index, session) in self.sessions.iter().enumerate() {
            let key = &self.keys.hot()[index % self.keys.hot().len()];
            for node in self.nodes {
                eventually(left(), "a client's token is known", || async {
                    let get = session.clone().get(node, key).await;
                    ensure(get.is_answered(), || format!("{} to answer for {key}, got {:?}", node.name, get.status))
                })
                .await?;
            }
        }
        // A token speaks of what its client saw. What nobody has read may still be on its way to the last replica.
        eventually(left(), "all nodes tell the same of every key", || self.all_tell_the_same()).await
    }

    async fn all_tell_the_same(&self) -> Result<(), Failure> {
        let keys: Vec<&str> = self.keys.all().collect();
        for some in keys.chunks(KEYS_AT_ONCE) {
            join_all(some.iter().map(|key| self.all_tell_the_same_of(key)))
                .await
                .into_iter()
                .collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    async fn all_tell_the_same_of(&self, key: &str) -> Result<(), Failure> {
        let asked = self.nodes.iter().map(async |node| self.client.clone().get(&node.url, key).await);
        let replies = join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        for pair in replies.windows(2) {
            let same = pair[0].status == pair[1].status && pair[0].json.get("value") == pair[1].json.get("value");
            ensure(same, || format!("one answer for {key}")).map_err(|failure| failure.with(&pair[1]))?;
        }
        Ok(())
    }

    async fn shows(
        &self,
        node: &Node,
        reader: &Session,
        written: &[(String, String)],
        limit: Duration,
    ) -> Result<(), Failure> {
        eventually(limit, "a node shows what was written last", || async {
            let mut reader = reader.clone();
            for (key, value) in written {
                let get = reader.get(node, key).await;
                let seen = get.value.as_ref() == Some(value);
                ensure(seen, || {
                    format!("{} to show {value} of {key}, got {:?} {:?}", node.name, get.status, get.value)
                })?;
            }
            Ok(())
        })
        .await
    }

    /// Reads every key and counts every shard at every node, once.
    ///
    /// # Errors
    /// [`Failure`] when a node does not say which shards there are.
    pub(super) async fn read_all(&self) -> Result<(), Failure> {
        let reads = self.nodes.iter().enumerate().map(|(index, node)| self.read_all_at(node, self.stranger(1 + index)));
        join_all(reads).await.into_iter().collect()
    }

    async fn read_all_at(&self, node: &Node, mut reader: Session) -> Result<(), Failure> {
        for key in self.keys.all().chain(last_keys().iter().map(String::as_str)) {
            reader.get_last(node, key).await;
        }
        for shard in shard_ids(self.client, &node.url).await? {
            reader.count_last(node, &shard).await;
        }
        Ok(())
    }

    /// A client without a past, beside those of the run.
    fn stranger(&self, index: usize) -> Session {
        Session::new((self.sessions.len() + 1 + index) as u32, self.client.clone(), self.journal)
    }
}

fn last_keys() -> Vec<String> {
    (0..LAST_KEYS).map(|index| format!("last{index}")).collect()
}
