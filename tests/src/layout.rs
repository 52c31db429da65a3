//! Which shards there are, who is in them and how many keys they hold, as one node tells it. The shape and the wording of
//! what it says are judged elsewhere.

use std::collections::BTreeMap;

use crate::{Client, Failure, dialect::read_any_list};

/// The shards of a cluster as told by one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Members of each shard, by shard id; in the order of their text.
    pub members: BTreeMap<String, Vec<String>>,
}

impl Layout {
    /// Asks `url` for all shards and their members.
    ///
    /// # Errors
    /// [`Failure`] when a reply is not as the contract says.
    pub async fn read(client: &Client, url: &str) -> Result<Self, Failure> {
        let mut members = BTreeMap::new();
        for id in shard_ids(client, url).await? {
            let reply = client.shard(url, &format!("members/{id}")).await?;
            let list = read_any_list(reply.must_succeed()?.field(client.dialect().members_field())?);
            let mut list = list.ok_or_else(|| reply.contradicts("a list of members"))?;
            list.sort_unstable();
            members.insert(id, list);
        }
        Ok(Self { members })
    }

    /// The ids of all shards.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.members.keys().map(String::as_str).collect()
    }

    /// The shard that `address` is in.
    #[must_use]
    pub fn shard_of(&self, address: &str) -> Option<&str> {
        let mut shards = self.members.iter();
        let found = shards.find(|(_, members)| members.iter().any(|member| member == address));
        found.map(|(id, _)| id.as_str())
    }

    /// Number of keys in each shard, by shard id, as `url` tells it.
    ///
    /// # Errors
    /// [`Failure`] when a reply is not as the contract says.
    pub async fn key_counts(client: &Client, url: &str) -> Result<BTreeMap<String, u64>, Failure> {
        let mut counts = BTreeMap::new();
        for id in shard_ids(client, url).await? {
            let reply = client.shard(url, &format!("key-count/{id}")).await?;
            let count = reply.must_succeed()?.field(client.dialect().key_count_field())?;
            let count = count.as_u64();
            let count = count.ok_or_else(|| reply.contradicts("the count to be an integer"))?;
            counts.insert(id, count);
        }
        Ok(counts)
    }
}

/// The ids of all shards, as `url` tells them.
pub(crate) async fn shard_ids(client: &Client, url: &str) -> Result<Vec<String>, Failure> {
    let reply = client.shard(url, "ids").await?;
    let list = read_any_list(reply.must_succeed()?.field("shard-ids")?);
    list.ok_or_else(|| reply.contradicts("a list of shard ids"))
}
