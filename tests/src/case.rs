//! Which scenarios are tried, over which paths, and which of them share a cluster.

use std::{fmt, rc::Rc};

use crate::{
    Dialect, Shape,
    scenario::{Effect, Level, Scenario, Suite},
    suites,
};

/// One scenario over one set of paths.
#[derive(Clone)]
pub struct Case {
    /// What is tried.
    pub scenario: Rc<Scenario>,
    /// How its clients speak.
    pub dialect: Dialect,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scenario { suite, topic, name, .. } = &*self.scenario;
        write!(f, "{} / {topic} / {name}", suite.name())?;
        if self.scenario.on_all_paths {
            write!(f, " ({})", self.dialect.name())?;
        }
        Ok(())
    }
}

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Which suites.
    pub suites: Vec<Suite>,
    /// How much of them.
    pub level: Level,
    /// How the nodes speak.
    pub dialect: Dialect,
    /// Nothing that changes more than keys.
    pub harmless_only: bool,
}

impl Selection {
    /// The cases, in the order of the suites; those that `wanted` keeps.
    #[must_use]
    pub fn cases(&self, wanted: impl Fn(&str) -> bool) -> Vec<Case> {
        let scenarios = suites::all().into_iter().filter(|scenario| {
            self.suites.contains(&scenario.suite)
                && scenario.level <= self.level
                && (!self.harmless_only || scenario.effect == Effect::Harmless)
        });
        let cases = scenarios.map(Rc::new).flat_map(|scenario| {
            let paths = if scenario.on_all_paths { self.paths() } else { vec![self.dialect] };
            paths.into_iter().map(move |dialect| Case { scenario: Rc::clone(&scenario), dialect })
        });
        cases.filter(|case| wanted(&case.to_string())).collect()
    }

    /// The sets of paths over which the nodes are asked: those of fall 2021 only a store of this contract serves always.
    fn paths(&self) -> Vec<Dialect> {
        match (self.level, self.dialect) {
            (Level::Strict, dialect) if dialect != Dialect::Fall2021 => vec![dialect, Dialect::Fall2021],
            (_, dialect) => vec![dialect],
        }
    }
}

/// Cases that run one after the other on one cluster.
pub struct Group {
    /// The cluster.
    pub shape: Shape,
    /// The cases.
    pub cases: Vec<Case>,
}

/// The cases by the cluster they run on: one for the harmless of a shape, one for those that put back what they change, and
/// one for each that does not. The longest come first, since the last to begin decides when all are done.
#[must_use]
pub fn groups(cases: Vec<Case>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for case in cases {
        let Scenario { effect, shape, .. } = &*case.scenario;
        let same = groups.iter_mut().find(|group| {
            let first = &group.cases[0].scenario;
            *effect != Effect::Destroys && first.effect == *effect && group.shape == *shape
        });
        match same {
            Some(group) => group.cases.push(case),
            None => groups.push(Group { shape: shape.clone(), cases: vec![case] }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.cases.iter().map(weight).sum::<u64>()));
    groups
}

/// About how long a case takes, against others.
fn weight(case: &Case) -> u64 {
    if case.scenario.effect == Effect::Harmless { 1 } else { case.scenario.limit.as_secs() }
}
