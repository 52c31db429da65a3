//! The way of a run through its schedule: breaks and mends when the clients have done so many operations, writes down what
//! was done, and leaves out what the contract would promise nothing of.
//!
//! Invariant: whatever was begun is in the list of what is on, or under way, until it is undone.

mod breaking;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::{JoinError, JoinSet};

use super::{
    clients::Clients,
    halt::Halt,
    keys::Keys,
    kind::Kind,
    progress::{Observer, Progress},
    proof,
    schedule::Planned,
    victim::Victim,
};
use crate::{Failure, eventually, history::Fault, journal::Journal};

/// How long a fault is put off for a cluster that is not whole yet.
const WHOLE_PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at how many operations there were: short against a fault.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Between two tellings of how far it is.
const TELL_INTERVAL: Duration = Duration::from_millis(250);

/// A fault that is on.
struct On {
    number: u32,
    kind: Kind,
    nodes: Vec<usize>,
    what: String,
    /// When it is undone, in operations since the run began.
    until: u64,
}

/// What a run has to do with while it breaks.
pub(super) struct Means<'a> {
    pub(super) victim: &'a mut Victim,
    pub(super) clients: &'a Clients,
    pub(super) journal: &'a Arc<Journal>,
    pub(super) keys: &'a Keys,
    /// Operations in a hurry when something happens.
    pub(super) hurry: u64,
    pub(super) halt: &'a Halt,
    pub(super) observer: &'a dyn Observer,
}

/// A run on its way.
pub(super) struct Course<'a> {
    means: Means<'a>,
    /// The first to be undone first.
    on: VecDeque<On>,
    change: JoinSet<Fault>,
    /// What goes on until it has come to an end by itself, in words.
    under_way: Option<String>,
    begun: u32,
    told: Instant,
}

impl<'a> Course<'a> {
    /// A run at its beginning.
    pub(super) fn new(means: Means<'a>) -> Self {
        let (on, change) = Default::default();
        Self { means, on, change, under_way: None, begun: 0, told: Instant::now() }
    }

    /// Follows the schedule to its end, or until the run is over.
    ///
    /// # Errors
    /// [`Failure`] when something could not be broken or mended.
    pub(super) async fn follow(&mut self, schedule: impl Iterator<Item = Planned>) -> Result<(), Failure> {
        for planned in schedule {
            if !planned.overlaps {
                self.undo_in_time().await?;
            }
            self.advance(self.operations() + planned.gap).await?;
            let may_begin = !planned.kind.needs_whole() || self.is_whole(planned.kind).await;
            if self.means.halt.is_over() {
                return Ok(());
            }
            if may_begin {
                self.begin(planned).await?;
            }
        }
        self.undo_in_time().await
    }

    /// Undoes all that is on and waits for what is under way, unless somebody asks the run to end; gives what could not be
    /// undone.
    pub(super) async fn mend(&mut self) -> Vec<Failure> {
        let (mut failures, mut left) = (Vec::new(), Vec::new());
        while let Some(on) = self.on.pop_front() {
            if let Err(failure) = self.undo(&on).await {
                failures.push(failure);
                left.push(on);
            }
        }
        let unmended = self.means.victim.mend().await;
        if unmended.is_empty() {
            left.iter().for_each(|on| self.tell_end(on, self.means.journal.now_us()));
        }
        failures.extend(unmended);
        let halt = self.means.halt;
        if halt.unless_asked(self.changed()).await.is_none() {
            self.change.abort_all();
        }
        failures
    }

    fn operations(&self) -> u64 {
        self.means.clients.turns()
    }

    /// Lets the clients go on until there were so many operations; undoes what is due before that.
    async fn advance(&mut self, until: u64) -> Result<(), Failure> {
        while let Some(due) = self.on.front().map(|on| on.until).filter(|due| *due <= until) {
            self.await_operations(due).await;
            if let Some(on) = self.on.pop_front() {
                self.undo_or_keep(on).await?;
            }
        }
        self.await_operations(until).await;
        Ok(())
    }

    /// Lets the clients go on until all that is on is undone in its time, and what is under way has come to an end.
    async fn undo_in_time(&mut self) -> Result<(), Failure> {
        while let Some(on) = self.on.front() {
            self.advance(on.until).await?;
        }
        let halt = self.means.halt;
        halt.unless_over(self.changed()).await;
        Ok(())
    }

    async fn await_operations(&mut self, until: u64) {
        while self.operations() < until && !self.means.halt.is_over() {
            while let Some(changed) = self.change.try_join_next() {
                self.note_change(changed);
            }
            self.tell();
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn note_change(&mut self, changed: Result<Fault, JoinError>) {
        self.under_way = None;
        match changed {
            Ok(fault) => self.means.observer.happened(&fault),
            Err(error) => self.means.observer.remark(&format!("a change came to nothing: {error}")),
        }
    }

    /// Waits until no change is under way.
    async fn changed(&mut self) {
        while !self.change.is_empty() {
            tokio::select! {
                Some(changed) = self.change.join_next() => self.note_change(changed),
                () = tokio::time::sleep(TELL_INTERVAL) => self.tell(),
            }
        }
    }

    /// Waits until every node is there and serves all it should; says so when that does not come.
    async fn is_whole(&self, kind: Kind) -> bool {
        let Means { victim, keys, halt, observer, .. } = &self.means;
        let whole = eventually(WHOLE_PATIENCE, "every node sees all and has everything", || {
            proof::whole(victim.client(), victim.nodes(), keys.hot())
        });
        match halt.unless_over(whole).await {
            Some(Ok(())) => true,
            Some(Err(failure)) => {
                observer.remark(&format!("{} is left out: {failure}", kind.name()));
                false
            }
            None => false,
        }
    }

    fn tell(&mut self) {
        if self.told.elapsed() < TELL_INTERVAL {
            return;
        }
        self.told = Instant::now();
        let count = self.means.journal.count();
        let on = self.on.iter().map(|on| on.what.clone());
        self.means.observer.progress(&Progress {
            broken: on.chain(self.under_way.clone()).collect(),
            operations: count.operations,
            answered: count.answered,
            longest_gap: count.longest_gap(self.means.journal.now_us()),
        });
    }
}
