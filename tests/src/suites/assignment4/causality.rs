//! Contract: causal consistency across shards: what assignment 3 asks of replicas, asked of nodes in shards.

use super::topic;
use crate::{
    Scenario,
    suites::assignment3::{handed_on, own_writes, question_and_answer, stays_deleted},
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let topic = topic("causality");
    vec![
        topic.scenario("a client must read its own writes through every node", &["causal"], own_writes),
        topic.scenario("a key must stay deleted for who deleted it", &["causal"], stays_deleted),
        topic.scenario("who sees an answer must see the question", &["causal"], question_and_answer),
        topic.scenario("a token handed on must carry its past", &["causal"], handed_on),
    ]
}
