//! Clusters inside the test process: each node at its own address of the loopback network and on its own thread.

mod addresses;
mod log;
mod network;
mod node_thread;

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use conformance::{
    Ability, Client, Cluster, Dialect, Failure, Node, NodeLog, Provider, Record, Shape, Traces, Unmade, ensure,
    eventually,
};
use reqwest::Method;
use tempfile::TempDir;

use addresses::{Addresses, EACH_HAS_AN_IP, free_port};
use log::Log;
use network::Network;
use node_thread::NodeThread;

/// Long enough for a busy machine: a cluster that does not start is no verdict on any clause.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Makes clusters whose nodes answer in this dialect.
pub(crate) struct InProcess(pub(crate) Dialect);

#[async_trait(?Send)]
impl Provider for InProcess {
    fn cannot(&self, ability: Ability) -> Option<String> {
        (!EACH_HAS_AN_IP && ability == Ability::Partition)
            .then(|| "here all nodes share one IP, by which nobody can tell them apart".to_owned())
    }

    async fn create(&self, shape: &Shape) -> Result<Box<dyn Cluster>, Unmade> {
        match Threads::make(self.0, shape).await {
            Ok(cluster) => Ok(Box::new(cluster)),
            Err(failure) => Err(failure.to_string().into()),
        }
    }
}

/// The nodes, and those of them that run.
struct Threads {
    dialect: Dialect,
    shape: Shape,
    addresses: Addresses,
    network: Network,
    nodes: Vec<Node>,
    /// What belongs to each of them.
    places: Vec<Place>,
}

/// Where a node lives.
struct Place {
    /// What the other nodes call it.
    outside: SocketAddr,
    /// Where it listens, behind its gate.
    inside: SocketAddr,
    log: Log,
    /// Its data directory.
    data: TempDir,
    thread: Option<NodeThread>,
}

impl Threads {
    async fn make(dialect: Dialect, shape: &Shape) -> Result<Self, Failure> {
        let mut cluster = Self::prepare(dialect, shape)?;
        if shape.started {
            for node in 0..shape.nodes {
                cluster.start_node(node)?;
            }
            cluster.await_formed().await?;
        }
        Ok(cluster)
    }

    /// Chooses the addresses and starts nothing.
    fn prepare(dialect: Dialect, shape: &Shape) -> Result<Self, Failure> {
        let mut cluster = Self {
            dialect,
            shape: shape.clone(),
            addresses: Addresses::new(),
            network: Network::new()?,
            nodes: Vec::new(),
            places: Vec::new(),
        };
        for _ in 0..shape.nodes {
            cluster.reserve()?;
        }
        Ok(cluster)
    }

    /// Makes a place for the next node.
    fn reserve(&mut self) -> Result<usize, Failure> {
        let outside = self.addresses.next()?;
        let inside = free_port(outside.ip())?;
        self.network.open_gate(outside, inside)?;
        self.nodes.push(Node {
            name: format!("node{}", self.nodes.len() + 1),
            address: outside.to_string(),
            url: format!("http://{inside}"),
        });
        self.places.push(Place { outside, inside, log: Log::default(), data: data_directory()?, thread: None });
        Ok(self.nodes.len() - 1)
    }

    /// Starts a node that does not run. Its `VIEW` is that of the shape; for a node added later, with itself.
    fn start_node(&mut self, node: usize) -> Result<(), Failure> {
        let of_shape = self.shape.nodes;
        let view = self.nodes.iter().enumerate().filter(|(index, _)| *index < of_shape || *index == node);
        let view: Vec<&str> = view.map(|(_, node)| node.address.as_str()).collect();
        let place = &mut self.places[node];
        let mut variables = vec![
            ("SOCKET_ADDRESS", place.outside.to_string()),
            ("VIEW", view.join(",")),
            ("BIND_ADDRESS", place.outside.ip().to_string()),
            ("DATA_DIR", place.data.path().display().to_string()),
            // What is free beside the tests is not their concern.
            ("DATA_HEADROOM_BYTES", "0".to_owned()),
        ];
        let dialect = match self.dialect {
            Dialect::Seed2019 => "2019",
            Dialect::Spring2021 | Dialect::Fall2021 => "2021",
        };
        variables.push(("API_DIALECT", dialect.to_owned()));
        if let Some(count) = self.shape.shards.filter(|_| node < of_shape) {
            variables.push(("SHARD_COUNT", count.to_string()));
        }
        place.thread = Some(NodeThread::start(variables, place.inside, &place.log)?);
        Ok(())
    }

    /// Waits until every node sees all, and serves all that it is there for.
    async fn await_formed(&self) -> Result<(), Failure> {
        let client = &Client::new(self.dialect, &Record::default());
        eventually(START_LIMIT, "the cluster has formed", || async move {
            for node in &self.nodes {
                // How the list is written is for the scenarios to judge.
                let view = client.view(&node.url).await?;
                let sees_all = self.nodes.iter().all(|other| view.text.contains(&other.address));
                ensure(sees_all, || format!("{} to see all, got {}", node.name, view.text))?;
                client.send(Method::GET, &node.url, "/readyz", None).await?.must_be(200)?;
            }
            Ok(())
        })
        .await
    }

    fn ip(&self, node: usize) -> IpAddr {
        self.places[node].outside.ip()
    }
}

#[async_trait(?Send)]
impl Cluster for Threads {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    async fn start(&mut self, node: usize) -> Result<(), Failure> {
        self.start_node(node)
    }

    async fn kill(&mut self, node: usize) -> Result<(), Failure> {
        match self.places[node].thread.take() {
            Some(thread) => thread.kill().await,
            None => Ok(()),
        }
    }

    async fn stop(&mut self, node: usize) -> Result<Option<String>, Failure> {
        match self.places[node].thread.take() {
            Some(thread) => thread.stop().await.map(|()| None),
            None => Ok(None),
        }
    }

    async fn pause(&mut self, node: usize) -> Result<(), Failure> {
        match &mut self.places[node].thread {
            Some(thread) => thread.pause().await,
            None => Err(Failure::new("a node that runs, to freeze it")),
        }
    }

    async fn resume(&mut self, node: usize) -> Result<(), Failure> {
        if let Some(thread) = &mut self.places[node].thread {
            thread.resume();
        }
        Ok(())
    }

    async fn restart_empty(&mut self, node: usize) -> Result<(), Failure> {
        self.places[node].data = data_directory()?;
        self.start_node(node)
    }

    async fn add(&mut self) -> Result<usize, Failure> {
        let node = self.reserve()?;
        self.start_node(node)?;
        Ok(node)
    }

    async fn cut(&mut self, pairs: &[(usize, usize)]) -> Result<(), Failure> {
        self.network.cut(pairs.iter().map(|(from, to)| (self.ip(*from), self.ip(*to))).collect());
        Ok(())
    }

    async fn traces(&mut self, since: SystemTime) -> Traces {
        let logs = self.nodes.iter().zip(&self.places);
        let logs = logs.map(|(node, place)| NodeLog {
            node: node.name.clone(),
            lines: place.log.since(since),
            end: None,
            state: None,
        });
        Traces { logs: logs.collect(), events: Vec::new() }
    }

    async fn remove(mut self: Box<Self>, _failed: bool) -> Result<(), Failure> {
        for place in &mut self.places {
            if let Some(thread) = place.thread.take() {
                thread.kill().await?;
            }
        }
        Ok(())
    }
}

fn data_directory() -> Result<TempDir, Failure> {
    TempDir::new().map_err(|error| Failure::new("a place for the node's data").with(error))
}
