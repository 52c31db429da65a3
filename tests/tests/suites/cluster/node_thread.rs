//! One node on a thread and a runtime of its own, so that it can be frozen and killed as a process can.

use std::{net::SocketAddr, sync::mpsc as blocking, thread, time::Duration};

use conformance::Failure;
use node::Config;
use tokio::sync::{mpsc, oneshot};

use super::log::Log;

enum Order {
    /// Say so, then do nothing at all until the other side of the receiver is dropped.
    Freeze(oneshot::Sender<()>, blocking::Receiver<()>),
    /// End as after SIGTERM.
    Stop,
    /// End as after SIGKILL.
    Kill,
}

/// A running node. Dropping it kills the node.
pub(super) struct NodeThread {
    orders: mpsc::UnboundedSender<Order>,
    frozen: Option<blocking::Sender<()>>,
    ended: oneshot::Receiver<Result<(), String>>,
}

/// What Docker waits, too, before it kills.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// A thread ends at once when it is told to: more means that it hangs.
const KILL_LIMIT: Duration = Duration::from_secs(10);

impl NodeThread {
    /// Listens at `inside` and runs a node in the environment `variables`, which logs to `log`.
    pub(super) fn start(
        variables: Vec<(&'static str, String)>,
        inside: SocketAddr,
        log: &Log,
    ) -> Result<Self, Failure> {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        let config = Config::from_env(variables).map_err(|error| Failure::new("a good configuration").with(error))?;
        let listener = std::net::TcpListener::bind(inside)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|error| Failure::new(format!("to listen on {inside}")).with(error))?;
        let (orders, received) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let subscriber = log.subscriber();
        thread::spawn(move || {
            let ended = tracing::subscriber::with_default(subscriber, || live(config, listener, received));
            let _ = end.send(ended);
        });
        Ok(Self { orders, frozen: None, ended })
    }

    /// Freezes it; nothing of it moves any more when this returns.
    pub(super) async fn pause(&mut self) -> Result<(), Failure> {
        let (resume, resumed) = blocking::channel();
        let (freeze, frozen) = oneshot::channel();
        let _ = self.orders.send(Order::Freeze(freeze, resumed));
        frozen.await.map_err(|_| Failure::new("a node that runs, to freeze it"))?;
        self.frozen = Some(resume);
        Ok(())
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self) {
        self.frozen = None;
    }

    /// Ends it without warning; its sockets are closed when this returns.
    pub(super) async fn kill(mut self) -> Result<(), Failure> {
        let _ = self.orders.send(Order::Kill);
        self.resume();
        let ended = tokio::time::timeout(KILL_LIMIT, self.ended).await;
        ended.map(|_| ()).map_err(|_| Failure::new("the node's thread to end"))
    }

    /// Asks it to end; it must do so without an error.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let _ = self.orders.send(Order::Stop);
        match tokio::time::timeout(STOP_LIMIT, self.ended).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(Failure::new("a node that ends cleanly").with(error)),
            Ok(Err(_)) => Err(Failure::new("a node that does not panic")),
            Err(_) => Err(Failure::new(format!("a node that ends within {STOP_LIMIT:?}"))),
        }
    }
}

/// The life of a node on this thread.
fn live(
    config: Config,
    listener: std::net::TcpListener,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let ended = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        let (stop, stopped) = oneshot::channel();
        let mut stop = Some(stop);
        let run = node::run(config, vec![listener], async move {
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
