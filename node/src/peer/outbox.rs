//! What waits to be sent to one node: bounded in number and bytes, and the newest is lost when it is full.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

/// Frames that wait for one neighbour.
const FRAMES_MAX: usize = 8192;
/// Bytes that wait for one neighbour: room for the longest frame.
const BYTES_MAX: usize = super::FRAME_BYTES_MAX;
/// Bytes that wait for all neighbours together.
const TOTAL_BYTES_MAX: usize = 4 * BYTES_MAX;

/// The bytes that wait in all outboxes of one node.
#[derive(Clone, Default)]
pub(super) struct Budget(Arc<AtomicUsize>);

/// The queue of frames for one neighbour.
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    budget: Budget,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// Sum of the frames' lengths.
    bytes: usize,
}

impl Budget {
    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= TOTAL_BYTES_MAX);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Outbox {
    pub(super) fn new(budget: Budget) -> Self {
        Self { queue: Mutex::default(), budget }
    }

    /// Queues a frame; says whether there was room.
    pub(super) fn push(&self, frame: Bytes) -> bool {
        let mut queue = self.lock();
        let fits =
            queue.frames.len() < FRAMES_MAX && queue.bytes + frame.len() <= BYTES_MAX && self.budget.take(frame.len());
        if fits {
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
        }
        fits
    }

    /// Takes the oldest frame. One at a time: what a slow link has not taken yet still counts.
    pub(super) fn pop(&self) -> Option<Bytes> {
        let mut queue = self.lock();
        let frame = queue.frames.pop_front()?;
        queue.bytes -= frame.len();
        self.budget.give_back(frame.len());
        Some(frame)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().frames.is_empty()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.budget.give_back(self.lock().bytes);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{BYTES_MAX, Budget, FRAMES_MAX, Outbox, TOTAL_BYTES_MAX};

    fn outbox() -> Outbox {
        Outbox::new(Budget::default())
    }

    #[test]
    fn it_keeps_order_and_is_empty_once_taken() {
        let outbox = outbox();
        assert!(outbox.push(Bytes::from_static(b"1")) && outbox.push(Bytes::from_static(b"2")));
        assert_eq!([outbox.pop(), outbox.pop(), outbox.pop()], [Some("1".into()), Some("2".into()), None]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn it_is_bounded_in_frames() {
        let outbox = outbox();
        let pushed = (0..=FRAMES_MAX).filter(|_| outbox.push(Bytes::from_static(b"x")));
        assert_eq!(pushed.count(), FRAMES_MAX);
    }

    #[test]
    fn it_is_bounded_in_bytes_and_makes_room_when_taken() {
        let outbox = outbox();
        let half = Bytes::from(vec![0; BYTES_MAX / 2]);
        assert!(outbox.push(half.clone()) && outbox.push(half.clone()));
        assert!(!outbox.push(Bytes::from_static(b"x")));
        outbox.pop();
        assert!(outbox.push(half));
        assert_eq!(outbox.bytes(), BYTES_MAX);
    }

    #[test]
    fn all_outboxes_of_a_node_share_a_bound_and_give_back_what_they_drop() {
        let budget = Budget::default();
        let full = Bytes::from(vec![0; BYTES_MAX]);
        let mut outboxes: Vec<_> = (0..TOTAL_BYTES_MAX / BYTES_MAX).map(|_| Outbox::new(budget.clone())).collect();
        assert!(outboxes.iter().all(|outbox| outbox.push(full.clone())));
        let late = Outbox::new(budget);
        assert!(!late.push(Bytes::from_static(b"x")));
        outboxes.pop();
        assert!(late.push(full));
    }
}
