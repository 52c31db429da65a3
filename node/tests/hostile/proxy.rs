//! A link that is bad on the way: what one node says to another goes through here.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Way {
    Clear,
    /// 1 KiB/s.
    Slow,
    /// A byte of each piece is changed.
    Garbled,
}

/// Passes connections to an address on to a node.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// What happens to what the node is told, and to what it says.
    pub(crate) to_node: Arc<AtomicU8>,
    pub(crate) from_node: Arc<AtomicU8>,
    /// Pieces that were garbled.
    pub(crate) garbled: Arc<AtomicU64>,
}

/// Spread enough for a test: a linear congruence.
pub(crate) fn scatter(number: u64) -> u64 {
    number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33
}

impl Proxy {
    /// Listens on an address of its own, in front of a node at the same port of `node`.
    pub(crate) fn before(node: Ipv4Addr) -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            to_node: Arc::default(),
            from_node: Arc::default(),
            garbled: Arc::default(),
        };
        let this = proxy.clone();
        thread::spawn(move || {
            for incoming in listener.incoming() {
                this.pass_on(incoming.unwrap(), (node, this.address.port()).into());
            }
        });
        proxy
    }

    fn pass_on(&self, incoming: TcpStream, node: SocketAddr) {
        // Refused here as there: the other side sees a connection that ends.
        let Ok(outgoing) = TcpStream::connect(node) else { return };
        let halves = [
            (incoming.try_clone().unwrap(), outgoing.try_clone().unwrap(), &self.to_node),
            (outgoing, incoming, &self.from_node),
        ];
        for (source, target, way) in halves {
            let (way, garbled) = (Arc::clone(way), Arc::clone(&self.garbled));
            thread::spawn(move || pump(source, target, &way, &garbled));
        }
    }
}

fn pump(mut source: TcpStream, mut target: TcpStream, way: &AtomicU8, garbled: &AtomicU64) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let slow = way.load(Ordering::Relaxed) == Way::Slow as u8;
        let room = if slow { 128 } else { bytes.len() };
        let Ok(read @ 1..) = source.read(&mut bytes[..room]) else { break };
        if slow {
            // What makes it slow, not what is waited for.
            thread::sleep(Duration::from_millis(125));
        }
        // A handshake stays whole: without it there is no link to garble.
        if way.load(Ordering::Relaxed) == Way::Garbled as u8
            && !bytes.starts_with(b"GET ")
            && !bytes.starts_with(b"HTTP")
        {
            let chance = scatter(garbled.fetch_add(1, Ordering::Relaxed));
            bytes[chance as usize % read] ^= 1 << (chance % 8);
        }
        if target.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = source.shutdown(Shutdown::Both);
    let _ = target.shutdown(Shutdown::Both);
}
