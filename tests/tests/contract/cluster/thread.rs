//! One node on a thread and a runtime of its own, so that it can be frozen and killed as a process can.

use std::{net::SocketAddr, sync::mpsc as blocking, thread, time::Duration};

use conformance::Failure;
use node::Config;
use tokio::sync::{mpsc, oneshot};

enum Order {
    /// Say so, then do nothing at all until the other side of the receiver is dropped.
    Freeze(oneshot::Sender<()>, blocking::Receiver<()>),
    /// End as after SIGTERM.
    Stop,
    /// End as after SIGKILL.
    Kill,
}

/// A running node. Dropping it kills the node.
pub(crate) struct NodeThread {
    orders: mpsc::UnboundedSender<Order>,
    frozen: Option<blocking::Sender<()>>,
    ended: oneshot::Receiver<Result<(), String>>,
}

/// What a person waits after `docker stop` before losing patience is ten seconds; the node is to need one.
const STOP_LIMIT: Duration = Duration::from_secs(1);
/// A thread ends at once when it is told to: more means that it hangs.
const KILL_LIMIT: Duration = Duration::from_secs(10);

impl NodeThread {
    /// Listens at `inside`, or else where the environment says, and runs a node in the environment `variables`.
    pub(crate) fn start(variables: Vec<(&'static str, String)>, inside: Option<SocketAddr>) -> Result<Self, Failure> {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        let config = Config::from_env(variables).map_err(|error| Failure::new("a good configuration").with(error))?;
        let listeners = match inside {
            Some(address) => vec![listen(address)?],
            None => config.listen_addresses().map(listen).collect::<Result<_, _>>()?,
        };
        let (orders, received) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        thread::spawn(move || {
            let _ = end.send(live(config, listeners, received));
        });
        Ok(Self { orders, frozen: None, ended })
    }

    /// Freezes it; nothing of it moves any more when this returns.
    pub(crate) async fn pause(&mut self) {
        let (resume, resumed) = blocking::channel();
        let (freeze, frozen) = oneshot::channel();
        let _ = self.orders.send(Order::Freeze(freeze, resumed));
        let _ = frozen.await;
        self.frozen = Some(resume);
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) {
        self.frozen = None;
    }

    /// Whether it is frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Ends it without warning; its sockets are closed when this returns.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        let _ = self.orders.send(Order::Kill);
        self.resume();
        let ended = tokio::time::timeout(KILL_LIMIT, self.ended).await;
        ended.map(|_| ()).map_err(|_| Failure::new("the node's thread to end"))
    }

    /// Asks it to end; it must do so without an error, within a second.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let _ = self.orders.send(Order::Stop);
        match tokio::time::timeout(STOP_LIMIT, self.ended).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(Failure::new("a node that ends cleanly").with(error)),
            Ok(Err(_)) => Err(Failure::new("a node that does not panic")),
            Err(_) => Err(Failure::new(format!("a node that ends within {STOP_LIMIT:?}"))),
        }
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Failure> {
    std::net::TcpListener::bind(address)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| Failure::new(format!("to listen on {address}")).with(error))
}

/// The life of a node on this thread.
fn live(
    config: Config,
    listeners: Vec<std::net::TcpListener>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let ended = runtime.block_on(async move {
        let listeners = listeners.into_iter().map(tokio::net::TcpListener::from_std);
        let listeners = listeners.collect::<Result<Vec<_>, _>>();
        let listeners = listeners.map_err(|error| error.to_string())?;
        let (stop, stopped) = oneshot::channel();
        let mut stop = Some(stop);
        let run = node::run(config, listeners, async move {
            // A dropped sender must not look like a request to stop.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        let obey = async move {
            while let Some(order) = orders.recv().await {
                match order {
                    // Blocks the node's only thread on purpose: nothing of the node moves.
                    Order::Freeze(frozen, resumed) => {
                        let _ = frozen.send(());
                        let _ = resumed.recv();
                    }
                    Order::Stop => drop(stop.take().map(|stop| stop.send(()))),
                    Order::Kill => return,
                }
            }
        };
        tokio::select! {
            ended = run => ended.map_err(|error| error.to_string()),
            () = obey => Ok(()),
        }
    });
    runtime.shutdown_background();
    ended
}
