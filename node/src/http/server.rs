//! Connections: accepted, served, and let go when the node stops.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    http::{HeaderValue, Method, Request, Uri, header::CONNECTION, uri::PathAndQuery},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{error::ApiError, path, paths::Paths};
use crate::{
    open_files,
    peer::{self, Challenge},
    tasks::Tasks,
};

/// A connection on which no request arrives for this long, or for at most twice as long after another one, is closed: longer than
/// the clients' pools keep idle connections, so that it is they who close them.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);
/// Connections at the same time, those that have become links aside. Each has one request in flight at most. They may have half
/// of the files that the process may have open: the rest is for links and the storage.
const CONNECTIONS_MAX: usize = 4096;
/// Connections beyond them, which are only told so; further ones wait in the system's queue. Peers get in all the same. They may
/// have an eighth of the files.
const TURNED_AWAY_MAX: usize = 256;
/// The same for a connection that is turned away.
const TURNED_AWAY_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest request head; a longer one is 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The pause after a connection cannot be accepted: most likely there are too many.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections on any number of listeners.
#[derive(Clone)]
pub(crate) struct Server {
    paths: Arc<Paths>,
    /// The connections.
    tasks: Tasks,
    /// Says that idle connections are to close, and busy ones after their answer.
    draining: CancellationToken,
    /// Room for connections: [`CONNECTIONS_MAX`].
    places: Arc<Semaphore>,
    /// Room for those that are turned away: [`TURNED_AWAY_MAX`].
    turned_away: Arc<Semaphore>,
}

impl Server {
    pub(crate) fn new(paths: Paths, tasks: Tasks) -> Self {
        let files = open_files::limit();
        let places = CONNECTIONS_MAX.min(files / 2);
        if places < CONNECTIONS_MAX {
            warn!(places, files, "fewer connections are served than with a higher limit of open files");
        }
        Self {
            paths: Arc::new(paths),
            tasks,
            draining: CancellationToken::new(),
            places: Arc::new(Semaphore::new(places)),
            turned_away: Arc::new(Semaphore::new(TURNED_AWAY_MAX.min(files / 8))),
        }
    }

