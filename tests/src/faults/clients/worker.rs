//! One client at work: it chooses by the seed what it does next, at a node that it stays with for a while.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::time::MissedTickBehavior;

use super::{
    super::{
        keys::{Deed, deed, is_note},
        session::Session,
    },
    Load, Shared, Told,
};
use crate::{dice::Dice, history::Operation};

/// Of 100 operations, so many are preceded by telling another client, or by forgetting all.
const TELL_PERCENT: usize = 10;
const FORGET_PERCENT: usize = 2;
/// Of 100 operations, so many are preceded by going to another node; half of these to where something happened last.
const MOVE_PERCENT: usize = 10;
/// Of 100 operations, so many are of a key that the client remembers.
const AGAIN_PERCENT: usize = 25;
/// Keys that a client remembers, and how many it looks at when it is called.
const REMEMBERED: usize = 16;
const LOOKED_AT: usize = 8;

/// One client at work.
pub(super) struct Worker {
    index: usize,
    dice: Dice,
    node: usize,
    session: Session,
    /// What it asked for lately, the newest last.
    remembered: VecDeque<String>,
    /// What it reads next in any case.
    next: Option<String>,
    /// The number of the last call that it has followed.
    followed: u64,
    shared: Arc<Shared>,
}

impl Worker {
    pub(super) fn new(index: usize, session: Session, shared: Arc<Shared>) -> Self {
        let dice = Dice::new(shared.load.seed, 1 + index);
        Self { index, dice, node: index, session, remembered: VecDeque::new(), next: None, followed: 0, shared }
    }

    pub(super) async fn run(mut self) -> Session {
        let Load { clients, per_second, .. } = self.shared.load;
        let mut pace = tokio::time::interval(Duration::from_secs(1) * clients / per_second);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Who gets no answer has no reason to hurry.
        let mut answered = true;
        while !self.shared.stopping.load(Ordering::Relaxed) {
            if !(answered && self.shared.attention.takes_hurry()) {
                pace.tick().await;
                self.shared.turns.fetch_add(1, Ordering::Relaxed);
            }
            self.follow_call().await;
            self.listen_and_tell();
            answered = self.operate().await.status.is_some();
        }
        self.session
    }

    /// Has a look at a node where something has just happened.
    async fn follow_call(&mut self) {
        let call = self.shared.attention.last_call();
        if call.number == self.followed {
            return;
        }
        self.followed = call.number;
        if call.nodes.is_empty() {
            return;
        }
        let there = call.nodes[self.dice.below(call.nodes.len())];
        // Some compare, and some just go on there.
        if self.dice.below(2) == 0 {
            self.look_at(there).await;
        } else {
            self.node = there;
        }
    }

    /// Reads what it knows, first elsewhere and then there, and stays there unless there is no answer. What it then writes
    /// elsewhere it deletes there.
    async fn look_at(&mut self, there: usize) {
        let (node, mut elsewhere) = (self.shared.node(there), self.shared.node(self.node));
        if elsewhere == node {
            elsewhere = self.shared.node(there + 1);
        }
        for _ in 0..LOOKED_AT {
            let deleted =
                if self.dice.below(2) == 0 { self.shared.attention.some_deleted(&mut self.dice) } else { None };
            let Some(key) = deleted.or_else(|| self.some_remembered()) else { return };
            for node in [&elsewhere, &node] {
                if !self.session.get(node, &key).await.is_answered() {
                    return;
                }
            }
        }
        if let Some(note) = self.some_own_note(Deed::Write) {
            let written = self.session.put(&elsewhere, &note, self.shared.next_value()).await;
            if !written.is_answered() || !self.session.delete(&node, &note).await.is_answered() {
                return;
            }
        }
        self.node = there;
    }

    /// Takes over what it was told, and looks at what that was about; tells another, or forgets.
    fn listen_and_tell(&mut self) {
        let place = |client: usize| self.shared.told[client].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = place(self.index).take() {
            self.session.take_over(&told.session);
            self.next = told.key;
        }
        match self.dice.below(100) {
            choice if choice < TELL_PERCENT => {
                let told = Told { session: self.session.clone(), key: self.remembered.back().cloned() };
                *place(self.dice.below(self.shared.told.len())) = Some(told);
            }
            choice if choice < TELL_PERCENT + FORGET_PERCENT => self.session.forget(),
            _ => {}
        }
    }

    /// Asks once. Who gets no answer goes elsewhere; where that is has been decided before.
    async fn operate(&mut self) -> Operation {
        let elsewhere = self.dice.below(usize::MAX);
        if self.dice.below(100) < MOVE_PERCENT {
            let nodes = self.shared.attention.last_call().nodes;
            let drawn = !nodes.is_empty() && self.dice.below(2) == 0;
            self.node = if drawn { nodes[elsewhere % nodes.len()] } else { elsewhere };
        }
        let node = self.shared.node(self.node);
        let (key, deed) = self.choose();
        let operation = match deed {
            Deed::Read => self.session.get(&node, &key).await,
            Deed::Write => self.session.put(&node, &key, self.shared.next_value()).await,
            Deed::Delete => self.session.delete(&node, &key).await,
        };
        if !operation.is_answered() {
            self.node = elsewhere;
        }
        if deed == Deed::Delete && operation.status == Some(200) {
            self.shared.attention.note_deleted(&key);
        }
        self.remember(key);
        operation
    }

    /// What it asks for, and what it does with it.
    fn choose(&mut self) -> (String, Deed) {
        if let Some(key) = self.next.take() {
            return (key, Deed::Read);
        }
        let again = self.dice.below(100) < AGAIN_PERCENT;
        let remembered = if again { self.some_remembered() } else { None };
        let key = remembered.unwrap_or_else(|| self.shared.load.keys.choose(&mut self.dice).to_owned());
        let deed = deed(&key, &mut self.dice);
        match deed {
            Deed::Write | Deed::Delete if is_note(&key) => {
                self.some_own_note(deed).map_or((key, Deed::Read), |own| (own, deed))
            }
            _ => (key, deed),
        }
    }

    /// One to be written, or to be deleted: then it is one that the client was at lately, if there is any.
    fn some_own_note(&mut self, deed: Deed) -> Option<String> {
        let keys = &self.shared.load.keys;
        let is_own = |key: &&String| deed == Deed::Delete && keys.is_note_of(self.index, key);
        let lately = self.remembered.iter().rev().find(is_own).cloned();
        lately.or_else(|| keys.some_note_of(self.index, &mut self.dice).map(str::to_owned))
    }

    fn some_remembered(&mut self) -> Option<String> {
        let count = self.remembered.len();
        if count == 0 { None } else { self.remembered.get(self.dice.below(count)).cloned() }
    }

    fn remember(&mut self, key: String) {
        self.remembered.retain(|other| *other != key);
        self.remembered.push_back(key);
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
    }
}
