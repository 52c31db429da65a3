//! Assignment 3: replicas of one key space: views, replication, causal order, availability.

use crate::{Scenario, Shape, Suite, scenario::Topic};

/// Three replicas without `SHARD_COUNT`.
const REPLICAS: Shape = Shape::replicated(3);

fn topic(name: &'static str) -> Topic {
    Topic { suite: Suite::Assignment3, name, shape: REPLICAS }
}

/// The scenarios of this suite.
pub(super) fn scenarios() -> Vec<Scenario> {
    let topics: [Vec<Scenario>; 0] = [];
    topics.into_iter().flatten().collect()
}
