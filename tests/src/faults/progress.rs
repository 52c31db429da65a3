//! What a run tells while it goes on, to whoever shows it.

use std::time::Duration;

use crate::history::Fault;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is broken or under way now, in words.
    pub broken: Vec<String>,
    /// Operations that have ended.
    pub operations: u64,
    /// Of these, those that were answered.
    pub answered: u64,
    /// The longest time in which no operation of any client was answered.
    pub longest_gap: Duration,
}

/// Learns of a run as it goes on.
pub trait Observer {
    /// What comes now, in words: a part of the run begins.
    fn begins(&self, part: &str);
    /// Something was broken, mended or changed.
    fn happened(&self, fault: &Fault);
    /// How far it is; often.
    fn progress(&self, progress: &Progress);
    /// Something is remarkable, and nobody's fault.
    fn remark(&self, text: &str);
}
