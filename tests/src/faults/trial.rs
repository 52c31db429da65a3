//! One run from its beginning to its end.

use std::{
    io::Write,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;

use super::{
    Kind, Observer, Outcome,
    clients::{Clients, Load},
    course::{Course, Means},
    ending::Ending,
    halt::Halt,
    keys::Keys,
    schedule::{Ground, Schedule},
    session::Session,
    victim::Victim,
};
use crate::{
    Cluster, Failure, Provider, Shape, Traces, Unmade,
    check::check,
    history::{End, Event, Run, Unrest},
    journal::Journal,
};

/// Nodes in shards at first. One more is in none until a reshard or an operator takes it.
const NODES: usize = 6;
/// Nodes that a run may add besides: as many as every provider has room for.
const SPARE_NODES: usize = 1;

/// Operations in a hurry when something happens, in units; when it happens to one node after the other, for each.
const HURRY_UNITS: u64 = 2;
/// And when all is healed, before the clients end.
const LAST_HURRY_UNITS: u64 = 10;

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// From the first operation until no more faults come and all are undone.
    Time(Duration),
    /// So many faults, however long they take.
    Faults(usize),
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Decides the schedule and what each client does.
    pub seed: u64,
    /// What is run, for people.
    pub store: String,
    /// How long.
    pub length: Length,
    /// Which faults come.
    pub kinds: Vec<Kind>,
    /// Clients at work at the same time.
    pub clients: u32,
    /// Keys that all of them meet on.
    pub keys: usize,
    /// Long ones that are there before anything is broken, and are never deleted.
    pub pages: usize,
    /// Of each client, keys that are there before anything is broken, and that only this client writes and deletes.
    pub notes: usize,
    /// Operations that all of them together begin in a second, at most, unless something has just happened.
    pub per_second: u32,
    /// The fewest operations between two faults, by which all of the schedule is measured.
    pub unit: u64,
}

impl Trial {
    /// 24 clients, half of whose operations are on 24 keys, up to 300 operations a second together, so that conflicts are
    /// many and a history of two minutes is judged in seconds.
    #[must_use]
    pub fn new(seed: u64, store: impl Into<String>, length: Length) -> Self {
        Self {
            seed,
            store: store.into(),
            length,
            kinds: Kind::ALL.to_vec(),
            clients: 24,
            keys: 24,
            pages: 256,
            notes: 8,
            per_second: 300,
            unit: 60,
        }
    }

    /// Two or three shards, by the seed.
    fn shape(&self) -> Shape {
        Shape::sharded(NODES, 2 + (self.seed % 2) as u32)
    }

    /// Makes a cluster, breaks it and removes it. The history is also written to `sink` as it comes. When `interrupted`
    /// comes to an end, so does the run, as soon as all is mended; what the provider has begun by then is its own to remove.
    ///
    /// # Errors
    /// Why there is no cluster.
    pub async fn run(
        &self,
        provider: &dyn Provider,
        observer: &dyn Observer,
        sink: Box<dyn Write + Send>,
        interrupted: impl Future<Output = ()>,
    ) -> Result<Outcome, Unmade> {
        let halt = Halt::default();
        let work = self.work(provider, observer, sink, &halt);
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => return outcome,
            () = interrupted => halt.ask(),
        }
        work.await
    }

    async fn work(
        &self,
        provider: &dyn Provider,
        observer: &dyn Observer,
        sink: Box<dyn Write + Send>,
        halt: &Halt,
    ) -> Result<Outcome, Unmade> {
        observer.begins("starting the cluster");
        let since = SystemTime::now();
        let Some(created) = halt.unless_asked(provider.create(&self.shape())).await else {
            return Ok(Outcome { interrupted: true, ..Outcome::default() });
        };
        let mut victim = Victim::new(created?);
        let journal = Arc::new(Journal::new(sink));
        let skipped = self.kinds.iter().filter_map(|kind| Some((*kind, provider.cannot(kind.needs()?)?)));
        let skipped: Vec<(Kind, String)> = skipped.collect();
        let run = Running { trial: self, observer, halt, journal: &journal, partitions: skipped.is_empty() };
        let ended = AssertUnwindSafe(run.go(&mut victim)).catch_unwind().await;
        let mut findings = match ended {
            Ok(findings) => findings,
            Err(panic) => {
                victim.mend().await;
                vec![Failure::of_panic(&*panic)]
            }
        };
        let (history, written) = journal.take();
        findings.extend(written.err().map(|error| Failure::new("the history to be written").with(error)));
        let (mut cluster, remarks) = victim.into_parts();
        observer.begins("judging the history");
        let verdict = check(&history);
        let interrupted = halt.is_asked();
        let mut outcome =
            Outcome { history, verdict, findings, skipped, remarks, traces: Traces::default(), interrupted };
        let failed = outcome.is_invalid();
        if failed || !outcome.is_valid() && !interrupted {
            outcome.traces = cluster.traces(since).await;
        }
        remove(cluster, failed, observer).await;
        Ok(outcome)
    }
}

