//! The history as it comes: kept, and written at once line by line, so that of a run that breaks off there is what there was.
//!
//! Events are in the order in which they ended, since each gets its end under the lock that orders them.

use std::{
    io::{self, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::history::{Event, History};

/// Where a history grows.
pub(crate) struct Journal {
    start: Instant,
    /// Of the last token that a reply brought.
    tokens: AtomicU64,
    inner: Mutex<Inner>,
}

struct Inner {
    history: History,
    sink: Box<dyn Write + Send>,
    /// Why the sink took no more.
    unwritten: Option<io::Error>,
    count: Count,
}

/// What the operations came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) operations: u64,
    pub(crate) answered: u64,
    last_success_us: u64,
    longest_gap_us: u64,
}

impl Count {
    /// The longest time without an answer, one that has not ended included.
    pub(crate) fn longest_gap(&self, now_us: u64) -> Duration {
        Duration::from_micros(self.longest_gap_us.max(now_us.saturating_sub(self.last_success_us)))
    }
}

impl Journal {
    pub(crate) fn new(sink: Box<dyn Write + Send>) -> Self {
        let inner = Inner { history: History::default(), sink, unwritten: None, count: Count::default() };
        Self { start: Instant::now(), tokens: AtomicU64::new(0), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the run began.
    pub(crate) fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Adds what ends now.
    pub(crate) fn add(&self, event: impl FnOnce(u64) -> Event) {
        let mut inner = self.inner();
        let now_us = self.now_us();
        let event = event(now_us);
        if let Event::Operation(operation) = &event {
            let count = &mut inner.count;
            count.operations += 1;
            if operation.is_answered() {
                count.longest_gap_us = count.longest_gap_us.max(now_us - count.last_success_us);
                count.last_success_us = now_us;
                count.answered += 1;
            }
        }
        // One call for a line: the sink may be a file without a buffer.
        let mut line = Vec::new();
        let written = event.write(&mut line).and_then(|()| inner.sink.write_all(&line));
        if let Err(error) = written {
            inner.unwritten.get_or_insert(error);
        }
        inner.history.events.push(event);
    }

    /// A number for a token that has just come.
    pub(crate) fn number_token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn count(&self) -> Count {
        self.inner().count
    }

    /// What there is, and why the sink has not all of it.
    pub(crate) fn take(&self) -> (History, io::Result<()>) {
        let mut inner = self.inner();
        let written = inner.unwritten.take().map_or(Ok(()), Err).and_then(|()| inner.sink.flush());
        (std::mem::take(&mut inner.history), written)
    }
}
