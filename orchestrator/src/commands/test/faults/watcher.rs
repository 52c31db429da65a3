//! Tells of a run as it goes on: a line for each fault, and in place what is broken now.

use conformance::faults::{Observer, Progress};
use conformance::history::{Fault, Phase};
use serde_json::json;

use crate::output::Output;

/// The live count.
pub(super) struct Watcher<'a> {
    output: &'a Output,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(output: &'a Output) -> Self {
        Self { output }
    }
}

impl Observer for Watcher<'_> {
    fn begins(&self, part: &str) {
        self.output.line(part, json!({"event": "faults.part", "message": part}));
    }

    fn happened(&self, fault: &Fault) {
        let Fault { number, kind, what, start_us, end_us, .. } = fault;
        let sign = match fault.phase {
            Phase::Begins => '!',
            Phase::Ends => '.',
            Phase::Passes => '~',
        };
        let ms = (end_us - start_us) / 1000;
        let (second, hundredth) = (end_us / 1_000_000, end_us / 10_000 % 100);
        self.output.line(
            &format!("{second:4}.{hundredth:02} {sign} {kind}: {what} ({ms} ms)"),
            json!({"event": "faults.happened", "number": number, "kind": kind, "message": what, "phase": fault.phase, "ms": ms}),
        );
    }

    fn progress(&self, progress: &Progress) {
        let Progress { broken, operations, answered, longest_gap } = progress;
        let now = if broken.is_empty() { "nothing is broken".to_owned() } else { broken.join("; ") };
        let gap_ms = longest_gap.as_millis();
        self.output.waiting("faults", &format!("{answered} of {operations} answered, longest gap {gap_ms} ms; {now}"));
    }

    fn remark(&self, text: &str) {
        self.output.note(text);
    }
}