async fn remove(cluster: Box<dyn Cluster>, failed: bool, observer: &dyn Observer) {
    if let Err(failure) = cluster.remove(failed).await {
        observer.remark(&failure.to_string());
    }
}

/// A run on a cluster that is there.
struct Running<'a> {
    trial: &'a Trial,
    observer: &'a dyn Observer,
    halt: &'a Halt,
    journal: &'a Arc<Journal>,
    partitions: bool,
}

impl Running<'_> {
    /// Gives what was found besides what the journal says.
    async fn go(&self, victim: &mut Victim) -> Vec<Failure> {
        if let Err(failure) = victim.add().await {
            return vec![failure];
        }
        let run = Run {
            seed: self.trial.seed,
            store: self.trial.store.clone(),
            nodes: victim.nodes().iter().map(|node| node.name.clone()).collect(),
        };
        self.journal.add(|_| Event::Run(run));
        let keys = Keys::new(self.trial.keys, self.trial.pages, self.trial.clients as usize, self.trial.notes);
        let (sessions, mut findings) = self.break_and_mend(victim, &keys).await;
        if !self.halt.is_asked() {
            let ending =
                Ending { client: victim.client(), journal: self.journal, nodes: victim.nodes(), keys: &keys, sessions };
            findings.extend(self.halt.unless_asked(self.end(&ending)).await.into_iter().flatten());
        }
        findings
    }

    /// Has the clients work while the schedule is followed; gives them back when all is mended, and what was found.
    async fn break_and_mend(&self, victim: &mut Victim, keys: &Keys) -> (Vec<Session>, Vec<Failure>) {
        self.observer.begins("breaking it");
        let Trial { seed, clients, per_second, unit, length, .. } = *self.trial;
        let dialect = victim.client().dialect();
        let load = Load { dialect, seed, clients, keys: keys.clone(), per_second };
        let starting = Clients::start(load, victim.nodes().to_vec(), self.journal);
        let clients = match self.halt.unless_asked(starting).await {
            Some(Ok(clients)) => clients,
            Some(Err(failure)) => return (Vec::new(), vec![failure]),
            None => return Default::default(),
        };
        let ground = Ground {
            nodes: victim.nodes().len(),
            shards: self.trial.shape().shards.unwrap_or(1),
            spare: SPARE_NODES,
            partitions: self.partitions,
        };
        let faults = match length {
            Length::Time(time) => {
                self.halt.set_deadline(Instant::now() + time);
                usize::MAX
            }
            Length::Faults(count) => count,
        };
        let schedule = Schedule::new(seed, &self.trial.kinds, ground, unit).take(faults);
        let means = Means {
            victim,
            clients: &clients,
            journal: self.journal,
            keys,
            hurry: HURRY_UNITS * unit,
            halt: self.halt,
            observer: self.observer,
        };
        let mut course = Course::new(means);
        let mut findings: Vec<Failure> = course.follow(schedule).await.err().into_iter().collect();
        findings.extend(course.mend().await);
        // What is written last overlaps as much as anything before.
        self.halt.unless_asked(clients.hurry(LAST_HURRY_UNITS * unit)).await;
        let sessions = clients.stop().await.unwrap_or_else(|failure| {
            findings.push(failure);
            Vec::new()
        });
        (sessions, findings)
    }

    /// Waits for rest and reads for the last time; gives what was found.
    async fn end(&self, ending: &Ending<'_>) -> Vec<Failure> {
        self.observer.begins("waiting until it is at rest");
        let mut findings = Vec::new();
        let start_us = self.journal.now_us();
        if let Err(failure) = ending.await_rest().await {
            let what = failure.to_string();
            self.journal.add(|end_us| Event::Unrest(Unrest { what, start_us, end_us }));
            findings.push(failure);
        }
        self.observer.begins("reading everything from every node");
        findings.extend(ending.read_all().await.err());
        self.journal.add(|end_us| Event::End(End { end_us }));
        findings
    }
}
