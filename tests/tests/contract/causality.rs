//! Contract: causal consistency for every client that passes its token along, and convergence.

use conformance::{Failure, eventually};
use serde_json::Value;

use crate::{
    cluster::{InProcess, Shape},
    stage::{PATIENCE, class_keys},
};

#[tokio::test]
async fn a_client_reads_its_own_writes_through_every_other_node() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    for (index, key) in class_keys(30).iter().enumerate() {
        for value in 1..=2 {
            client.put(cluster.url(index % 6), key, value).await?;
            for hop in 1..6 {
                let get = client.get(cluster.url((index + hop) % 6), key).await?;
                get.must_be(200)?.must_have("value", value)?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_read_key_stays_deleted_for_who_deleted_it() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    let mut client = cluster.client();
    for (index, key) in class_keys(30).iter().enumerate() {
        client.put(cluster.url(index % 6), key, 1).await?.must_be(201)?;
        client.delete(cluster.url((index + 1) % 6), key).await?.must_be(200)?;
        for hop in 2..6 {
            client.get(cluster.url((index + hop) % 6), key).await?.must_be(404)?;
        }
    }
    Ok(())
}

/// Alice asks, Bob reads it and answers; who reads the answer can read the question.
#[tokio::test]
async fn who_sees_an_answer_sees_the_question() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    for round in 0..30 {
        let at = |hop: usize| cluster.url((round + hop) % 6);
        let (question, answer) = (format!("question{round}"), format!("answer{round}"));
        let (mut alice, mut bob) = (cluster.client(), cluster.client());
        alice.put(at(0), &question, "asked").await?.must_be(201)?;
        bob.get(at(0), &question).await?.must_be(200)?;
        bob.put(at(1), &answer, "answered").await?.must_be(201)?;
        for hop in 1..6 {
            let mut carol = cluster.client();
            let get = carol.get(at(hop), &answer).await?;
            if get.status == 200 {
                let get = carol.get(at(hop + 1), &question).await?;
                get.must_be(200)?.must_have("value", "asked")?;
            }
        }
        let mut carol = cluster.client();
        carol.get(at(1), &answer).await?.must_be(200)?;
        carol.get(at(2), &question).await?.must_be(200)?;
    }
    Ok(())
}

/// A token handed from one client to another forbids to both what it forbids to one.
#[tokio::test]
async fn a_token_handed_on_carries_its_past() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(6, 2)).await?;
    for (index, key) in class_keys(30).iter().enumerate() {
        let mut first = cluster.client();
        first.put(cluster.url(index % 6), key, 1).await?.must_be(201)?;
        first.put(cluster.url(index % 6), key, 2).await?.must_be(200)?;
        for hop in 1..6 {
            let mut second = first.clone();
            let get = second.get(cluster.url((index + hop) % 6), key).await?;
            get.must_be(200)?.must_have("value", 2)?;
        }
    }
    Ok(())
}

/// A write that knew the other wins on every replica, however the wall clocks of the coordinators stand.
#[tokio::test]
async fn a_later_write_wins_everywhere() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    let keys = class_keys(30);
    for (index, key) in keys.iter().enumerate() {
        let mut client = cluster.client();
        for value in 0..6 {
            client.put(cluster.url((index + value) % 3), key, value).await?;
        }
    }
    for key in &keys {
        let values = settled(&cluster, key).await?;
        assert_eq!(values.0, Value::from(5), "{key}");
    }
    Ok(())
}

/// Writes that did not know each other: one of them wins, the same on every replica, with the same version.
#[tokio::test]
async fn concurrent_writes_converge() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(3, 1)).await?;
    let keys = class_keys(30);
    for key in &keys {
        let (mut a, mut b, mut c) = (cluster.client(), cluster.client(), cluster.client());
        let written =
            tokio::join!(a.put(cluster.url(0), key, 0), b.put(cluster.url(1), key, 1), c.put(cluster.url(2), key, 2),);
        for reply in [written.0?, written.1?, written.2?] {
            if !matches!(reply.status, 200 | 201) {
                return Err(reply.contradicts("200 or 201"));
            }
        }
    }
    for key in &keys {
        settled(&cluster, key).await?;
    }
    Ok(())
}

/// Waits until every replica gives the same value and version to clients without a past; gives both.
async fn settled(cluster: &InProcess, key: &str) -> Result<(Value, Value), Failure> {
    eventually(PATIENCE, "all replicas agree", || async {
        let mut seen = Vec::new();
        for url in cluster.urls() {
            let get = cluster.client().get(&url, key).await?;
            get.must_be(200)?;
            seen.push((get.field("value")?.clone(), get.field("version")?.clone()));
            if seen.first() != seen.last() {
                return Err(get.contradicts(format!("the same as at the first node: {seen:?}")));
            }
        }
        seen.pop().ok_or_else(|| Failure::new("nodes"))
    })
    .await
}
