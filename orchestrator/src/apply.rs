//! Executes a plan, exactly, and undoes what it created when it is interrupted or meets a conflict.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::join_all;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::kept_logs::KeptLogs;
use crate::observed::ObservedNode;
use crate::output::{Event, Output, counted};
use crate::plan::{Operation, Plan, Step};
use crate::runtime::{Runtime, Site};

/// Executes operations and remembers how to undo them.
pub(crate) struct Executor<'a> {
    runtime: &'a dyn Runtime,
    site: &'a Site<'a>,
    interrupt: &'a Interrupt,
    undo: Mutex<Vec<Operation>>,
    done: Mutex<Vec<Operation>>,
    /// Where the logs of nodes go that are removed.
    logs: Option<&'a KeptLogs>,
    /// Since when the nodes are there that this run started.
    started: Mutex<BTreeMap<String, Instant>>,
    /// How many nodes that served were made anew.
    renewed: AtomicUsize,
}

impl<'a> Executor<'a> {
    pub(crate) fn new(runtime: &'a dyn Runtime, site: &'a Site<'a>, interrupt: &'a Interrupt) -> Self {
        Self {
            runtime,
            site,
            interrupt,
            undo: Mutex::default(),
            done: Mutex::default(),
            logs: None,
            started: Mutex::default(),
            renewed: AtomicUsize::new(0),
        }
    }

    /// Keeps the log of each node that it removes.
    pub(crate) fn keeping(self, logs: Option<&'a KeptLogs>) -> Self {
        Self { logs, ..self }
    }

    fn output(&self) -> &Output {
        self.site.output
    }

    /// All steps of the plan that has none to roll.
    ///
    /// # Errors
    /// See [`Self::roll`].
    pub(crate) async fn apply(&self, plan: &Plan) -> Result<(), Failure> {
        self.roll(plan, async || Ok(())).await
    }

    /// All steps of the plan in its order, those of each node that rolls when the cluster is `whole`.
    ///
    /// # Errors
    /// The first failure; the steps of nodes beside each other are finished before it is reported.
    pub(crate) async fn roll(&self, plan: &Plan, whole: impl AsyncFn() -> Result<(), Failure>) -> Result<(), Failure> {
        for note in &plan.notes {
            self.output().note(note);
        }
        self.in_order(&plan.first).await?;
        let nodes = join_all(plan.nodes.values().map(|steps| self.in_order(steps))).await;
        nodes.into_iter().collect::<Result<(), Failure>>()?;
        for steps in &plan.rolling {
            whole().await?;
            // Nobody stops half-way, and nobody undoes it: the node was there before.
            for step in steps {
                self.perform(step).await?;
            }
            self.renewed.fetch_add(1, Ordering::Relaxed);
        }
        self.in_order(&plan.last).await
    }

    async fn in_order(&self, steps: &[Step]) -> Result<(), Failure> {
        for step in steps {
            if self.interrupt.is_asked() {
                return Err(Failure::Interrupted(String::new()));
            }
            let undo = self.perform(step).await?;
            self.undo.lock().unwrap_or_else(PoisonError::into_inner).extend(undo);
        }
        Ok(())
    }

    /// Answers with what undoes it.
    async fn perform(&self, step: &Step) -> Result<Option<Operation>, Failure> {
        let Step { operation, cause } = step;
        if let Some(node) = operation.node() {
            self.output().waiting(node, &operation.to_string());
        } else {
            self.output().progress(&operation.to_string());
        }
        let start = Instant::now();
        if let Operation::StartNode { launch } = operation {
            self.started.lock().unwrap_or_else(PoisonError::into_inner).insert(launch.name.clone(), start);
        }
        if let (Operation::RemoveNode { name, id }, Some(logs)) = (operation, self.logs) {
            let node = ObservedNode { id: id.clone(), ..ObservedNode::gone(name) };
            logs.keep(self.runtime, self.site, &node).await;
        }
        let undo = self.runtime.perform(operation, self.site).await?;
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(operation.clone());
        let event = Event::new(operation.event(), self.runtime.done(operation));
        self.output().event(&event.node(operation.node()).cause(cause).took(start.elapsed()));
        Ok(undo)
    }

    /// What is done so far.
    pub(crate) fn done(&self) -> Vec<Operation> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When each node was started that this run started since this was asked last.
    pub(crate) fn take_started(&self) -> BTreeMap<String, Instant> {
        std::mem::take(&mut *self.started.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a command's work; when it is interrupted, or somebody takes its place meanwhile, removes what this run created.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn undoing(&self, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        match work.await {
            Err(Failure::Interrupted(_)) => Err(Failure::Interrupted(self.roll_back("interrupted").await)),
            Err(Failure::Conflict(conflicts)) => {
                let created = !self.undo.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
                if created {
                    self.output().note(&self.roll_back("conflict").await);
                }
                Err(Failure::Conflict(conflicts))
            }
            other => other,
        }
    }

    /// In reverse order; answers with what became of it.
    async fn roll_back(&self, cause: &str) -> String {
        let undo = std::mem::take(&mut *self.undo.lock().unwrap_or_else(PoisonError::into_inner));
        let renewed = match self.renewed.load(Ordering::Relaxed) {
            0 => String::new(),
            count => format!("{} made anew, the others are as they were", counted(count, "node")),
        };
        if undo.is_empty() {
            return if renewed.is_empty() { "nothing was created".to_owned() } else { renewed };
        }
        let mut left = Vec::new();
        for operation in undo.iter().rev() {
            self.output().progress(&operation.to_string());
            match self.runtime.perform(operation, self.site).await {
                Ok(_) => self.output().event(
                    &Event::new(operation.event(), self.runtime.done(operation)).node(operation.node()).cause(cause),
                ),
                Err(error) => left.push(error.to_string()),
            }
        }
        if left.is_empty() {
            return "what this run created is removed again".to_owned();
        }
        format!("not all that this run created could be removed; run `orchestrator down`: {}", left.join("; "))
    }
}
