//! What waits to be sent to one node: bounded in number and bytes, and the newest is lost when it is full.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

/// Frames that wait for one neighbour.
const FRAMES_MAX: usize = 8192;
/// Bytes that wait for one neighbour.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// The queue of frames for one neighbour.
#[derive(Default)]
pub(super) struct Outbox(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// Sum of the frames' lengths.
    bytes: usize,
}

impl Outbox {
    /// Queues a frame; says whether there was room.
    pub(super) fn push(&self, frame: Bytes) -> bool {
        let mut queue = self.lock();
        let fits = queue.frames.len() < FRAMES_MAX && queue.bytes + frame.len() <= BYTES_MAX;
        if fits {
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
        }
        fits
    }

    /// Takes everything that waits.
    pub(super) fn take(&self) -> VecDeque<Bytes> {
        let mut queue = self.lock();
        queue.bytes = 0;
        std::mem::take(&mut queue.frames)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().frames.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{BYTES_MAX, FRAMES_MAX, Outbox};

    #[test]
    fn it_keeps_order_and_is_empty_once_taken() {
        let outbox = Outbox::default();
        assert!(outbox.push(Bytes::from_static(b"1")) && outbox.push(Bytes::from_static(b"2")));
        assert_eq!(outbox.take(), ["1", "2"]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn it_is_bounded_in_frames() {
        let outbox = Outbox::default();
        let pushed = (0..=FRAMES_MAX).filter(|_| outbox.push(Bytes::from_static(b"x")));
        assert_eq!(pushed.count(), FRAMES_MAX);
    }

    #[test]
    fn it_is_bounded_in_bytes_and_makes_room_when_taken() {
        let outbox = Outbox::default();
        let half = Bytes::from(vec![0; BYTES_MAX / 2]);
        assert!(outbox.push(half.clone()) && outbox.push(half.clone()));
        assert!(!outbox.push(Bytes::from_static(b"x")));
        outbox.take();
        assert!(outbox.push(half));
    }
}
