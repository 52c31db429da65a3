//! What happens to a store in a test: steps, and what is wrong with it.

use conformance::history::Kind;
use proptest::{collection::vec, prelude::*};

pub(crate) const NODES: usize = 3;
pub(crate) const KEYS: usize = 3;
pub(crate) const CLIENTS: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) flaw: Flaw,
    pub(crate) steps: Vec<Step>,
}

/// What a store does wrong, in the steps that are spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    None,
    /// Answers reads from what the node has, whatever the token names.
    IgnoresTokens,
    /// Gives tokens that name nothing.
    ForgetsContext,
    /// Acknowledges writes and does not keep them.
    LosesWrites,
    /// Answers with the value of another key.
    MixesKeys,
    /// Gives a write a clock below all others.
    BreaksClocks,
    /// Reads what was deleted.
    IgnoresDeletes,
    /// Says of whatever it is asked that it is not there.
    Denies,
    /// Does not hand all writes over when all is healed.
    Diverges,
    /// Counts one key too many.
    Miscounts,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Ask(Ask),
    /// One node gets everything that another has.
    Exchange {
        from: usize,
        to: usize,
    },
    /// A node's disk is destroyed.
    Wipe {
        node: usize,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) client: usize,
    pub(crate) node: usize,
    pub(crate) key: usize,
    pub(crate) kind: Kind,
    pub(crate) token: Carried,
    pub(crate) fate: Fate,
    /// Whether the node cannot reach the others.
    pub(crate) isolated: bool,
    pub(crate) spoiled: bool,
    /// How long before and after it is carried out it is sent and answered.
    pub(crate) lead_us: u64,
    pub(crate) lag_us: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Carried {
    Nothing,
    Own,
    /// That of another reply, counted backwards.
    Other(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// Carried out, and the reply is lost.
    Unanswered,
    /// Lost on the way.
    Dropped,
    /// Carried out when all is healed, and not answered.
    Late,
}

fn ask() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![6 => Just(Kind::Get), 4 => Just(Kind::Put), 2 => Just(Kind::Delete)];
    let token =
        prop_oneof![2 => Just(Carried::Nothing), 6 => Just(Carried::Own), 2 => (0..6_usize).prop_map(Carried::Other)];
    let fate = prop_oneof![16 => Just(Fate::Answered), 1 => Just(Fate::Unanswered), 1 => Just(Fate::Dropped), 1 => Just(Fate::Late)];
    // One key is hot.
    let key = prop_oneof![2 => Just(0), 1 => 0..KEYS];
    let who = (0..CLIENTS, 0..NODES, key);
    let how = (proptest::bool::weighted(0.7), proptest::bool::weighted(0.4), 0..25_u64, 0..25_u64);
    (who, kind, token, fate, how).prop_map(|((client, node, key), kind, token, fate, how)| {
        let (isolated, spoiled, lead_us, lag_us) = how;
        Step::Ask(Ask { client, node, key, kind, token, fate, isolated, spoiled, lead_us, lag_us })
    })
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let exchange = (0..NODES, 0..NODES).prop_map(|(from, to)| Step::Exchange { from, to });
    let wipe = (0..NODES).prop_map(|node| Step::Wipe { node });
    let step = prop_oneof![30 => ask(), 6 => exchange, 1 => wipe];
    let flaw = prop_oneof![
        4 => Just(Flaw::None),
        1 => Just(Flaw::IgnoresTokens),
        1 => Just(Flaw::ForgetsContext),
        1 => Just(Flaw::LosesWrites),
        1 => Just(Flaw::MixesKeys),
        1 => Just(Flaw::BreaksClocks),
        1 => Just(Flaw::IgnoresDeletes),
        1 => Just(Flaw::Denies),
        1 => Just(Flaw::Diverges),
        1 => Just(Flaw::Miscounts),
    ];
    (flaw, vec(step, 1..45)).prop_map(|(flaw, steps)| Plan { flaw, steps })
}
