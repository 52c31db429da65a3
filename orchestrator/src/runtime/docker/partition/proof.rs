//! What the barriers hear of each other, held against the cuts that they must make.
//!
//! Invariant: a cut counts as proven only when its barrier says that it is made, and its target still has not heard the
//! sender a whole window of the probe later.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::stream::{BoxStream, select_all};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::super::super::LogRequest;
use super::super::{Docker, logs};
use crate::failure::Failure;
use crate::observed::{NodeState, ObservedNode};

/// From the last cut that is made until silence counts: longer than the probe remembers.
const WINDOW: Duration = Duration::from_millis(400);
const DEADLINE: Duration = Duration::from_secs(10);

/// A barrier in its place, and what it must say.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub(super) node: String,
    pub(super) address: Ipv4Addr,
    /// Of the barrier.
    pub(super) id: String,
    /// Whom its node does not reach.
    pub(super) cuts: BTreeSet<Ipv4Addr>,
}

/// One line of a barrier's output.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Report {
    cuts: BTreeSet<Ipv4Addr>,
    heard: BTreeSet<Ipv4Addr>,
}

/// A line of a barrier, or that it has ended.
type Said = (String, Option<Result<String, Failure>>);

impl Docker {
    /// Returns when what all hear is what their cuts let through. Pairs without a node of `subjects` are not looked at.
    ///
    /// # Errors
    /// A barrier ends, or the deadline passes: with the first pair that is not as it must be, and what was heard.
    pub(super) async fn prove(&self, witnesses: &[Witness], subjects: &BTreeSet<&str>) -> Result<(), Failure> {
        let mut lines = select_all(witnesses.iter().map(|witness| self.listen(witness)));
        let mut hearing = Hearing { witnesses, subjects, last: BTreeMap::new() };
        let deadline = Instant::now() + DEADLINE;
        let mut made: Option<Instant> = None;
        loop {
            let contradiction = hearing.contradiction();
            if made.is_none() && hearing.all_cuts_are_made() {
                made = Some(Instant::now());
            }
            let settled = made.map(|made| made + WINDOW);
            match &contradiction {
                None if settled.is_some_and(|settled| Instant::now() >= settled) => return Ok(()),
                _ => {}
            }
            let until = settled.filter(|_| contradiction.is_none()).unwrap_or(deadline).min(deadline);
            match timeout_at(until, lines.next()).await {
                Ok(Some((node, Some(line)))) => hearing.note(node, &line?),
                Ok(Some((node, None))) => return Err(hearing.ended(&node)),
                // Nobody is left to be heard.
                Ok(None) => return Ok(()),
                Err(_) if Instant::now() < deadline => {}
                Err(_) => {
                    let contradiction = contradiction.unwrap_or_else(|| "not all cuts are made".to_owned());
                    let seconds = DEADLINE.as_secs();
                    return Err(Failure::NotReady(format!(
                        "the cuts are not proven within {seconds} s: {contradiction}; `orchestrator fault heal` unmakes them"
                    )));
                }
            }
        }
    }

    fn listen(&self, witness: &Witness) -> BoxStream<'static, Said> {
        let request = LogRequest { follow: true, ..LogRequest::default() };
        let (id, state) = (witness.id.clone(), NodeState::Running);
        let name = format!("the barrier of {}", witness.node);
        let barrier = ObservedNode { name, id, state, image: String::new(), ..ObservedNode::gone("") };
        let (node, last) = (witness.node.clone(), witness.node.clone());
        let lines = logs::stream(self.client.clone(), &barrier, &request);
        let lines = lines.map(move |line| (node.clone(), Some(line.map(|line| line.text))));
        lines.chain(stream::once(async { (last, None) })).boxed()
    }
}

/// What the barriers said last.
struct Hearing<'a> {
    witnesses: &'a [Witness],
    subjects: &'a BTreeSet<&'a str>,
    last: BTreeMap<String, Result<Report, String>>,
}

