//! A scenario: what must be so, in one sentence, and the code that tries it.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::{Ability, Failure, Shape, Stage};

/// A suite, named as people ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// Assignment 3: one shard of all nodes; views, replication, causal order, availability.
    Assignment3,
    /// Assignment 4: shards, members, reshard.
    Assignment4,
}

impl Suite {
    /// All suites, in the order in which they run.
    pub const ALL: [Self; 2] = [Self::Assignment3, Self::Assignment4];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Assignment3 => "assignment3",
            Self::Assignment4 => "assignment4",
        }
    }
}

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the course asks of everyone.
    Assignment,
    /// All of the contract.
    Strict,
}

/// What a scenario does to its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing but keys of its own: may run on a cluster that people use.
    Harmless,
    /// It changes more, and puts that back: shares a cluster with others.
    Restores,
    /// It leaves a broken cluster behind, or counts on an untouched one: has one of its own.
    Destroys,
}

/// The longest that a scenario may take unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(60);

/// What must be so, and how it is tried.
pub struct Scenario {
    /// Where it belongs.
    pub suite: Suite,
    /// What it is about, within its suite.
    pub topic: &'static str,
    /// One sentence: X must Y.
    pub name: &'static str,
    /// How much is asked.
    pub level: Level,
    /// Ids of the clauses that it checks; see [`CLAUSES`](crate::CLAUSES).
    pub clauses: Vec<&'static str>,
    /// On what cluster.
    pub shape: Shape,
    /// What it does to that.
    pub effect: Effect,
    /// Whether it is repeated over each set of paths that the nodes serve.
    pub on_all_paths: bool,
    /// What it needs of the place where the nodes run.
    pub needs: Option<Ability>,
    /// The longest that it may take.
    pub limit: Duration,
    body: Box<dyn Body>,
}

impl Scenario {
    /// Tries it.
    ///
    /// # Errors
    /// [`Failure`] when it is not so.
    pub fn run<'a>(&'a self, stage: &'a mut Stage) -> LocalBoxFuture<'a, Result<(), Failure>> {
        self.body.run(stage)
    }
}

/// An async function over a stage, behind a pointer.
trait Body {
    fn run<'a>(&'a self, stage: &'a mut Stage) -> LocalBoxFuture<'a, Result<(), Failure>>;
}

impl<F: AsyncFn(&mut Stage) -> Result<(), Failure>> Body for F {
    fn run<'a>(&'a self, stage: &'a mut Stage) -> LocalBoxFuture<'a, Result<(), Failure>> {
        Box::pin(self(stage))
    }
}

/// What the scenarios of one topic have in common.
#[derive(Clone)]
pub(crate) struct Topic {
    pub(crate) suite: Suite,
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

impl Topic {
    /// A scenario of this topic: asked of everyone, harmless, on the first paths only, until it says otherwise.
    pub(crate) fn scenario<F>(&self, name: &'static str, clauses: &[&'static str], body: F) -> Scenario
    where
        F: AsyncFn(&mut Stage) -> Result<(), Failure> + 'static,
    {
        Scenario {
            suite: self.suite,
            topic: self.name,
            name,
            level: Level::Assignment,
            clauses: clauses.to_vec(),
            shape: self.shape.clone(),
            effect: Effect::Harmless,
            on_all_paths: false,
            needs: None,
            limit: LIMIT,
            body: Box::new(body),
        }
    }
}

impl Scenario {
    /// Beyond what the course asks.
    pub(crate) fn strict(self) -> Self {
        Self { level: Level::Strict, ..self }
    }

    /// See [`Effect::Restores`].
    pub(crate) fn restores(self) -> Self {
        Self { effect: Effect::Restores, ..self }
    }

    /// See [`Effect::Destroys`].
    pub(crate) fn destroys(self) -> Self {
        Self { effect: Effect::Destroys, ..self }
    }

    /// Once over each set of paths that the nodes serve.
    pub(crate) fn on_all_paths(self) -> Self {
        Self { on_all_paths: true, ..self }
    }

    /// On another cluster than its topic's.
    pub(crate) fn on(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// Cuts nodes off from each other.
    pub(crate) fn partitions(self) -> Self {
        Self { needs: Some(Ability::Partition), ..self }
    }

    /// Takes longer than others may.
    pub(crate) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}
