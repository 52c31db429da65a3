//! Load on services that are no cluster of ours, by the same clients: for comparisons. Prints throughput and latencies as one line
//! of JSON.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clap::{Parser, ValueEnum};
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{CONTENT_TYPE, HOST, HeaderValue},
};
use load::{Distribution, Kind, Load, Mix, Operation, Service, Store, Summary};

/// What to measure.
#[derive(Parser)]
struct Arguments {
    /// Whose protocol is spoken
    service: Which,
    /// Where it listens; the clients are divided among them
    #[arg(required = true)]
    authorities: Vec<String>,
    /// Clients
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How long is counted
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Shares of the operations
    #[arg(long, default_value = "get=1")]
    mix: Mix,
    /// How many keys
    #[arg(long, default_value_t = 1000)]
    keys: u64,
    /// The size of each value
    #[arg(long, default_value_t = 64)]
    value_bytes: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// This store, or anything that answers on its paths
    Store,
    /// etcd, by its JSON gateway
    Etcd,
}

fn main() {
    let arguments = Arguments::parse();
    let authority = |index: usize| arguments.authorities[index % arguments.authorities.len()].clone();
    let clients = 0..arguments.connections;
    let load = Load {
        connections: arguments.connections,
        warm_up: Duration::from_secs(1),
        duration: Duration::from_secs(arguments.seconds),
        rate: None,
        mix: arguments.mix,
        keys: arguments.keys,
        value_bytes: arguments.value_bytes,
        distribution: Distribution::Uniform,
        seed: 0,
    };
    let summary = match arguments.service {
        Which::Store => {
            finish(load, clients.map(|index| Store::new(authority(index), "/key-value-store/", true)).collect())
        }
        Which::Etcd => finish(load, clients.map(|index| Etcd { authority: authority(index) }).collect()),
    };
    #[expect(clippy::print_stdout, reason = "that is the result")]
    match serde_json::to_string(&summary) {
        Ok(text) => println!("{text}"),
        Err(error) => println!("{error}"),
    }
}

fn finish<S: Service + 'static>(load: Load, services: Vec<S>) -> Summary {
    load.start(services).finish().0
}

/// etcd's gateway takes keys and values in base64, in the bodies of POSTs.
struct Etcd {
    authority: String,
}

impl Service for Etcd {
    fn authority(&self) -> &str {
        &self.authority
    }

    fn request(&mut self, operation: &Operation<'_>) -> Request<Full<Bytes>> {
        let key = STANDARD.encode(format!("key{}", operation.key));
        let (path, body) = match operation.kind {
            Kind::Get => ("/v3/kv/range", serde_json::json!({ "key": key })),
            Kind::Put => ("/v3/kv/put", serde_json::json!({ "key": key, "value": STANDARD.encode(operation.value) })),
            Kind::Delete => ("/v3/kv/deleterange", serde_json::json!({ "key": key })),
        };
        let mut request = Request::new(Full::new(Bytes::from(body.to_string())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.parse().unwrap_or_default();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(host) = self.authority.parse() {
            request.headers_mut().insert(HOST, host);
        }
        request
    }

    fn accept(&mut self, _kind: Kind, status: u16, _body: &[u8]) -> bool {
        status == 200
    }
}
