//! The life of the helper: cut, then probe and report; on SIGTERM heal, and go on.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::Ipv4Addr;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::arguments::Arguments;
use crate::neighbours::Neighbours;
use crate::probe::{PERIOD, Probe};

/// One line of the output: written when something in it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Report {
    /// The cuts that are made.
    cuts: BTreeSet<Ipv4Addr>,
    /// The peers that were heard lately.
    heard: BTreeSet<Ipv4Addr>,
}

/// Runs until the process is killed.
pub(crate) fn run(arguments: Arguments) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start: {error}"))?.block_on(live(arguments))
}

async fn live(arguments: Arguments) -> Result<(), String> {
    // The first process of a container is not ended by a signal that it does not ask for.
    let mut terminations = signal(SignalKind::terminate()).map_err(|e| format!("cannot listen for SIGTERM: {e}"))?;
    let neighbours = Neighbours::open()?;
    neighbours.cut(&arguments.cuts).await?;
    let mut cuts = arguments.cuts;
    let mut probe = Probe::open(arguments.port, arguments.peers).await?;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => probe.send(),
            () = probe.arrival() => {}
            _ = terminations.recv() => {
                cuts.clear();
                neighbours.cut(&cuts).await?;
            }
        }
        // After a delay what waits in the socket counts before what the clock says.
        probe.receive();
        let report = Report { cuts: cuts.clone(), heard: probe.heard() };
        if last.as_ref() != Some(&report) {
            write(&report)?;
            last = Some(report);
        }
    }
}

fn write(report: &Report) -> Result<(), String> {
    let line = serde_json::to_string(report).map_err(|error| error.to_string())?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(|error| format!("cannot write: {error}"))
}
