//! Where nodes listen: each cluster has a network of its own inside 127.0.0.0/8, so a node that restarts finds its address
//! free.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

use conformance::Failure;

/// Addresses that nobody else uses.
pub(super) struct Addresses {
    network: u32,
    used: u8,
}

/// The last byte of a cluster's first IP: numeric order differs from the order of text from the third node on.
const FIRST_HOST: u8 = 8;

/// Whether every address of 127.0.0.0/8 is this machine. Elsewhere only 127.0.0.1 is, and all nodes share it.
pub(super) const EACH_HAS_AN_IP: bool = cfg!(target_os = "linux");

impl Addresses {
    pub(super) fn new() -> Self {
        static NETWORKS: AtomicU32 = AtomicU32::new(0);
        Self { network: NETWORKS.fetch_add(1, Ordering::Relaxed), used: 0 }
    }

    pub(super) fn next(&mut self) -> Result<SocketAddr, Failure> {
        let process = (64 + std::process::id() % 128) as u8;
        let host = FIRST_HOST + self.used;
        self.used += 1;
        let own = Ipv4Addr::new(127, process, (self.network % 256) as u8, host);
        free_port(if EACH_HAS_AN_IP { own } else { Ipv4Addr::LOCALHOST }.into())
    }
}

/// Ports below those that systems choose by themselves: while a node is down, nobody's connection takes its port.
const PORTS: Range<u32> = 10_000..30_000;

/// A port that nobody listens on, and that is given to no other node of this process.
pub(super) fn free_port(ip: IpAddr) -> Result<SocketAddr, Failure> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    for _ in PORTS {
        let number = std::process::id().wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + number % (PORTS.end - PORTS.start);
        let address = SocketAddr::new(ip, port as u16);
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(Failure::new(format!("a free port of {ip}")))
}
