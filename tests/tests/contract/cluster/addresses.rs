//! Where nodes listen: each cluster has a network of its own inside 127.0.0.0/8, so a node that restarts finds its address free.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Addresses that nobody else uses, ports chosen by the system.
pub(super) struct Addresses {
    one_ip: bool,
    network: u32,
    used: u8,
}

/// The last byte of a cluster's first IP: numeric order differs from the order of text from the third node on.
const FIRST_HOST: u8 = 8;

impl Addresses {
    pub(super) fn new(one_ip: bool) -> Self {
        static NETWORKS: AtomicU32 = AtomicU32::new(0);
        Self { one_ip, network: NETWORKS.fetch_add(1, Ordering::Relaxed), used: 0 }
    }

    /// On Linux every address of 127.0.0.0/8 is this machine; elsewhere only 127.0.0.1 is.
    pub(super) fn next(&mut self) -> SocketAddr {
        let host = FIRST_HOST + if self.one_ip { 0 } else { self.used };
        self.used += 1;
        let process = (64 + std::process::id() % 128) as u8;
        let ip = if cfg!(target_os = "linux") {
            Ipv4Addr::new(127, process, (self.network % 256) as u8, host)
        } else {
            Ipv4Addr::LOCALHOST
        };
        free_port(ip.into())
    }
}

pub(super) fn free_port(ip: IpAddr) -> SocketAddr {
    TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr()).expect("a free port on the loopback network")
}
