//! A node in this process, and the plainest of clients.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{future::Future, net::SocketAddr, time::Duration};

use node::Config;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// How long anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A running node. Dropping it leaves the node running; see [`stop`](Self::stop) and [`crash`](Self::crash).
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    /// Its data directory, removed with it.
    _data: TempDir,
    task: JoinHandle<Result<(), node::RunError>>,
}

impl Node {
    /// Starts a node that is alone.
    pub(crate) async fn alone() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a node that is alone, with its configuration changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = Config::new(address, vec![address]);
        change(&mut config);
        Self::start(config, listener)
    }

    /// Starts nodes that know each other.
    pub(crate) async fn together(count: usize) -> Vec<Self> {
        Self::together_with(count, |_, _| {}).await
    }

    /// Starts nodes that know each other, with the configuration of each changed by its index.
    pub(crate) async fn together_with(count: usize, change: impl Fn(&mut Config, usize)) -> Vec<Self> {
        let mut listeners = Vec::new();
        for _ in 0..count {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let view: Vec<_> = listeners.iter().map(|l| l.local_addr().unwrap()).collect();
        let starts = listeners.into_iter().zip(&view).enumerate();
        let start = |(index, (listener, address)): (usize, (TcpListener, &SocketAddr))| {
            let mut config = Config::new(*address, view.clone());
            change(&mut config, index);
            Self::start(config, listener)
        };
        starts.map(start).collect()
    }

    fn start(mut config: Config, listener: TcpListener) -> Self {
        let data = TempDir::new().unwrap();
        config.data_dir = data.path().to_owned();
        let address = config.socket_address;
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(node::run(config, vec![listener], shutdown));
        Self { address, stop, _data: data, task }
    }

    /// Asks it to stop, and says how it ended.
    pub(crate) async fn stop(self) -> Result<(), node::RunError> {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.task).await.unwrap().unwrap()
    }

    /// Ends it without a word.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// The status and the whole text of an answer.
    pub(crate) async fn ask(&self, request_line: &str, body: &str) -> (u16, String) {
        ask(self.address, request_line, body).await
    }
}

/// Sends one request and reads the answer.
pub(crate) async fn ask(address: SocketAddr, request_line: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head =
        format!("{request_line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    let text = exchange(address, format!("{head}{body}").as_bytes()).await;
    (status(&text), text)
}

/// Sends bytes and reads until the node closes the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The node may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    String::from_utf8_lossy(&read_to_end(&mut stream).await).into_owned()
}

/// Reads until the connection ends, well or badly.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection stays open");
    bytes
}

/// The status of an answer; 0 when it is none.
pub(crate) fn status(text: &str) -> u16 {
    let word = text.split(' ').nth(1);
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Polls until `condition` holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
