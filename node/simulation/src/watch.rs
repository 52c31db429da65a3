//! How a run is looked at. Nothing of it changes what happens, but that a run that is judged ends when something is wrong.

use crate::{journal::Journal, trace::Trace};

#[derive(Clone, Default)]
pub(crate) struct Watch {
    pub(crate) trace: Trace,
    pub(crate) journal: Journal,
    /// Nobody judges what happens: for a history that another has to judge.
    pub(crate) blind: bool,
}
