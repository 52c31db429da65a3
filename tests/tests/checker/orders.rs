//! The definition of causal convergence, tried out: there is an order of all operations, and for each a set of those before
//! it that it sees, closed under seeing, so that each answer is what the last write that it sees leaves.

use conformance::history::{History, Kind, Operation, Wrote};

use crate::seen;

struct Search<'a> {
    history: &'a History,
    operations: Vec<&'a Operation>,
    givers: Vec<Option<usize>>,
    /// What the last reads must see: every acknowledged write that cannot be lost, as bits.
    kept: u32,
    order: Vec<usize>,
    /// What each operation sees, as bits.
    sees: Vec<u32>,
}

/// Whether there is such an order.
pub(crate) fn allow(history: &History) -> bool {
    let operations: Vec<&Operation> = history.operations().collect();
    let givers = operations.iter().map(|operation| seen::giver(&operations, operation)).collect();
    let kept = |write: &Operation| write.wrote() == Wrote::Yes && !seen::may_be_lost(history, write, u64::MAX);
    let kept = operations.iter().enumerate().filter(|(_, write)| kept(write)).fold(0, |bits, (id, _)| bits | 1 << id);
    let sees = vec![0; operations.len()];
    let mut search = Search { history, operations, givers, kept, order: Vec::new(), sees };
    seen::is_plausible(history) && search.go_on()
}

impl Search<'_> {
    fn go_on(&mut self) -> bool {
        self.order.len() == self.operations.len()
            || (0..self.operations.len()).any(|next| !self.order.contains(&next) && self.place(next))
    }

    /// Tries all that `next` may see if it is the next in the order.
    fn place(&mut self, next: usize) -> bool {
        let placed = self.order.iter().fold(0_u32, |bits, id| bits | 1 << id);
        let mut needed = self.givers[next].map_or(0, |giver| self.sees[giver] | 1 << giver);
        if self.operations[next].last && self.operations[next].kind == Kind::Get {
            needed |= self.kept;
        }
        for sees in (0..1_u32 << self.operations.len()).filter(|sees| sees & !placed == 0 && needed & !sees == 0) {
            let closed = self.order.iter().all(|id| sees & 1 << id == 0 || self.sees[*id] & !sees == 0);
            if closed && self.answers(next, sees) {
                self.sees[next] = sees;
                self.order.push(next);
                if self.go_on() {
                    return true;
                }
                self.order.pop();
            }
        }
        false
    }

    /// Whether its answer is what one of the last writes that it sees leaves: the last, or an earlier one if all after it may
    /// be lost.
    fn answers(&self, id: usize, sees: u32) -> bool {
        let read = self.operations[id];
        if !(seen::is_nothing(read) || read.kind == Kind::Get && read.status == Some(200)) {
            return true;
        }
        let seen = self.order.iter().rev().map(|id| (*id, self.operations[*id]));
        for (write, operation) in seen.filter(|(write, operation)| sees & 1 << write != 0 && operation.key == read.key)
        {
            if operation.wrote() == Wrote::No {
                continue;
            }
            let leaves = if operation.kind == Kind::Put { operation.value.as_ref() } else { None };
            if leaves == read.value.as_ref() && seen::may_be_seen(self.operations[write], read) {
                return true;
            }
            if !seen::may_be_lost(self.history, operation, read.end_us) {
                return false;
            }
        }
        seen::is_nothing(read)
    }
}
