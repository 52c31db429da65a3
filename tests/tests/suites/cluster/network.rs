//! The network between the nodes of a cluster: what a node sends to another's address goes through a gate there, which knows
//! the sender by its IP and can be silent.
//!
//! A cut is as on a real network: connections stay open and nothing passes, not even that one has ended; new ones come to
//! nothing. What was sent meanwhile is lost, and with it the connection once the network heals. Clients are no nodes and are
//! never cut off.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    thread,
};

use conformance::Failure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::{Builder, Handle},
    sync::{oneshot, watch},
};

/// So much is carried at once: a value of a megabyte must not wait for this thread's turn too often on a busy machine.
const PIECE_BYTES: usize = 256 * 1024;

/// From whom, to whom.
type Way = (IpAddr, IpAddr);

/// Says which ways are cut; the gates listen. They have a thread of their own: what clients do must not delay the nodes.
pub(super) struct Network {
    cuts: watch::Sender<BTreeSet<Way>>,
    gates: Handle,
    /// Dropping it ends the thread, and with it the gates and what goes through them.
    _alive: oneshot::Sender<Infallible>,
}

impl Network {
    pub(super) fn new() -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(|error| Failure::new("a runtime for the network").with(error))?;
        let gates = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::spawn(move || runtime.block_on(ended));
        Ok(Self { cuts: watch::Sender::default(), gates, _alive: alive })
    }

    /// Has exactly these ways cut.
    pub(super) fn cut(&self, ways: BTreeSet<Way>) {
        self.cuts.send_replace(ways);
    }

    /// Opens a gate at `outside` to the node that listens at `inside`.
    pub(super) fn open_gate(&self, outside: SocketAddr, inside: SocketAddr) -> Result<(), Failure> {
        let _gates = self.gates.enter();
        let listener = std::net::TcpListener::bind(outside)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .and_then(TcpListener::from_std)
            .map_err(|error| Failure::new(format!("a gate at {outside}")).with(error))?;
        let cuts = self.cuts.subscribe();
        tokio::spawn(async move {
            while let Ok((stream, from)) = listener.accept().await {
                tokio::spawn(pass(stream, (from.ip(), outside.ip()), inside, cuts.clone()));
            }
        });
        Ok(())
    }
}

async fn pass(from: TcpStream, way: Way, inside: SocketAddr, mut cuts: watch::Receiver<BTreeSet<Way>>) {
    let back = (way.1, way.0);
    let is_cut = |cuts: &BTreeSet<Way>| cuts.contains(&way) || cuts.contains(&back);
    let cut = is_cut(&cuts.borrow());
    if cut {
        // It would never have been made: who waits for it has given up when the network heals, or tries again.
        let _ = cuts.wait_for(|cuts| !is_cut(cuts)).await;
        return;
    }
    let Ok(to) = TcpStream::connect(inside).await else {
        return;
    };
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
    let _ = tokio::join!(carry(from_read, to_write, way, cuts.clone()), carry(to_read, from_write, back, cuts));
}

/// Carries what comes one way, until the connection ends or something is lost.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    mut cuts: watch::Receiver<BTreeSet<Way>>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        // A connection that breaks off ends, for the other side.
        let count = from.read(&mut piece).await.unwrap_or(0);
        let cut = cuts.borrow().contains(&way);
        if cut {
            return cuts.wait_for(|cuts| !cuts.contains(&way)).await.map(|_| ()).map_err(io::Error::other);
        }
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..count]).await?;
    }
}
