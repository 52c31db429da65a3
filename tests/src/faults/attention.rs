//! Where the clients look, and when they hurry: what turns the load on what has just happened, as people do who reload a
//! page, or whom a load balancer sends to the node that is back.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::dice::Dice;

/// Of what was deleted, so much is remembered.
const DELETED_KEPT: usize = 128;

/// What the clients share of it.
#[derive(Default)]
pub(super) struct Attention {
    /// Operations that are still to be begun without a pause.
    hurried: AtomicU64,
    call: Mutex<Call>,
    /// Keys that were deleted lately, the newest last.
    deleted: Mutex<VecDeque<String>>,
}

/// Something has happened at these nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) nodes: Vec<usize>,
}

impl Attention {
    /// The next operations, so many at least, come without a pause.
    pub(super) fn hurry(&self, operations: u64) {
        self.hurried.fetch_max(operations, Ordering::Relaxed);
    }

    /// Whether the next operation comes without a pause.
    pub(super) fn takes_hurry(&self) -> bool {
        self.hurried.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// Operations that are still to come without a pause.
    pub(super) fn hurried(&self) -> u64 {
        self.hurried.load(Ordering::Relaxed)
    }

    /// Something has happened at these nodes: every client has a look.
    pub(super) fn call(&self, nodes: &[usize]) {
        let mut call = self.lock_call();
        *call = Call { number: call.number + 1, nodes: nodes.to_vec() };
    }

    /// The last call, if there was one.
    pub(super) fn last_call(&self) -> Call {
        self.lock_call().clone()
    }

    fn lock_call(&self) -> MutexGuard<'_, Call> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_deleted(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This key was deleted.
    pub(super) fn note_deleted(&self, key: &str) {
        let mut deleted = self.lock_deleted();
        deleted.push_back(key.to_owned());
        if deleted.len() > DELETED_KEPT {
            deleted.pop_front();
        }
    }

    /// One of the keys that were deleted lately.
    pub(super) fn some_deleted(&self, dice: &mut Dice) -> Option<String> {
        let deleted = self.lock_deleted();
        if deleted.is_empty() { None } else { deleted.get(dice.below(deleted.len())).cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_operations_are_hurried_and_no_more() {
        let attention = Attention::default();
        assert!(!attention.takes_hurry());
        attention.hurry(3);
        attention.hurry(1);
        assert_eq!((0..10).filter(|_| attention.takes_hurry()).count(), 3);
    }

    #[test]
    fn of_what_was_deleted_the_oldest_is_forgotten() {
        let (attention, mut dice) = (Attention::default(), Dice::new(1, 0));
        assert_eq!(attention.some_deleted(&mut dice), None);
        attention.note_deleted("first");
        (0..DELETED_KEPT).for_each(|_| attention.note_deleted("later"));
        assert!((0..1000).all(|_| attention.some_deleted(&mut dice).as_deref() == Some("later")));
    }
}