    /// Accepts connections until the node stops, and then those that the system has made already: a client whose connection is
    /// taken is answered.
    pub(crate) async fn accept(&self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                accepted = listener.accept() => accepted,
                () = self.draining.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (place, full) = match Arc::clone(&self.places).try_acquire_owned() {
                        Ok(place) => (place, false),
                        Err(_) => match Arc::clone(&self.turned_away).acquire_owned().await {
                            Ok(place) => (place, true),
                            Err(_) => continue,
                        },
                    };
                    let serving = self.clone().serve(stream, full);
                    self.tasks.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    debug!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// No connection is accepted from now on; those that are there close after their answer.
    pub(crate) fn close(&self) {
        self.draining.cancel();
    }

    /// Completes when the last request is answered.
    pub(crate) async fn drained(&self) {
        self.tasks.ended().await;
    }

    /// Serves a connection; when the node is `full` it is told so and closed, unless it is a peer's.
    async fn serve(self, stream: TcpStream, full: bool) {
        // Without it answers would only be later.
        let _ = stream.set_nodelay(true);
        let paths = self.paths;
        let challenge = Challenge::default();
        let activity = Arc::new(Activity::default());
        let acting = Arc::clone(&activity);
        let service = service_fn(move |mut request: Request<Incoming>| {
            acting.step();
            let method = request.method().clone();
            drop_trailing_slash(request.uri_mut());
            let is_peer = request.uri().path() == peer::PATH;
            if is_peer {
                request.extensions_mut().insert(challenge.clone());
            }
            let turned_away = full && !is_peer;
            let (paths, acting) = (Arc::clone(&paths), Arc::clone(&acting));
            async move {
                let response = if turned_away { too_many(&method) } else { paths.answer(request).await };
                acting.step();
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        // On one that was just made the first request is still to come: its client has nobody to blame but us.
        let closing = async {
            self.draining.cancelled().await;
            activity.begun.notified().await;
        };
        let silence = activity.silence(if full { TURNED_AWAY_HEAD_TIMEOUT } else { HEAD_TIMEOUT });
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = silence => Ok(()),
            () = closing => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            debug!(%error, "a connection ended badly");
        }
    }
}

/// What happens on a connection. Looked at now and then, since hyper's own timeout costs each request a timer.
#[derive(Default)]
struct Activity {
    /// Requests that have begun and requests that are answered, together: odd while one is being answered.
    steps: AtomicU64,
    begun: Notify,
}

impl Activity {
    /// The next request begins, or is answered.
    fn step(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) == 0 {
            self.begun.notify_one();
        }
    }

    /// Completes when there was no request for as long as `patience`.
    async fn silence(&self, patience: Duration) {
        let mut before = 0;
        loop {
            sleep(patience).await;
            let steps = self.steps.load(Ordering::Relaxed);
            let answered = steps.is_multiple_of(2);
            if answered && steps == before {
                return;
            }
            before = steps;
        }
    }
}

fn too_many(method: &Method) -> Response {
    let mut response = ApiError::Unavailable("too many connections to this node".to_owned()).render(method);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::Semaphore,
        time::{Duration, Instant, sleep, timeout},
    };

    use super::{Activity, HEAD_TIMEOUT, Paths, Server, peer};
    use crate::tasks::Tasks;

    async fn answer(stream: &mut TcpStream, path: &str) -> String {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut bytes = [0; 4096];
        let read = timeout(Duration::from_secs(10), stream.read(&mut bytes)).await.expect("an answer").unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    #[tokio::test]
    async fn a_connection_that_is_made_must_be_answered_although_the_node_stops() {
        let server = Server::new(Paths::new(Router::new().route("/", get(|| async {}))), Tasks::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn({
            let server = server.clone();
            async move { server.accept(listener).await }
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        server.close();
        accepting.await.unwrap();
        assert!(answer(&mut client, "/").await.starts_with("HTTP/1.1 200"));
        timeout(Duration::from_secs(10), server.drained()).await.expect("an end");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_silent_when_nothing_begins_and_nothing_waits_for_an_answer() {
        let activity = Activity::default();
        let begun = Instant::now();
        activity.silence(HEAD_TIMEOUT).await;
        assert_eq!(begun.elapsed(), HEAD_TIMEOUT, "where there never was a request");
        activity.step();
        assert!(timeout(HEAD_TIMEOUT * 5, activity.silence(HEAD_TIMEOUT)).await.is_err(), "while one is answered");
        let answering = async {
            sleep(HEAD_TIMEOUT / 2).await;
            activity.step();
            Instant::now()
        };
        let ((), answered) = tokio::join!(activity.silence(HEAD_TIMEOUT), answering);
        assert!((HEAD_TIMEOUT..=HEAD_TIMEOUT * 2).contains(&answered.elapsed()));
    }

    #[tokio::test]
    async fn a_full_node_answers_503_and_still_takes_peers() {
        let router = Router::new().route("/", get(|| async {})).route(peer::PATH, get(|| async {}));
        let mut server = Server::new(Paths::new(router), Tasks::default());
        server.places = Arc::new(Semaphore::new(1));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move { server.accept(listener).await });
        let mut first = TcpStream::connect(address).await.unwrap();
        assert!(answer(&mut first, "/").await.starts_with("HTTP/1.1 200"));
        let mut second = TcpStream::connect(address).await.unwrap();
        let text = answer(&mut second, "/").await;
        assert!(text.starts_with("HTTP/1.1 503") && text.contains("retry-after: 1"), "{text}");
        let mut silent = TcpStream::connect(address).await.unwrap();
        let read = timeout(Duration::from_secs(10), silent.read(&mut [0; 1])).await.expect("an end");
        assert_eq!(read.unwrap(), 0, "it has said nothing");
        let mut third = TcpStream::connect(address).await.unwrap();
        assert!(answer(&mut third, peer::PATH).await.starts_with("HTTP/1.1 200"));
        assert!(answer(&mut first, "/").await.starts_with("HTTP/1.1 200"), "those who are in are served");
        accepting.abort();
    }
}
