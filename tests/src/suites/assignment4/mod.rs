//! Assignment 4: a key space in shards, each on several nodes.

mod bodies;
mod course;
mod dialects;
mod failures;
mod forwarding;
mod key_value;
mod keys;
mod load;
mod membership;
mod methods;
mod placement;
mod reshard;
mod shards;
mod startup;
mod tokens;
mod ungrouped;
mod view;

use crate::{Scenario, Shape, Suite, scenario::Topic, suites::assignment3};

/// Six nodes in two shards, as the class starts them.
const SIX_IN_TWO: Shape = Shape::sharded(6, 2);
/// The least that two shards need.
const FOUR_IN_TWO: Shape = Shape::sharded(4, 2);

fn topic(name: &'static str) -> Topic {
    Topic { suite: Suite::Assignment4, name, shape: SIX_IN_TWO }
}

/// The scenarios of this suite.
pub(super) fn scenarios() -> Vec<Scenario> {
    let topics = [
        course::scenarios(),
        key_value::scenarios(),
        keys::scenarios(),
        bodies::scenarios(),
        methods::scenarios(),
        dialects::scenarios(),
        tokens::scenarios(),
        shards::scenarios(),
        forwarding::scenarios(),
        membership::scenarios(),
        reshard::scenarios(),
        ungrouped::scenarios(),
        load::scenarios(),
        assignment3::causality::scenarios(&topic("causality")),
        view::scenarios(),
        failures::scenarios(),
        startup::scenarios(),
    ];
    topics.into_iter().flatten().collect()
}
