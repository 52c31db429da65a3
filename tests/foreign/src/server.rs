//! Listening: the paths of the course, or whatever the flaw makes of them.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, put},
};
use tokio::{
    io::{AsyncWriteExt, copy, sink},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::{
    heartbeat::beat,
    internal, key_value,
    node::{FROM_NODE, Node},
    reply::Reply,
    setup::{Flaw, Setup},
    shard, view,
};

const BODY_BYTES_MAX: usize = 1 << 20;
const SLOW_START: Duration = Duration::from_secs(6);
const SLOW_ANSWER: Duration = Duration::from_millis(50);
/// How long a request waits for a node that has just started to know the shards.
const PLACING: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Serves until it cannot.
pub(crate) async fn serve(setup: Setup) -> io::Result<()> {
    let address = (Ipv4Addr::UNSPECIFIED, setup.address.port());
    writeln!(io::stdout(), "starting {} of {} nodes", setup.address, setup.view.len())?;
    match setup.flaw {
        Some(Flaw::NeverReady) => loop {
            writeln!(io::stdout(), "almost there")?;
            sleep(Duration::from_secs(1)).await;
        },
        Some(Flaw::Garbage) => waste(address, b"\x00\x01\xfe\xff what is HTTP\r\n").await,
        Some(Flaw::Hangs) => waste(address, b"").await,
        Some(Flaw::Slow) => sleep(SLOW_START).await,
        _ => {}
    }
    let node = Node::new(&setup).map_err(io::Error::other)?;
    let listener = TcpListener::bind(address).await?;
    writeln!(io::stdout(), "listening on port {}", address.1)?;
    tokio::spawn(beat(Arc::clone(&node), setup));
    axum::serve(listener, router(node)).await
}

/// Accepts every connection, says `bytes`, and reads until the client gives up.
async fn waste(address: (Ipv4Addr, u16), bytes: &'static [u8]) {
    let exchange = async move |mut stream: TcpStream| {
        stream.write_all(bytes).await?;
        if !bytes.is_empty() {
            stream.shutdown().await?;
        }
        copy(&mut stream, &mut sink()).await
    };
    let Ok(listener) = TcpListener::bind(address).await else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(exchange(stream));
    }
}

fn router(node: Arc<Node>) -> Router {
    let keys_and_shards = Router::new()
        .route("/key-value-store/", any(key_value::key_is_empty))
        .route("/key-value-store/{key}", get(key_value::operate).put(key_value::operate).delete(key_value::operate))
        .route("/key-value-store-shard/shard-ids", get(shard::ids))
        .route("/key-value-store-shard/node-shard-id", get(shard::of_node))
        .route("/key-value-store-shard/shard-id-members/{id}", get(shard::members))
        .route("/key-value-store-shard/shard-id-key-count/{id}", get(shard::key_count))
        .route("/key-value-store-shard/add-member/{id}", put(shard::add_member))
        .route("/key-value-store-shard/reshard", put(shard::reshard))
        .route_layer(from_fn_with_state(Arc::clone(&node), when_placed));
    let mut clients = keys_and_shards
        .route("/key-value-store-view", get(view::get).put(view::change).delete(view::change))
        .method_not_allowed_fallback(unsupported)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    if node.flaw == Some(Flaw::Slow) {
        clients = clients.layer(axum::middleware::from_fn(late));
    }
    clients.merge(internal::routes()).with_state(node)
}

async fn unsupported(method: Method) -> Reply {
    Reply::error(StatusCode::METHOD_NOT_ALLOWED, &method, "This method is unsupported")
}

/// Nothing can be said of keys and shards before the node knows which shards there are.
async fn when_placed(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let deadline = Instant::now() + PLACING;
    while node.state().holding.version.placement == 0 {
        if Instant::now() > deadline {
            return Reply::unavailable(request.method(), "The shards are not known yet").into_response();
        }
        sleep(POLL_INTERVAL).await;
    }
    next.run(request).await
}

/// A client waits; a node does not, so that a request that is passed on is not late twice.
async fn late(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(FROM_NODE) {
        sleep(SLOW_ANSWER).await;
    }
    next.run(request).await
}
