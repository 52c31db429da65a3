//! Contract: a token that names a write which no reachable replica has, and what becomes of it when its last disk is gone.

use conformance::{Client, Cluster, Failure, ensure, eventually};
use reqwest::Method;

use crate::{
    cluster::{InProcess, Shape},
    stage::{PATIENCE, class_keys},
};

/// Node 2 has the values 1. The values 2, and the keys `new…`, are on nodes 0 and 1 only, which are dead.
struct Lost {
    cluster: InProcess,
    /// Its token names the writes that node 2 does not have.
    client: Client,
    keys: Vec<String>,
}

fn new_keys() -> Vec<String> {
    (0..5).map(|index| format!("new{index}")).collect()
}

async fn lose() -> Result<Lost, Failure> {
    let shape = Shape { gates: true, ..Shape::sharded(3, 1) };
    let mut cluster = InProcess::start(shape).await?;
    let (mut client, keys) = (cluster.client(), class_keys(5));
    for key in &keys {
        client.put(cluster.url(0), key, 1).await?.must_be(201)?;
        client.get(cluster.url(2), key).await?.must_be(200)?;
    }
    cluster.only(&[0, 1]).await;
    for key in &keys {
        client.put(cluster.url(0), key, 2).await?.must_be(200)?;
    }
    for key in new_keys() {
        client.put(cluster.url(0), &key, 1).await?.must_be(201)?;
    }
    cluster.kill_all([0, 1]).await?;
    cluster.only(&[0, 1, 2]).await;
    Ok(Lost { cluster, client, keys })
}

#[tokio::test]
async fn a_read_of_it_is_503_and_never_an_older_value() -> Result<(), Failure> {
    let Lost { cluster, client, keys } = lose().await?;
    for key in keys.iter().chain(&new_keys()[..1]) {
        let get = client.clone().get(cluster.url(2), key).await?;
        get.must_be(503)?.must_have("message", "Error in GET")?.header("retry-after")?;
        get.text("error")?;
    }
    Ok(())
}

/// Who knows nothing of the lost writes reads on.
#[tokio::test]
async fn a_read_without_a_past_is_answered() -> Result<(), Failure> {
    let Lost { cluster, keys, .. } = lose().await?;
    for key in &keys {
        let get = cluster.client().get(cluster.url(2), key).await?;
        get.must_be(200)?.must_have("value", 1)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_put_is_never_503_because_of_its_dependencies() -> Result<(), Failure> {
    let Lost { cluster, client, keys } = lose().await?;
    for key in &keys {
        let put = client.clone().put(cluster.url(2), key, 3).await?;
        put.must_be(200)?.must_have("replaced", true)?;
    }
    for key in new_keys() {
        let put = client.clone().put(cluster.url(2), &key, 3).await?;
        if put.status != 200 {
            put.must_be(201)?;
        }
    }
    Ok(())
}

/// It cannot know whether the key exists: the write it does not have may have made it.
#[tokio::test]
async fn a_delete_that_cannot_know_is_503() -> Result<(), Failure> {
    let Lost { cluster, client, keys } = lose().await?;
    for key in new_keys() {
        let delete = client.clone().delete(cluster.url(2), &key).await?;
        delete.must_be(503)?.must_have("message", "Error in DELETE")?;
    }
    // Here it knows: the key is there.
    for key in &keys {
        let delete = client.clone().delete(cluster.url(2), key).await?;
        if delete.status != 503 {
            delete.must_be(200)?;
        }
    }
    Ok(())
}

async fn reads_go_on(lost: &Lost) -> Result<(), Failure> {
    let (cluster, client) = (&lost.cluster, &lost.client);
    eventually(PATIENCE, "reads go on without the lost writes", || async {
        for key in &lost.keys {
            let get = client.clone().get(cluster.url(2), key).await?;
            get.must_be(200)?.must_have("value", 1)?;
        }
        for key in new_keys() {
            client.clone().get(cluster.url(2), &key).await?.must_be(404)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn reads_go_on_when_the_addresses_have_come_back_empty() -> Result<(), Failure> {
    let mut lost = lose().await?;
    lost.cluster.restart_empty(0).await?;
    lost.cluster.restart_empty(1).await?;
    reads_go_on(&lost).await?;
    counted(&lost).await
}

/// The write is given up "in the log and in a metric".
async fn counted(lost: &Lost) -> Result<(), Failure> {
    let metrics = lost.client.send(Method::GET, lost.cluster.url(2), "/metrics", None).await?;
    let mut samples = metrics.text.lines().filter(|line| !line.starts_with('#'));
    let counted = samples.any(|line| line.contains("writes_lost") && !line.ends_with(" 0"));
    ensure(counted, || "a metric `…writes_lost…` above 0").map_err(|failure| failure.with(&metrics.text))
}

#[tokio::test]
async fn reads_go_on_when_the_addresses_were_deleted_from_the_view() -> Result<(), Failure> {
    let lost = lose().await?;
    for node in [0, 1] {
        let address = lost.cluster.address(node);
        let delete = lost.client.delete_view(lost.cluster.url(2), address).await?;
        if delete.status != 200 {
            delete.must_be(404)?;
        }
    }
    reads_go_on(&lost).await
}

/// Only one of the two disks is known to be gone: the other may return.
#[tokio::test]
async fn it_stays_503_while_one_of_the_disks_may_return() -> Result<(), Failure> {
    let mut lost = lose().await?;
    lost.cluster.restart_empty(0).await?;
    lost.cluster.await_view(&[0, 2]).await?;
    for key in &lost.keys {
        let get = lost.client.clone().get(lost.cluster.url(2), key).await?;
        get.must_be(503)?;
    }
    Ok(())
}
