//! One client of the load at work: chooses and asks, never retries, and knows what it has left in its own keys.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use tokio::time::MissedTickBehavior;

use super::{Shared, goes_on, session::Session};
use crate::{Client, Failure, Reply, dice::Dice};

/// Of 100 operations, so many are preceded by handing a copy of the token to another client.
const HANDOVER_PERCENT: usize = 5;
/// Of 100 operations, so many read, and so many more put; the rest delete.
const READ_PERCENT: usize = 50;
const PUT_PERCENT: usize = 40;

/// A client: its own session, in which it reads and writes, and one that another gave it, in which it reads.
pub(super) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    dice: Dice,
    own: Session,
    borrowed: Option<Session>,
    /// What it has left in each of its keys.
    left: Vec<Left>,
    /// Values written, or perhaps written.
    values: u32,
}

/// What is in a key that nobody else writes.
#[derive(Clone, Debug)]
enum Left {
    Untouched,
    Value(String),
    Deleted,
    /// Its last write got no answer that says what became of it: left alone from then on.
    Unknown,
}

impl Worker {
    pub(super) fn new(index: usize, shared: Arc<Shared>) -> Self {
        let workload = &shared.workload;
        let client = if workload.roams { Client::new } else { Client::keeping_connections };
        let client = client(workload.dialect, &workload.record);
        Self {
            index,
            dice: Dice::new(workload.seed, index),
            own: Session::new(index as u32 + 1, client, &shared.journal),
            borrowed: None,
            left: vec![Left::Untouched; workload.keys_per_client],
            values: 0,
            shared,
        }
    }

    /// Works until told to stop.
    pub(super) async fn run(mut self) -> Self {
        let mut pace = tokio::time::interval(self.shared.workload.pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.shared.stopping.load(Ordering::Relaxed) {
            pace.tick().await;
            if self.dice.below(100) < HANDOVER_PERCENT {
                self.hand_over();
            }
            let outcome = match self.dice.below(100) {
                choice if choice < READ_PERCENT => self.read().await,
                choice if choice < READ_PERCENT + PUT_PERCENT => self.write(false).await,
                _ => self.write(true).await,
            };
            self.shared.operations.fetch_add(1, Ordering::Relaxed);
            if let Err(violation) = outcome {
                self.shared.tally().violation(violation);
            }
        }
        self
    }

    /// Gives its keys' final state to the tally, and its session away.
    pub(super) fn finish(self) -> (usize, Session) {
        let mut tally = self.shared.tally();
        for (own, left) in self.left.into_iter().enumerate() {
            let value = match left {
                Left::Value(value) => Some(value),
                Left::Deleted => None,
                Left::Untouched | Left::Unknown => continue,
            };
            tally.final_values.insert(self.shared.workload.key_name(self.index, own), value);
        }
        (self.index, self.own)
    }

    /// Gives a copy of one of its sessions to another client.
    fn hand_over(&mut self) {
        let receiver = self.dice.below(self.shared.handed_over.len());
        let given = self.borrowed.as_ref().unwrap_or(&self.own).clone();
        let mut place = self.shared.handed_over[receiver].lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(given);
    }

    async fn read(&mut self) -> Result<(), Failure> {
        let mut given = self.shared.handed_over[self.index].lock().unwrap_or_else(PoisonError::into_inner).take();
        self.borrowed = given.take().or(self.borrowed.take());
        let workload = &self.shared.workload;
        let key = self.dice.below(workload.clients * workload.keys_per_client);
        let key = workload.key_name(key / workload.keys_per_client, key % workload.keys_per_client);
        let lends = self.dice.below(2) == 0;
        let session = match &mut self.borrowed {
            Some(borrowed) if lends => borrowed,
            _ => &mut self.own,
        };
        let mut tries = self.shared.tries();
        let reply = loop {
            let reply = session.get(&self.shared.next_url(), &key, false).await;
            if !goes_on(&reply, &mut tries) {
                break reply?;
            }
        };
        self.shared.tally().reads += 1;
        match reply.status {
            200 | 404 => Ok(()),
            _ => Err(reply.contradicts("200 or a right 404 to a read")),
        }
    }

    /// Puts the value, or deletes where there is none.
    async fn send(&mut self, key: &str, value: Option<&String>) -> Result<Reply, Failure> {
        let mut tries = self.shared.tries();
        loop {
            let url = self.shared.next_url();
            let reply = match value {
                Some(value) => self.own.put(&url, key, value).await,
                None => self.own.delete(&url, key).await,
            };
            if !goes_on(&reply, &mut tries) {
                return reply;
            }
        }
    }

    async fn write(&mut self, deletes: bool) -> Result<(), Failure> {
        let own = self.dice.below(self.left.len());
        let exists = match self.left[own] {
            Left::Unknown => return Ok(()),
            Left::Value(_) => true,
            Left::Untouched | Left::Deleted => false,
        };
        let key = self.shared.workload.key_name(self.index, own);
        if deletes && !exists {
            let reply = self.send(&key, None).await?;
            self.shared.tally().deletes += 1;
            return reply.must_be(404).map(|_| ());
        }
        self.values += 1;
        let value = format!("{key} write {}", self.values);
        let reply = self.send(&key, (!deletes).then_some(&value)).await;
        self.left[own] = match &reply {
            Ok(reply) if matches!(reply.status, 200 | 201) && deletes => Left::Deleted,
            Ok(reply) if matches!(reply.status, 200 | 201) => Left::Value(value),
            _ => Left::Unknown,
        };
        let reply = reply?;
        {
            let mut tally = self.shared.tally();
            *(if deletes { &mut tally.deletes } else { &mut tally.puts }) += 1;
        }
        if !matches!(reply.status, 200 | 201) {
            return Err(reply.contradicts("200 or 201 to a write"));
        }
        let right = if deletes || exists { 200 } else { 201 };
        reply.must_be(right)?;
        if !deletes {
            reply.must_have("replaced", exists)?;
        }
        Ok(())
    }
}
