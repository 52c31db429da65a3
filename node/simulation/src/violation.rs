//! What a run finds wrong: one sentence, and where to look in the trace.

use std::fmt;

use node_core::SlotId;

#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) what: String,
    /// The slot that it is about, so that the trace can leave out the others.
    pub(crate) slot: Option<SlotId>,
}

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), slot: None }
    }

    pub(crate) fn of(slot: SlotId, what: impl Into<String>) -> Self {
        Self { what: what.into(), slot: Some(slot) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

pub(crate) type Checked<T = ()> = Result<T, Violation>;
