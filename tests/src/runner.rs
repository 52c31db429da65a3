//! Runs cases on clusters: several clusters at a time, the cases of each one after the other.
//!
//! A case that fails, panics or takes too long is a verdict; nothing that a store does ends the run.

mod attempt;
mod fingerprint;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    time::{Duration, Instant, SystemTime},
};

use futures_util::{StreamExt, stream};

use crate::{
    Cluster, Evidence, Outcome, Provider, Stage, Verdict,
    case::{Case, Group},
    scenario::Effect,
};
use attempt::attempt;
use fingerprint::Fingerprint;

/// Learns of cases as they come.
pub trait Observer {
    /// A case begins.
    fn started(&self, case: &Case);
    /// A case has ended.
    fn finished(&self, outcome: &Outcome);
    /// Something went wrong that is no case's fault.
    fn remark(&self, text: &str);
}

/// How to run.
pub struct Runner<'a> {
    /// Where clusters come from.
    pub provider: &'a dyn Provider,
    /// Who is told.
    pub observer: &'a dyn Observer,
    /// Clusters at a time.
    pub clusters: usize,
    /// What the cases choose by.
    pub seed: u64,
    /// Whether a case's keys are deleted after it, because the cluster outlives the run.
    pub tidy: bool,
}

/// Whether clusters of this store start at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hope {
    Unknown,
    Started,
    Lost,
}

/// A cluster between two cases.
struct Ready {
    cluster: Box<dyn Cluster>,
    /// How it looked at first; unknown on a cluster that serves one case only.
    first: Option<Fingerprint>,
    /// Whether a case has failed on it.
    failed: bool,
}

impl Runner<'_> {
    /// Tries all cases of all groups. When no cluster starts before the first fails to, the rest is not tried.
    pub async fn run(&self, groups: Vec<Group>) -> Vec<Outcome> {
        let hope = Cell::new(Hope::Unknown);
        let runs = groups.into_iter().map(|group| self.run_group(group, &hope));
        let outcomes: Vec<Vec<Outcome>> = stream::iter(runs).buffer_unordered(self.clusters.max(1)).collect().await;
        outcomes.into_iter().flatten().collect()
    }

    async fn run_group(&self, group: Group, hope: &Cell<Hope>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut ready: Option<Ready> = None;
        for (number, case) in group.cases.iter().enumerate() {
            if let Some(reason) = self.provider.lacks(&case.scenario) {
                outcomes.push(self.untried(case, Verdict::Skipped(reason)));
                continue;
            }
            let taken = match ready.take() {
                Some(ready) => Ok(ready),
                None => self.create(&group, case, hope).await,
            };
            match taken {
                Ok(taken) => {
                    let (mut outcome, left) = self.run_case(case, number, taken).await;
                    self.observer.finished(&outcome);
                    if let Verdict::Failed(evidence) = &mut outcome.verdict {
                        evidence.shorten();
                    }
                    outcomes.push(outcome);
                    ready = left;
                }
                Err(verdict) => outcomes.push(self.untried(case, verdict)),
            }
        }
        if let Some(left) = ready {
            self.remove(left.cluster, left.failed).await;
        }
        outcomes
    }

    async fn create(&self, group: &Group, case: &Case, hope: &Cell<Hope>) -> Result<Ready, Verdict> {
        if hope.get() == Hope::Lost {
            return Err(Verdict::NotTried);
        }
        match self.provider.create(&group.shape).await {
            Ok(cluster) => {
                hope.set(Hope::Started);
                let shared = case.scenario.effect != Effect::Destroys;
                let first = if shared { Some(Fingerprint::of(&*cluster).await) } else { None };
                Ok(Ready { cluster, first, failed: false })
            }
            Err(unmade) => {
                if hope.get() == Hope::Unknown {
                    hope.set(Hope::Lost);
                }
                Err(Verdict::NotStarted(Box::new(unmade)))
            }
        }
    }

    /// Tries one case; gives the cluster back when the next may have it.
    async fn run_case(&self, case: &Case, number: usize, ready: Ready) -> (Outcome, Option<Ready>) {
        self.observer.started(case);
        let Ready { cluster, first, mut failed } = ready;
        let (start, since) = (Instant::now(), SystemTime::now());
        let mut stage = Stage::new(cluster, case.dialect, number, self.seed);
        let result = attempt(case, &mut stage).await;
        let elapsed = start.elapsed();
        if self.tidy {
            stage.delete_keys().await;
        }
        let verdict = match result {
            Ok(()) => Verdict::Passed,
            Err(failure) => {
                let transcript = stage.record().entries();
                let traces = stage.cluster_mut().traces(since).await;
                let nodes = stage.cluster_mut().nodes().to_vec();
                Verdict::Failed(Box::new(Evidence { failure, transcript, nodes, traces, forgotten: 0 }))
            }
        };
        let passed = matches!(verdict, Verdict::Passed);
        failed |= !passed;
        let harmless = case.scenario.effect == Effect::Harmless;
        let (cluster, notes) = stage.into_parts();
        let outcome = Outcome { case: case.clone(), verdict, elapsed, notes };
        let reusable = match &first {
            Some(first) if harmless || passed => (harmless && passed) || first.still_fits(&*cluster).await,
            // Who failed half-way may have left the network cut or a node frozen, which no view tells at once.
            _ => false,
        };
        if reusable {
            return (outcome, Some(Ready { cluster, first, failed }));
        }
        self.remove(cluster, failed).await;
        (outcome, None)
    }

    async fn remove(&self, cluster: Box<dyn Cluster>, failed: bool) {
        if let Err(failure) = cluster.remove(failed).await {
            self.observer.remark(&failure.to_string());
        }
    }

    fn untried(&self, case: &Case, verdict: Verdict) -> Outcome {
        let outcome = Outcome { case: case.clone(), verdict, elapsed: Duration::ZERO, notes: Vec::new() };
        self.observer.finished(&outcome);
        outcome
    }
}
