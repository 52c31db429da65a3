//! What the namespace must be like: whom it must not reach, and with whom to probe.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const USAGE: &str = "usage: partition --port PORT [--cut IP]… [--peer IP]…";

/// The command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The UDP port of the probe, here and at the peers.
    pub(crate) port: u16,
    pub(crate) cuts: BTreeSet<Ipv4Addr>,
    pub(crate) peers: BTreeSet<Ipv4Addr>,
}

impl Arguments {
    /// # Errors
    /// An unknown flag, or a value that is missing or is none.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut port, mut cuts, mut peers) = (None, BTreeSet::new(), BTreeSet::new());
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} has no value; {USAGE}"))?;
            let address = || value.parse().map_err(|_| format!("{flag}: `{value}` is no IPv4 address"));
            match flag.as_str() {
                "--port" => port = Some(value.parse().map_err(|_| format!("{flag}: `{value}` is no port"))?),
                "--cut" => drop(cuts.insert(address()?)),
                "--peer" => drop(peers.insert(address()?)),
                _ => return Err(format!("there is no {flag}; {USAGE}")),
            }
        }
        let port = port.ok_or_else(|| format!("--port is missing; {USAGE}"))?;
        Ok(Self { port, cuts, peers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn cuts_and_peers_are_sets_of_addresses() {
        let arguments = parse("--port 7 --cut 10.0.0.3 --peer 10.0.0.3 --peer 10.0.0.4 --cut 10.0.0.3").expect("valid");
        assert_eq!(arguments.port, 7);
        assert_eq!(arguments.cuts, BTreeSet::from([Ipv4Addr::new(10, 0, 0, 3)]));
        assert_eq!(arguments.peers.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("--cut 10.0.0.3", "--port is missing"),
            ("--port x", "`x` is no port"),
            ("--port 7 --cut node1", "`node1` is no IPv4 address"),
            ("--port 7 --peer", "--peer has no value"),
            ("--port 7 --heal 1", "there is no --heal"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(word), "{message}");
        }
    }
}
