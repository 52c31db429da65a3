//! One try of one case: whatever happens in it is a result.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::{Failure, Stage, case::Case};

/// Runs the case on the stage, for as long as it may take.
///
/// # Errors
/// [`Failure`] when it does not hold, takes too long, or panics; with the step it was at.
pub(super) async fn attempt(case: &Case, stage: &mut Stage) -> Result<(), Failure> {
    let limit = case.scenario.limit;
    let run = AssertUnwindSafe(case.scenario.run(stage)).catch_unwind();
    let result = match tokio::time::timeout(limit, run).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(Failure::of_panic(&*panic)),
        Err(_) => Err(Failure::new(format!("an end within {limit:?}"))),
    };
    result.map_err(|failure| match stage.record().last_step() {
        Some(step) => failure.with(format!("step:    {step}")),
        None => failure,
    })
}
