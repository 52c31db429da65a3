//! Servers as child processes, and the plainest of clients. Ends what it started when dropped.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
    http: reqwest::Client,
}

impl Server {
    pub(crate) fn start(address: SocketAddr, view: &[SocketAddr], shard_count: Option<usize>, flaw: &str) -> Self {
        let view: Vec<_> = view.iter().map(ToString::to_string).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_foreign"));
        command.env_clear().env("SOCKET_ADDRESS", address.to_string()).env("VIEW", view.join(",")).env("FLAW", flaw);
        command.envs(shard_count.map(|count| ("SHARD_COUNT", count.to_string())));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { address, child, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn listens(&self) -> bool {
        TcpStream::connect(self.address).is_ok()
    }

    pub(crate) fn terminate(&self) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    }

    /// The exit code, once it has ended.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        eventually("the server ends", async || self.child.try_wait().unwrap()).await.code()
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> Result<(u16, Value), reqwest::Error> {
        let request = self.http.request(method, format!("http://{}{path}", self.address)).timeout(PATIENCE);
        let response = request.body(body.to_string()).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    pub(crate) async fn put(&self, key: &str, value: impl Into<Value>, token: &Value) -> (u16, Value) {
        let body = json!({ "value": value.into(), "causal-metadata": token });
        self.ask(Method::PUT, &format!("/key-value-store/{key}"), body).await.unwrap()
    }

    pub(crate) async fn get(&self, key: &str, token: &Value) -> (u16, Value) {
        let body = json!({ "causal-metadata": token });
        self.ask(Method::GET, &format!("/key-value-store/{key}"), body).await.unwrap()
    }

    pub(crate) async fn view(&self) -> String {
        let (_, answer) = self.ask(Method::GET, "/key-value-store-view", json!({})).await.unwrap();
        answer["view"].as_str().unwrap().to_owned()
    }

    /// One field of a shard operation's answer, which must be 200.
    pub(crate) async fn shard(&self, operation: &str, field: &str) -> Value {
        let path = format!("/key-value-store-shard/{operation}");
        let (status, answer) = self.ask(Method::GET, &path, json!({})).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        answer[field].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Addresses whose ports were free a moment ago, each with an IP of its own where that is possible.
pub(crate) fn addresses(count: u8) -> Vec<SocketAddr> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap()).collect();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let ip = |index| {
        // On Linux every address of 127.0.0.0/8 is this machine; elsewhere only 127.0.0.1 is.
        if cfg!(target_os = "linux") { Ipv4Addr::new(127, 0, 0, 2 + index) } else { Ipv4Addr::LOCALHOST }
    };
    (0..count).zip(&listeners).map(|(index, listener)| (IpAddr::from(ip(index)), port(listener)).into()).collect()
}

/// Starts servers that know each other, and waits until all of them listen.
pub(crate) async fn start(count: u8, shard_count: Option<usize>, flaw: &str) -> Vec<Server> {
    let view = addresses(count);
    let servers: Vec<_> = view.iter().map(|address| Server::start(*address, &view, shard_count, flaw)).collect();
    for server in &servers {
        eventually("the server listens", async || server.listens().then_some(())).await;
    }
    servers
}

/// Polls until there is something.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(result) = attempt().await {
            return result;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(POLL_INTERVAL).await;
    }
}
