//! Who can be heard: a datagram to every peer again and again, and when each peer's last one came.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

/// Between two datagrams to a peer.
pub(crate) const PERIOD: Duration = Duration::from_millis(50);
/// A peer that was not heard for so long is not heard.
const WINDOW: Duration = Duration::from_millis(300);
/// So that a stray datagram is not taken for one of ours.
const WORD: &[u8] = b"orchestrator.partition";

/// The probe's socket and what it heard.
pub(crate) struct Probe {
    socket: UdpSocket,
    port: u16,
    peers: BTreeSet<Ipv4Addr>,
    last_heard: BTreeMap<Ipv4Addr, Instant>,
}

impl Probe {
    /// # Errors
    /// The port is taken.
    pub(crate) async fn open(port: u16, peers: BTreeSet<Ipv4Addr>) -> Result<Self, String> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).await;
        let socket = socket.map_err(|error| format!("cannot listen on UDP port {port}: {error}"))?;
        Ok(Self { socket, port, peers, last_heard: BTreeMap::new() })
    }

    /// Sends to every peer. That it cannot be sent is as good as that it does not arrive.
    pub(crate) fn send(&self) {
        for peer in &self.peers {
            let _ = self.socket.try_send_to(WORD, (*peer, self.port).into());
        }
    }

    /// Returns when a datagram is there.
    pub(crate) async fn arrival(&self) {
        // An error is met again by the read, which ignores it.
        let _ = self.socket.readable().await;
    }

    /// Takes all datagrams that are there.
    pub(crate) fn receive(&mut self) {
        let mut buffer = [0; WORD.len() + 1];
        while let Ok((length, from)) = self.socket.try_recv_from(&mut buffer) {
            if let IpAddr::V4(peer) = from.ip()
                && self.peers.contains(&peer)
                && &buffer[..length] == WORD
            {
                self.last_heard.insert(peer, Instant::now());
            }
        }
    }

    /// The peers that were heard lately.
    pub(crate) fn heard(&self) -> BTreeSet<Ipv4Addr> {
        let lately = self.last_heard.iter().filter(|(_, at)| at.elapsed() <= WINDOW);
        lately.map(|(peer, _)| *peer).collect()
    }
}
