//! A cluster inside the test process: each node on its own address of the loopback network and on its own thread.

mod addresses;
mod gate;
mod shape;
mod thread;

use std::{net::SocketAddr, time::Duration};

use conformance::{Client, Cluster, Dialect, Failure, Layout, Node, eventually};

use reqwest::Method;

use crate::stage::VIEW_LIMIT;
use addresses::{Addresses, free_port};
use gate::Gate;
pub(crate) use shape::Shape;
use thread::NodeThread;

/// The nodes, and those of them that run.
pub(crate) struct InProcess {
    shape: Shape,
    addresses: Addresses,
    nodes: Vec<Node>,
    threads: Vec<Option<NodeThread>>,
    /// Per node, where it listens behind its gate.
    gates: Vec<(SocketAddr, Gate)>,
}

impl InProcess {
    /// Starts all nodes at once and waits until each sees all and says that it is ready.
    pub(crate) async fn start(shape: Shape) -> Result<Self, Failure> {
        let mut cluster = Self::prepare(shape)?;
        for node in 0..cluster.nodes.len() {
            cluster.start_node(node)?;
        }
        cluster.await_view(&cluster.all()).await?;
        for url in cluster.urls() {
            cluster.await_ready(&url, VIEW_LIMIT).await?;
        }
        Ok(cluster)
    }

    /// Chooses the addresses and starts nothing.
    pub(crate) fn prepare(shape: Shape) -> Result<Self, Failure> {
        let mut cluster = Self {
            addresses: Addresses::new(shape.one_ip),
            nodes: Vec::new(),
            threads: Vec::new(),
            gates: Vec::new(),
            shape,
        };
        for _ in 0..cluster.shape.nodes {
            cluster.reserve()?;
        }
        Ok(cluster)
    }

    /// Gives the next node its addresses.
    fn reserve(&mut self) -> Result<usize, Failure> {
        let address = self.addresses.next();
        let mut inside = address;
        if self.shape.gates {
            inside = free_port(address.ip());
            self.gates.push((inside, Gate::open(address, inside)?));
        }
        self.nodes.push(Node {
            name: format!("node{}", self.nodes.len() + 1),
            address: address.to_string(),
            url: format!("http://{inside}"),
        });
        self.threads.push(None);
        Ok(self.nodes.len() - 1)
    }

    /// Starts a node that does not run. Its `VIEW` is that of the shape; for a node added later, with itself.
    pub(crate) fn start_node(&mut self, node: usize) -> Result<(), Failure> {
        let mut view: Vec<&str> = self.addresses(0..self.shape.nodes);
        let mut variables = self.shape.variables.clone();
        match self.shape.shards {
            Some(count) if node < self.shape.nodes => {
                variables.push(("SHARD_COUNT", count.to_string()));
            }
            _ => {}
        }
        if node >= self.shape.nodes {
            view.push(&self.nodes[node].address);
        }
        let address = &self.nodes[node].address;
        let ip = address.split(':').next().unwrap_or_default();
        variables.push(("SOCKET_ADDRESS", address.clone()));
        variables.push(("VIEW", view.join(",")));
        variables.push(("BIND_ADDRESS", ip.to_owned()));
        let dialect = match self.shape.dialect {
            Dialect::Seed2019 => "2019",
            Dialect::Spring2021 | Dialect::Fall2021 => "2021",
        };
        variables.push(("API_DIALECT", dialect.to_owned()));
        let inside = self.gates.get(node).map(|(inside, _)| *inside);
        self.threads[node] = Some(NodeThread::start(variables, inside)?);
        Ok(())
    }

    /// Freezes a node: it keeps its connections and answers nothing, until [`resume`](Self::resume).
    pub(crate) async fn pause(&mut self, node: usize) {
        if let Some(thread) = &mut self.threads[node] {
            thread.pause().await;
        }
    }

    /// Lets a frozen node go on.
    pub(crate) fn resume(&mut self, node: usize) {
        if let Some(thread) = &mut self.threads[node] {
            thread.resume();
        }
    }

