//! One client of the load: chooses, asks, has the answer judged, never retries.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::time::MissedTickBehavior;

use super::{
    Shared,
    oracle::{Past, Seen},
};
use crate::{Client, Failure, Reply, dice::Dice};

/// An answer that takes longer is none.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Of 100 operations, so many are preceded by handing a copy of the token to another client.
const HANDOVER_PERCENT: usize = 5;
/// Of 100 operations, so many read, and so many more put; the rest delete.
const READ_PERCENT: usize = 50;
const PUT_PERCENT: usize = 40;

/// A token and what is behind it.
#[derive(Clone)]
pub(super) struct Session {
    client: Client,
    past: Past,
}

/// A client: its own session, in which it reads and writes, and one that another gave it, in which it reads.
pub(super) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    dice: Dice,
    own: Session,
    borrowed: Option<Session>,
    /// Own keys whose last write got no answer that says what became of it: left alone from then on.
    uncertain: Vec<usize>,
}

impl Worker {
    pub(super) fn new(index: usize, shared: Arc<Shared>) -> Self {
        let workload = &shared.workload;
        Self {
            index,
            dice: Dice::new(workload.seed, index),
            own: Session {
                client: Client::keeping_connections(workload.dialect, &workload.record),
                past: Past::new(workload.keys()),
            },
            borrowed: None,
            uncertain: Vec::new(),
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

    /// Gives its keys' final state to the tally, and its client away.
    pub(super) fn finish(self) -> (usize, Client) {
        let per_client = self.shared.workload.keys_per_client;
        let mut tally = self.shared.tally();
        for key in self.index * per_client..(self.index + 1) * per_client {
            let newest = self.own.past.newest(key);
            let value = self.shared.oracle().leaves_value(key, newest);
            let value = value.then(|| value_of(&self.shared.workload.key_name(key), newest));
            if !self.uncertain.contains(&key) && newest > 0 {
                tally.final_values.insert(key, value);
            }
        }
        (self.index, self.own.client)
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
        let (key, url) = (self.dice.below(self.shared.workload.keys()), self.shared.next_url());
        let name = self.shared.workload.key_name(key);
        let lends = self.dice.below(2) == 0;
        let session = match &mut self.borrowed {
            Some(borrowed) if lends => borrowed,
            _ => &mut self.own,
        };
        let reply = answer(session.client.get(&url, &name)).await?;
        self.shared.tally().reads += 1;
        let seen = match reply.status {
            200 => Seen::Write(number_in(&reply, &name)?),
            404 => Seen::Nothing,
            _ => return Err(reply.contradicts("200 or a right 404 to a read")),
        };
        let judged = self.shared.oracle().judge_read(key, seen, &mut session.past);
        judged.map_err(|wrong| reply.contradicts(wrong))
    }

    async fn write(&mut self, deletes: bool) -> Result<(), Failure> {
        let per_client = self.shared.workload.keys_per_client;
        let key = self.index * per_client + self.dice.below(per_client);
        if self.uncertain.contains(&key) {
            return Ok(());
        }
        let exists = self.shared.oracle().leaves_value(key, self.own.past.newest(key));
        let name = self.shared.workload.key_name(key);
        let url = self.shared.next_url();
        if deletes && !exists {
            let reply = answer(self.own.client.delete(&url, &name)).await?;
            self.shared.tally().deletes += 1;
            return reply.must_be(404).map(|_| ());
        }
        let number = self.shared.oracle().begin_write(key, deletes, &self.own.past);
        let reply = if deletes {
            answer(self.own.client.delete(&url, &name)).await
        } else {
            let value = value_of(&name, number);
            answer(self.own.client.put(&url, &name, value)).await
        };
        if !matches!(&reply, Ok(reply) if matches!(reply.status, 200 | 201)) {
            self.uncertain.push(key);
        }
        let reply = reply?;
        {
            let mut tally = self.shared.tally();
            *(if deletes { &mut tally.deletes } else { &mut tally.puts }) += 1;
        }
        if !matches!(reply.status, 200 | 201) {
            return Err(reply.contradicts("200 or 201 to a write"));
        }
        let past = &mut self.own.past;
        self.shared.oracle().end_write(key, number, past);
        let right = if deletes || exists { 200 } else { 201 };
        reply.must_be(right)?;
        if !deletes {
            reply.must_have("replaced", exists)?;
        }
        Ok(())
    }
}

/// What the write `number` puts under `key`: unique, so that a read tells which write it saw.
fn value_of(key: &str, number: u32) -> String {
    format!("{key} write {number}")
}

fn number_in(reply: &Reply, key: &str) -> Result<u32, Failure> {
    let value = reply.text("value")?;
    let number = value.strip_prefix(key).and_then(|rest| rest.strip_prefix(" write "));
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| reply.contradicts(format!("a value that was written to {key}")))
}

async fn answer(reply: impl Future<Output = Result<Reply, Failure>>) -> Result<Reply, Failure> {
    let reply = tokio::time::timeout(ANSWER_LIMIT, reply).await;
    reply.unwrap_or_else(|_| Err(Failure::new(format!("an answer within {ANSWER_LIMIT:?}"))))
}
