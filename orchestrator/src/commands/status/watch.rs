//! `status --watch`: a new picture every second. Whatever becomes of the cluster meanwhile is shown; only Ctrl-C ends it, or
//! a reader who has gone.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::super::session::Session;
use super::{Sight, look, nobody};
use crate::failure::Failure;

const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    // What is wrong from the start will not come right by waiting.
    let mut seen = Ok(look(session).await?);
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        let (text, objects) = picture(session, seen);
        let time = humantime::format_rfc3339_seconds(SystemTime::now());
        if session.output.picture(&format!("{} at {time}\n{text}", session.spec.name), objects).is_err() {
            return Ok(());
        }
        let next = async {
            ticks.tick().await;
            look(session).await
        };
        seen = tokio::select! {
            seen = next => seen,
            () = session.interrupt.asked() => return Ok(()),
        };
    }
}

fn picture(session: &Session<'_>, seen: Result<Vec<Sight>, Failure>) -> (String, Vec<Value>) {
    match seen {
        Ok(sights) if sights.is_empty() => {
            let text = format!("no node of project {} is there", session.spec.name);
            (text, vec![nobody(session)])
        }
        Ok(sights) => {
            let lines = |sight: &Sight| [&[sight.table.clone()][..], &sight.problems].concat();
            let text = sights.iter().flat_map(lines).collect::<Vec<_>>().join("\n");
            (text, sights.into_iter().map(|sight| sight.json).collect())
        }
        Err(failure) => {
            let text = failure.to_string();
            let object = json!({"event": "status", "project": session.spec.name, "nodes": [], "message": text});
            (text, vec![object])
        }
    }
}