    /// Leaves only `side` running and connected: the others are frozen and nothing reaches them any more, not even later.
    /// Taking turns, two sides live through a partition. All nodes on one side heals it. Needs gates.
    pub(crate) async fn only(&mut self, side: &[usize]) {
        for node in self.others(side) {
            if let Some(thread) = &mut self.threads[node]
                && !thread.is_frozen()
            {
                thread.pause().await;
            }
        }
        for (node, (_, gate)) in self.gates.iter().enumerate() {
            gate.reset(side.contains(&node));
        }
        for node in side {
            self.resume(*node);
        }
    }

    /// Kills several nodes as nearly at once as can be.
    pub(crate) async fn kill_all(&mut self, nodes: impl IntoIterator<Item = usize>) -> Result<(), Failure> {
        for node in nodes {
            self.kill(node).await?;
        }
        Ok(())
    }

    /// Waits until every node of `nodes` sees exactly `nodes`, as long as the contract gives it.
    pub(crate) async fn await_view(&self, nodes: &[usize]) -> Result<(), Failure> {
        self.await_view_at(nodes, nodes).await
    }

    /// Waits until every node of `observers` sees exactly `seen`, as long as the contract gives it.
    pub(crate) async fn await_view_at(&self, observers: &[usize], seen: &[usize]) -> Result<(), Failure> {
        let (expected, client) = (&self.view_of(seen), &self.client());
        eventually(VIEW_LIMIT, "every view is right", || async move {
            for node in observers {
                let reply = client.view(self.url(*node)).await?;
                reply.must_be(200)?.must_have("view", expected.clone())?;
            }
            Ok(())
        })
        .await
    }

    /// Waits until a node says that it serves all that it is there for.
    pub(crate) async fn await_ready(&self, url: &str, limit: Duration) -> Result<(), Failure> {
        let client = &self.client();
        eventually(limit, "the node is ready", || async move {
            client.send(Method::GET, url, "/readyz", None).await?.must_be(200)?;
            Ok(())
        })
        .await
    }

    /// The view of exactly these nodes, as the dialect writes it.
    pub(crate) fn view_of(&self, nodes: &[usize]) -> serde_json::Value {
        let mut addresses: Vec<SocketAddr> =
            self.addresses(nodes.iter().copied()).iter().filter_map(|address| address.parse().ok()).collect();
        addresses.sort_unstable();
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        self.shape.dialect.list(&addresses)
    }

    /// A client of the cluster's dialect, without a past.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.shape.dialect)
    }

    pub(crate) fn url(&self, node: usize) -> &str {
        &self.nodes[node].url
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.url.clone()).collect()
    }

    pub(crate) fn address(&self, node: usize) -> &str {
        &self.nodes[node].address
    }

    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.nodes.len()).collect()
    }

    /// All nodes but `left_out`.
    pub(crate) fn others(&self, left_out: &[usize]) -> Vec<usize> {
        let mut nodes = self.all();
        nodes.retain(|node| !left_out.contains(node));
        nodes
    }

    /// The nodes that `shard` has, as `layout` tells it.
    pub(crate) fn members(&self, layout: &Layout, shard: &str) -> Vec<usize> {
        let mut nodes = self.all();
        nodes.retain(|node| layout.shard_of(self.address(*node)) == Some(shard));
        nodes
    }

    fn addresses(&self, nodes: impl IntoIterator<Item = usize>) -> Vec<&str> {
        nodes.into_iter().map(|node| self.address(node)).collect()
    }
}

impl Cluster for InProcess {
    fn dialect(&self) -> Dialect {
        self.shape.dialect
    }

    fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    async fn kill(&mut self, node: usize) -> Result<(), Failure> {
        match self.threads[node].take() {
            Some(thread) => thread.kill().await,
            None => Ok(()),
        }
    }

    async fn stop(&mut self, node: usize) -> Result<(), Failure> {
        match self.threads[node].take() {
            Some(thread) => thread.stop().await,
            None => Ok(()),
        }
    }

    async fn restart_empty(&mut self, node: usize) -> Result<(), Failure> {
        self.start_node(node)
    }

    async fn add(&mut self) -> Result<usize, Failure> {
        let node = self.reserve()?;
        self.start_node(node)?;
        Ok(node)
    }
}
