//! Contract: causal consistency for every client that passes its token along. Any cluster will do, with or without shards.

use crate::{Client, Failure, Scenario, Stage, eventually, scenario::Topic, stage::PATIENCE};

/// For the suite of this topic, on its cluster.
pub(in crate::suites) fn scenarios(topic: &Topic) -> Vec<Scenario> {
    vec![
        topic.scenario("a client must read its own writes through every node", &["causal"], own_writes),
        topic.scenario("a key must stay deleted for who deleted it", &["causal"], stays_deleted),
        topic.scenario("who sees an answer must see the question", &["causal"], question_and_answer),
        topic.scenario("a token handed on must carry its past", &["causal"], handed_on),
    ]
}

/// Writes each key twice, and reads it through every other node.
async fn own_writes(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, urls) = (stage.client(), stage.urls());
    for (index, key) in stage.keys(8).iter().enumerate() {
        for value in 1..=2 {
            client.put(&urls[index % urls.len()], key, value).await?.must_succeed()?;
            for hop in 1..urls.len() {
                let get = client.get(&urls[(index + hop) % urls.len()], key).await?;
                get.must_be(200)?.must_have("value", value)?;
            }
        }
    }
    Ok(())
}

/// Writes each key through one node, deletes it through the next, and reads it through all others.
async fn stays_deleted(stage: &mut Stage) -> Result<(), Failure> {
    let (mut client, urls) = (stage.client(), stage.urls());
    for (index, key) in stage.keys(8).iter().enumerate() {
        client.put(&urls[index % urls.len()], key, 1).await?.must_succeed()?;
        client.delete(&urls[(index + 1) % urls.len()], key).await?.must_succeed()?;
        for hop in 2..urls.len() {
            client.get(&urls[(index + hop) % urls.len()], key).await?.must_be(404)?;
        }
    }
    Ok(())
}

/// Alice asks, Bob reads it and answers; who reads the answer can read the question.
async fn question_and_answer(stage: &mut Stage) -> Result<(), Failure> {
    let urls = stage.urls();
    for round in 0..8 {
        let at = |hop: usize| &urls[(round + hop) % urls.len()];
        let (question, answer) = (stage.key(&format!("question{round}")), stage.key(&format!("answer{round}")));
        stage.client().put(at(0), &question, "asked").await?.must_succeed()?;
        let mut bob = once_read(stage, at(0), &question).await?;
        bob.put(at(1), &answer, "answered").await?.must_succeed()?;
        for hop in 1..urls.len() {
            let mut carol = once_read(stage, at(hop), &answer).await?;
            let get = carol.get(at(hop + 1), &question).await?;
            get.must_be(200)?.must_have("value", "asked")?;
        }
    }
    Ok(())
}

/// Somebody without a past who has read this key through this node, as soon as it is there.
async fn once_read(stage: &Stage, url: &str, key: &str) -> Result<Client, Failure> {
    let client = &stage.client();
    eventually(PATIENCE, "the write is there", || async move {
        let mut reader = client.clone();
        reader.get(url, key).await?.must_be(200)?;
        Ok(reader)
    })
    .await
}

/// A token handed from one client to another forbids to both what it forbids to one.
async fn handed_on(stage: &mut Stage) -> Result<(), Failure> {
    let urls = stage.urls();
    for (index, key) in stage.keys(8).iter().enumerate() {
        let mut first = stage.client();
        for value in 1..=2 {
            first.put(&urls[index % urls.len()], key, value).await?.must_succeed()?;
        }
        for hop in 1..urls.len() {
            let mut second = first.clone();
            let get = second.get(&urls[(index + hop) % urls.len()], key).await?;
            get.must_be(200)?.must_have("value", 2)?;
        }
    }
    Ok(())
}
