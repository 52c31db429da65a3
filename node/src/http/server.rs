//! Connections: accepted, served, and let go when the node stops.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{
    Router,
    http::{Request, Uri, uri::PathAndQuery},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::path;
use crate::tasks::Tasks;

/// A connection on which no whole request head arrives for this long is closed: longer than the clients' pools keep idle
/// connections, so that it is they who close them.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);
/// How long requests that are being answered may take once the node stops.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(400);
/// The pause after a connection cannot be accepted: most likely there are too many.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections on any number of listeners.
#[derive(Clone)]
pub(crate) struct Server {
    router: Router,
    /// The connections.
    tasks: Tasks,
    /// Says that idle connections are to close, and busy ones after their answer.
    draining: CancellationToken,
}

impl Server {
    pub(crate) fn new(router: Router, tasks: Tasks) -> Self {
        Self { router, tasks, draining: CancellationToken::new() }
    }

    /// Accepts connections until it is dropped, and the listener with it.
    pub(crate) async fn accept(&self, listener: TcpListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    self.tasks.spawn(self.clone().serve(stream));
                }
                Err(error) => {
                    debug!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Lets the requests under way finish, for a short while.
    pub(crate) async fn drain(&self) {
        self.draining.cancel();
        if timeout(DRAIN_TIMEOUT, self.tasks.ended()).await.is_err() {
            debug!("requests were cut off");
        }
    }

    async fn serve(self, stream: TcpStream) {
        // Without it answers would only be later.
        let _ = stream.set_nodelay(true);
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            drop_trailing_slash(request.uri_mut());
            hyper::service::Service::call(&router, request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            debug!(%error, "a connection ended badly");
        }
    }
}

/// Trailing slashes are accepted everywhere.
fn drop_trailing_slash(uri: &mut Uri) {
    let Some(path) = path::without_trailing_slash(uri.path()) else {
        return;
    };
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // A part of what has been parsed parses again.
    if let Ok(path_and_query) = PathAndQuery::try_from(path_and_query) {
        *uri = Uri::from(path_and_query);
    }
}
