//! Waiting for a condition, never for a time.

use std::{
    panic::Location,
    time::{Duration, Instant},
};

use crate::Failure;

/// Between two looks: short against every deadline of the contract, long against a reply.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Tries `condition` until it holds, and says `what` was awaited and what was seen last when it still does not after
/// `deadline`. An attempt that hangs counts as one that failed.
///
/// # Errors
/// [`Failure`] when the deadline passes.
#[track_caller]
pub fn eventually<T, A, F>(deadline: Duration, what: &str, mut condition: A) -> impl Future<Output = Result<T, Failure>>
where
    A: FnMut() -> F,
    F: Future<Output = Result<T, Failure>>,
{
    let caller = Location::caller();
    async move {
        let start = Instant::now();
        let mut last = String::from("no attempt ended");
        loop {
            let left = deadline.saturating_sub(start.elapsed());
            match tokio::time::timeout(left, condition()).await {
                Ok(Ok(seen)) => return Ok(seen),
                Ok(Err(failure)) => last = failure.to_string(),
                Err(_) => {}
            }
            if start.elapsed() + POLL_INTERVAL >= deadline {
                return Err(Failure::new(format!("within {deadline:?}: {what}, as {caller} says"))
                    .with(format!("last seen: {last}")));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Tries `condition` over and over for as long as `duration`: for what must not happen by itself.
///
/// # Errors
/// The first [`Failure`] of the condition.
pub async fn throughout<A, F>(duration: Duration, mut condition: A) -> Result<(), Failure>
where
    A: FnMut() -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let start = Instant::now();
    while start.elapsed() < duration {
        condition().await?;
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}
