//! One connection, and a thread of them.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Collected, Full};
use hyper::{
    Request,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{Exchange, Kind, Operation, Service, Shared, choice::Choices, due, exchange::text, tally::Tally};

/// Nothing is waited for any longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a connection that failed.
const PAUSE: Duration = Duration::from_millis(10);

/// What one client is at.
pub(crate) struct Client<S> {
    index: usize,
    service: S,
    shared: Arc<Shared>,
    connection: Option<SendRequest<Full<Bytes>>>,
    tally: Tally,
}

impl<S: Service> Client<S> {
    pub(crate) fn new(index: usize, service: S, shared: Arc<Shared>) -> Self {
        Self { index, service, shared, connection: None, tally: Tally::default() }
    }

    /// Until the load is over; what it saw.
    async fn run(mut self) -> Tally {
        self.fill().await;
        self.shared.filled.wait().await;
        self.work().await;
        self.tally
    }

    /// Writes its share of the keys.
    async fn fill(&mut self) {
        let shared = Arc::clone(&self.shared);
        for key in (self.index as u64..shared.load.keys).step_by(shared.load.connections) {
            if shared.stopping.load(Ordering::Relaxed) {
                return;
            }
            let put = Operation { kind: Kind::Put, key, value: &shared.value };
            // A key that is not there is read all the same.
            let _ = self.ask(&put).await;
        }
    }

    async fn work(&mut self) {
        let shared = Arc::clone(&self.shared);
        let load = &shared.load;
        let mut choices = Choices::new(load, self.index);
        let start = Instant::now();
        let (counted, end) = (start + load.warm_up, start + load.warm_up + load.duration);
        shared.gap.begins(counted);
        for turn in 0.. {
            let intended = load.rate.map(|rate| due(start, rate, load.connections, self.index, turn));
            let now = Instant::now();
            if let Some(wait) = intended.and_then(|intended| intended.min(end).checked_duration_since(now)) {
                // The runtime's own timer is a millisecond coarse. With a rate nobody else is on this thread.
                thread::sleep(wait);
            }
            let begin = intended.unwrap_or(now);
            if begin >= end || shared.stopping.load(Ordering::Relaxed) {
                break;
            }
            let (kind, key) = choices.next();
            let outcome = self.ask(&Operation { kind, key, value: &shared.value }).await;
            let done = Instant::now();
            if begin < counted {
                continue;
            }
            match outcome {
                Ok(()) => {
                    shared.gap.answered(done);
                    self.tally.count(kind, done - begin, self.service.token_bytes());
                }
                Err(exchange) => {
                    self.tally.fail(&exchange.error());
                    shared.failed.add(*exchange);
                }
            }
        }
        self.tally.lasted(Instant::now().min(end).saturating_duration_since(counted));
    }

    async fn ask(&mut self, operation: &Operation<'_>) -> Result<(), Box<Exchange>> {
        let begin = Instant::now();
        let request = self.service.request(operation);
        // Cheap: the bodies share their bytes.
        let asked = (request.method().clone(), request.uri().clone(), request.body().clone());
        let replied = timeout(PATIENCE, self.exchange(request)).await;
        let replied = replied.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
        let reply = match replied {
            Ok((status, body)) if self.service.accept(operation.kind, status, &body) => {
                self.shared.operations.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            // The answer was another, and the connection is good.
            Ok((status, body)) => Ok((status, text(&body))),
            Err(error) => {
                self.connection = None;
                Err(error)
            }
        };
        let took = begin.elapsed();
        if reply.is_err() {
            sleep(PAUSE).await;
        }
        let (method, uri, body) = asked;
        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        Err(Box::new(Exchange {
            at: begin.duration_since(self.shared.start),
            client: self.index + 1,
            request: format!("{method} http://{}{uri}", self.service.authority()),
            body: text(&body),
            reply,
            took,
        }))
    }

    /// Status and body of the reply, or why there is none.
    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let connection = connect(self.service.authority()).await?;
                self.connection.insert(connection)
            }
        };
        connection.ready().await.map_err(|error| cause(&error))?;
        let response = connection.send_request(request).await.map_err(|error| cause(&error))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|error| cause(&error))?.to_bytes();
        Ok((status, body))
    }
}

/// Runs these clients on this thread until the load is over; what they saw.
///
/// # Panics
/// When the system gives no runtime.
pub(crate) fn run<S: Service>(clients: Vec<Client<S>>) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no clients can be run here: {error}"));
    let mut all = Tally::default();
    for tally in runtime.block_on(join_all(clients.into_iter().map(Client::run))) {
        all.add(&tally);
    }
    all
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(authority).await.map_err(|error| cause(&error))?;
    // Without it answers would only be later.
    let _ = stream.set_nodelay(true);
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| cause(&error))?;
    // Its error is that of the request.
    tokio::spawn(connection);
    Ok(sender)
}

/// The innermost cause.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
