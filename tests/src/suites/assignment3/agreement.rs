//! What nodes must say of keys: all of them the same in the end, and none of them ever anything wrong.

use serde_json::Value;

use crate::{
    Client, Failure, Reply, Stage, eventually,
    stage::{PATIENCE, value_of},
};

/// Waits until every node gives the key this value, or none.
pub(super) async fn everywhere(stage: &Stage, key: &str, value: Option<Value>) -> Result<(), Failure> {
    let client = stage.client();
    eventually(PATIENCE, "every replica has it", || async {
        for url in stage.urls() {
            let get = client.clone().get(&url, key).await?;
            match &value {
                Some(value) => get.must_be(200)?.must_have("value", value.clone())?,
                None => get.must_be(404)?,
            };
        }
        Ok(())
    })
    .await
}

/// Waits until every node answers alike: with the same status, and the same in each of these fields. Gives the answer.
pub(super) async fn agree(stage: &Stage, key: &str, fields: &[&str]) -> Result<Reply, Failure> {
    let client = stage.client();
    eventually(PATIENCE, "all replicas agree", || async {
        let first = client.clone().get(stage.url(0), key).await?;
        if first.status != 404 {
            first.must_be(200)?;
        }
        for node in stage.others(&[0]) {
            let get = client.clone().get(stage.url(node), key).await?;
            get.must_be(first.status)?;
            for field in fields.iter().filter(|_| first.status == 200) {
                get.must_have(field, first.field(field)?.clone())?;
            }
        }
        Ok(first)
    })
    .await
}

/// Reads these keys through a node that may not have them yet, with `client`'s token and without one: it may say so with 503,
/// and must not say anything else than the value that `fill` gave them.
pub(in crate::suites) async fn never_wrong(
    stage: &Stage,
    client: &Client,
    node: usize,
    keys: &[String],
) -> Result<(), Failure> {
    for key in keys {
        for mut reader in [client.clone(), stage.client()] {
            let get = reader.get(stage.url(node), key).await?;
            if get.status != 503 {
                get.must_be(200)?.must_have("value", value_of(key))?;
            }
        }
    }
    Ok(())
}
