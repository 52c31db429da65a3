//! Assignment 4: a key space in shards, each on several nodes.

mod key_value;

use crate::{Scenario, Shape, Suite, scenario::Topic};

/// Six nodes in two shards, as the class starts them.
const SIX_IN_TWO: Shape = Shape::sharded(6, 2);

fn topic(name: &'static str) -> Topic {
    Topic { suite: Suite::Assignment4, name, shape: SIX_IN_TWO }
}

/// The scenarios of this suite.
pub(super) fn scenarios() -> Vec<Scenario> {
    let topics = [key_value::scenarios()];
    topics.into_iter().flatten().collect()
}
