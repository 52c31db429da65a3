//! The network in front of a node: what other nodes send to its address goes through here, and can be cut.
//!
//! A node is reached at its gate but dials out directly, and a gate cannot tell who comes in. So a cut between running nodes
//! takes turns: the nodes beyond it are frozen, their gates shut, and every connection through the others' gates is broken.

use std::net::SocketAddr;

use conformance::Failure;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes connections on while it is open. Dropping it closes it for good.
pub(crate) struct Gate {
    /// Whether it is open, and how often everything was broken off.
    state: watch::Sender<(bool, u64)>,
    accepting: JoinHandle<()>,
}

impl Gate {
    /// Opens a gate at `outside` to the node that listens on `inside`.
    pub(crate) fn open(outside: SocketAddr, inside: SocketAddr) -> Result<Self, Failure> {
        let listener = std::net::TcpListener::bind(outside)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .and_then(TcpListener::from_std)
            .map_err(|error| Failure::new(format!("a gate at {outside}")).with(error))?;
        let (state, watched) = watch::channel((true, 0));
        let accepting = tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                if watched.borrow().0 {
                    tokio::spawn(pass(from, inside, watched.clone()));
                }
            }
        });
        Ok(Self { state, accepting })
    }

    /// Breaks off what goes through, and from now on lets new connections in or not.
    pub(crate) fn reset(&self, open: bool) {
        self.state.send_modify(|state| *state = (open, state.1 + 1));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut from: TcpStream, inside: SocketAddr, mut state: watch::Receiver<(bool, u64)>) {
    state.mark_unchanged();
    let Ok(mut to) = TcpStream::connect(inside).await else {
        return;
    };
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
        _ = state.changed() => {}
    }
}
