//! One container of a shard of three dies: the others serve everything at once, and it has everything again when it is back.

use std::process::Stdio;
use std::time::{Duration, Instant};

use conformance::{Client, Failure, Layout, Record, ensure, eventually};
use futures_util::future::try_join_all;
use reqwest::Method;

use crate::Scenario;
use crate::clients::{DIALECT, measured, with_clients};
use crate::stage::{Sources, Stage, docker, eventually as until};

pub(crate) const ALL: &[Scenario] = &[
    ("a_killed_container_is_stood_in_for_and_has_everything_again_when_started", killed),
    ("a_removed_container_is_stood_in_for_and_has_everything_again_when_made_anew", removed),
];

const KEYS: usize = 1000;
/// For any answer of the others from the kill on.
const SERVE_LIMIT: Duration = Duration::from_secs(1);
/// From the kill until all others' views are right.
const VIEW_LIMIT: Duration = Duration::from_secs(5);
/// From the return until the node is ready, which is when it serves every key: how fast a client reads them is not its doing.
const RETURN_LIMIT: Duration = Duration::from_secs(10);

fn killed() {
    with_clients(every_member(|_, name| {
        let start = Instant::now();
        docker(&["start", name]);
        start
    }));
}

fn removed() {
    with_clients(every_member(|stage, name| {
        docker(&["rm", "--force", name]);
        docker(&["volume", "rm", &format!("{}-{name}", stage.project)]);
        let mut up = stage.command(&["-q", "up"]).stdout(Stdio::null()).spawn().expect("a start");
        let filter = format!("name=^{name}$");
        // It is back when it runs, not when `up` begins to look.
        until("it runs again", || !docker(&["ps", "--quiet", "--filter", &filter]).is_empty());
        let back = Instant::now();
        assert!(up.wait().expect("an end").success(), "up makes {name} anew");
        back
    }));
}

/// Kills the members of a shard of three one after the other; `bring_back` does so, and says since when it is there.
async fn every_member(bring_back: impl Fn(&Stage, &str) -> Instant) -> Result<(), Failure> {
    let mut cluster = Filled::new().await?;
    let members = cluster.members().await?;
    for &victim in &members {
        let others: Vec<usize> = cluster.all().filter(|number| *number != victim).collect();
        let killed = Instant::now();
        docker(&["kill", cluster.stage.name(victim)]);
        let (slowest, seen) = tokio::try_join!(cluster.all_serve(&others), cluster.views(&others, &others, killed))?;
        let back = bring_back(&cluster.stage, cluster.stage.name(victim));
        let all: Vec<usize> = cluster.all().collect();
        let (held, rejoined) =
            tokio::try_join!(cluster.holds_everything(victim, back), cluster.views(&all, &all, back))?;
        measured(&format!(
            "node{victim} killed: slowest of {} answers {slowest:.0?}, views right after {seen:.1?}; \
             back: ready with {KEYS} keys after {held:.1?}, views right after {rejoined:.1?}",
            KEYS * others.len()
        ));
    }
    cluster.alone(&members).await
}

/// Six nodes in two shards and one in none, and keys.
struct Filled {
    stage: Stage,
    /// With the token that covers all keys.
    client: Client,
    /// Each with its shard.
    keys: Vec<(String, String)>,
}

impl Filled {
    async fn new() -> Result<Self, Failure> {
        let stage = Stage::new("docker", Sources::Workspace, 6, 2);
        stage.run(&["up"]).exits(0);
        let mut client = Client::new(DIALECT, &Record::default());
        let mut keys = Vec::new();
        for index in 0..KEYS {
            let key = format!("key{index}");
            let put = client.put(&stage.url(index % 7 + 1), &key, value_of(&key)).await?;
            keys.push((key, put.must_be(201)?.text("shard-id")?.to_owned()));
        }
        Ok(Self { stage, client, keys })
    }

    /// The numbers of all nodes.
    fn all(&self) -> impl Iterator<Item = usize> {
        1..=self.stage.nodes.len()
    }

    fn socket(&self, number: usize) -> String {
        format!("{}:8080", self.stage.nodes[number - 1].address)
    }

    /// The nodes of shard 1, which must be three.
    async fn members(&self) -> Result<Vec<usize>, Failure> {
        let layout = Layout::read(&self.client, &self.stage.url(1)).await?;
        let members: Vec<usize> =
            self.all().filter(|number| layout.shard_of(&self.socket(*number)) == Some("1")).collect();
        ensure(members.len() == 3, || format!("a shard of three, got {layout:?}"))?;
        Ok(members)
    }

    /// Every key at each of these nodes, each beginning elsewhere; the slowest answer.
    async fn all_serve(&self, nodes: &[usize]) -> Result<Duration, Failure> {
        let sweeps = nodes.iter().enumerate().map(async |(index, number)| {
            let (url, mut client) = (self.stage.url(*number), self.client.clone());
            let mut slowest = Duration::ZERO;
            for (key, _) in self.keys.iter().cycle().skip(index * KEYS / nodes.len()).take(KEYS) {
                let get = client.get(&url, key).await?;
                get.must_be(200)?.must_have("value", value_of(key))?.must_come_within(SERVE_LIMIT)?;
                slowest = slowest.max(get.elapsed);
            }
            Ok::<Duration, Failure>(slowest)
        });
        Ok(try_join_all(sweeps).await?.into_iter().max().unwrap_or_default())
    }

    /// Until the view of each of `observers` is `nodes`; how long after `since`.
    async fn views(&self, observers: &[usize], nodes: &[usize], since: Instant) -> Result<Duration, Failure> {
        let expected: Vec<String> = nodes.iter().map(|number| self.socket(*number)).collect();
        let expected = DIALECT.list(&expected);
        for observer in observers {
            let url = self.stage.url(*observer);
            let left = VIEW_LIMIT.saturating_sub(since.elapsed());
            eventually(left, "the view is right", async || {
                self.client.view(&url).await?.must_be(200)?.must_have("view", expected.clone()).map(drop)
            })
            .await?;
        }
        Ok(since.elapsed())
    }

    /// Until the node is ready, and so serves every key, to a client with the token and to one without; how long after `since`.
    async fn holds_everything(&self, number: usize, since: Instant) -> Result<Duration, Failure> {
        let url = self.stage.url(number);
        let left = RETURN_LIMIT.saturating_sub(since.elapsed());
        eventually(left, "the node is ready", async || {
            self.client.send(Method::GET, &url, "/readyz", None).await?.must_be(200).map(drop)
        })
        .await?;
        let held = since.elapsed();
        for mut client in [self.client.clone(), self.client.without_token()] {
            for (key, _) in &self.keys {
                let get = client.get(&url, key).await?;
                get.must_be(200)?.must_have("value", value_of(key))?.must_come_within(SERVE_LIMIT)?;
            }
        }
        Ok(held)
    }

    /// Nobody helps the last that came back: it alone has the keys of its shard.
    async fn alone(&mut self, members: &[usize]) -> Result<(), Failure> {
        let Some((last, others)) = members.split_last() else { return Ok(()) };
        for number in others {
            docker(&["kill", self.stage.name(*number)]);
        }
        let url = self.stage.url(*last);
        for (key, _) in self.keys.iter().filter(|(_, shard)| shard == "1") {
            self.client.get(&url, key).await?.must_be(200)?.must_have("value", value_of(key))?;
        }
        Ok(())
    }
}

fn value_of(key: &str) -> String {
    format!("value of {key}")
}