impl Hearing<'_> {
    fn note(&mut self, node: String, line: &str) {
        // A line that is no report is why the barrier will end.
        let report = serde_json::from_str(line).map_err(|_| line.to_owned());
        self.last.insert(node, report);
    }

    fn report(&self, node: &str) -> Option<&Report> {
        self.last.get(node)?.as_ref().ok()
    }

    fn all_cuts_are_made(&self) -> bool {
        self.witnesses
            .iter()
            .all(|witness| self.report(&witness.node).is_some_and(|report| report.cuts == witness.cuts))
    }

    /// The first pair that is not as it must be.
    fn contradiction(&self) -> Option<String> {
        let pairs = self.witnesses.iter().flat_map(|from| self.witnesses.iter().map(move |to| (from, to)));
        let mut pairs = pairs.filter(|(from, to)| {
            from.node != to.node && [from, to].iter().any(|end| self.subjects.contains(end.node.as_str()))
        });
        pairs.find_map(|(from, to)| {
            let report = self.report(&to.node);
            let hears = report.is_some_and(|report| report.heard.contains(&from.address));
            let must_hear = !from.cuts.contains(&to.address);
            let does = match (hears, must_hear) {
                (true, false) => "still hears",
                (false, true) => "does not hear",
                _ => return None,
            };
            let heard = report.map(|report| self.names(&report.heard)).unwrap_or_default();
            let sign = if must_hear { '→' } else { '↛' };
            Some(format!("{} {sign} {}: {} {does} {}; it hears {heard}", from.node, to.node, to.node, from.node))
        })
    }

    fn names(&self, addresses: &BTreeSet<Ipv4Addr>) -> String {
        let name = |address| self.witnesses.iter().find(|witness| witness.address == address).map(|w| w.node.as_str());
        let names: Vec<&str> = addresses.iter().filter_map(|address| name(*address)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    }

    fn ended(&self, node: &str) -> Failure {
        let words = match self.last.get(node) {
            Some(Err(words)) => format!(": {words}"),
            _ => String::new(),
        };
        Failure::Engine(format!("the barrier of {node} ended{words}; `orchestrator fault heal` unmakes the cuts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    fn witness(number: u8, cuts: &[u8]) -> Witness {
        Witness {
            node: format!("node{number}"),
            address: address(number),
            id: String::new(),
            cuts: cuts.iter().map(|number| address(*number)).collect(),
        }
    }

    fn line(cuts: &[u8], heard: &[u8]) -> String {
        let list =
            |numbers: &[u8]| numbers.iter().map(|n| format!("\"{}\"", address(*n))).collect::<Vec<_>>().join(",");
        format!("{{\"cuts\":[{}],\"heard\":[{}]}}", list(cuts), list(heard))
    }

    #[test]
    fn a_pair_that_is_not_as_it_must_be_is_named_with_what_was_heard() {
        let witnesses = [witness(1, &[2]), witness(2, &[]), witness(3, &[])];
        let subjects = BTreeSet::from(["node1", "node2", "node3"]);
        let mut hearing = Hearing { witnesses: &witnesses, subjects: &subjects, last: BTreeMap::new() };
        assert!(!hearing.all_cuts_are_made());
        hearing.note("node1".into(), &line(&[2], &[2, 3]));
        hearing.note("node2".into(), &line(&[], &[1, 3]));
        hearing.note("node3".into(), &line(&[], &[1, 2]));
        assert!(hearing.all_cuts_are_made());
        let expected = "node1 ↛ node2: node2 still hears node1; it hears node1, node3";
        assert_eq!(hearing.contradiction().as_deref(), Some(expected));
        hearing.note("node2".into(), &line(&[], &[]));
        let expected = "node3 → node2: node2 does not hear node3; it hears nobody";
        assert_eq!(hearing.contradiction().as_deref(), Some(expected));
        hearing.note("node2".into(), &line(&[], &[3]));
        assert_eq!(hearing.contradiction(), None);
    }

    #[test]
    fn only_pairs_of_a_subject_are_looked_at() {
        let witnesses = [witness(1, &[]), witness(2, &[]), witness(3, &[])];
        let subjects = BTreeSet::from(["node1"]);
        let mut hearing = Hearing { witnesses: &witnesses, subjects: &subjects, last: BTreeMap::new() };
        hearing.note("node1".into(), &line(&[], &[2, 3]));
        hearing.note("node2".into(), &line(&[], &[1]));
        hearing.note("node3".into(), &line(&[], &[1]));
        assert_eq!(hearing.contradiction(), None);
    }

    #[test]
    fn what_a_barrier_said_last_is_why_it_ended() {
        let subjects = BTreeSet::new();
        let mut hearing = Hearing { witnesses: &[], subjects: &subjects, last: BTreeMap::new() };
        hearing.note("node1".into(), "cannot speak netlink: Operation not permitted");
        let failure = hearing.ended("node1").to_string();
        assert_eq!(
            failure,
            "the barrier of node1 ended: cannot speak netlink: Operation not permitted; `orchestrator fault heal` unmakes the cuts"
        );
    }
}
